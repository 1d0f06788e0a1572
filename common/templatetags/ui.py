"""Template tags and filters that every face shares: money, the figures of a chart, the weeks of a month."""

from __future__ import annotations

import calendar
import datetime as dt
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from lucide.templatetags.lucide import lucide

from common.money import format_cents
from common.time import clock, local_date

register = template.Library()


@register.filter
def cents(value: int | None) -> str:
    """Show integer cents as Dutch euros; nothing for None."""
    return "" if value is None else format_cents(value)


@register.filter
def phone(value: str | None) -> str:
    """Show a Dutch number in the way people here write it: ``06 12 34 56 78``; other numbers as they are."""
    number = value or ""
    if re.fullmatch(r"\+316\d{8}", number):
        return " ".join(["06", *(number[start : start + 2] for start in range(4, 12, 2))])
    return f"0{number[3:]}" if re.fullmatch(r"\+31\d{9}", number) else number


@register.filter
def breakable(value: str | None) -> SafeString:
    """Let an e-mail address break before its at-sign, not in the middle of a word."""
    name, sign, domain = (value or "").partition("@")
    return format_html("{}<wbr>{}{}", name, sign, domain)


@register.filter
def chart_rows(data: Mapping[str, Any]) -> list[tuple[str, list[Any]]]:
    """Turn chart data (labels, datasets with data) into table rows: (label, [one figure per dataset])."""
    columns = [dataset["data"] for dataset in data["datasets"]]
    return [(label, [column[index] for column in columns]) for index, label in enumerate(data["labels"])]


@register.simple_tag
def drawn(name: str, size: str | int) -> SafeString:
    """Return a Lucide icon as inline SVG, drawn once: a page has dozens, of the same few."""
    return _drawn(f"{name}", int(size))


@lru_cache(maxsize=1024)
def _drawn(name: str, size: int) -> SafeString:
    return mark_safe(lucide(name, size=size, aria_hidden="true", focusable="false", **{"class": "glyph"}))


@dataclass(frozen=True)
class Line:
    """A row of a table: its attributes, and for each cell its class, the name of its column and what it shows."""

    attrs: Any
    cells: list[tuple[str, str, Any]]


@register.filter
def table_lines(table: Any) -> Iterator[Line]:
    """Yield the lines of a page of a django-tables2 table; what all cells of a column share is looked up once."""
    shared = [
        (column.name, column.attrs.get("td", {}).get("class", ""), str(column.header), column.localize is False)
        for column in table.columns
    ]
    for row in table.paginated_rows:
        cells = [(css, label, row.get_cell(name), as_it_is) for name, css, label, as_it_is in shared]
        yield Line(row.attrs, [(css, label, str(cell) if as_it_is else cell) for css, label, cell, as_it_is in cells])


@dataclass(frozen=True)
class Day:
    date: dt.date
    is_outside: bool
    is_today: bool
    events: list[Mapping[str, Any]]


@dataclass(frozen=True)
class Month:
    """A month as weeks from Monday; ``previous`` and ``next`` are the first days of the months beside it."""

    weeks: list[list[Day]]
    previous: dt.date
    next: dt.date
    is_empty: bool


@register.simple_tag
def calendar_month(month: dt.date, events: Iterable[Mapping[str, Any]]) -> Month:
    """Lay events (dicts with ``date``) on the weeks of the month that ``month`` lies in."""
    by_date = defaultdict(list)
    for event in events:
        by_date[event["date"]].append(event)
    today = local_date(clock())
    weeks = [
        [Day(date, date.month != month.month, date == today, by_date[date]) for date in week]
        for week in calendar.Calendar().monthdatescalendar(month.year, month.month)
    ]
    first = month.replace(day=1)
    return Month(
        weeks,
        previous=(first - dt.timedelta(days=1)).replace(day=1),
        next=(first + dt.timedelta(days=31)).replace(day=1),
        is_empty=not any(day.events for week in weeks for day in week),
    )
