"""Stretches of time that criteria ask about: rolling ("the past 30 days"), by the calendar ("last month"), or between
two days. All in Amsterdam days; the end of a stretch is the first day after it.

Params hold a window as flat fields (``WindowParams``), so that a form has one field for each (``WindowForm``).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any, Literal

from dateutil.relativedelta import relativedelta
from django import forms
from django.db.models import Q
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from pydantic import Field, model_validator

from common.criteria import Params
from common.time import local_date, start_of_day

SEASON_STARTS = 8  # the month in which a season of theatre and courses begins

Unit = Literal["day", "week", "month", "year"]
CALENDAR = ("week", "month", "quarter", "season", "year")
UNITS = [
    ("day", gettext_lazy("days")),
    ("week", gettext_lazy("weeks")),
    ("month", gettext_lazy("months")),
    ("year", gettext_lazy("years")),
]

#: Code of a period -> (how it reads in a menu, how it completes a sentence). Those with a number stand in ``ROLLING``.
PERIODS: dict[str, Any] = {
    "ever": gettext_lazy("ever"),
    "last": gettext_lazy("in the past …"),
    "before_last": gettext_lazy("more than … ago"),
    "ago": gettext_lazy("between … and … ago"),
    "next": gettext_lazy("in the coming …"),
    "today": gettext_lazy("today"),
    "yesterday": gettext_lazy("yesterday"),
    "tomorrow": gettext_lazy("tomorrow"),
    "this_week": gettext_lazy("this week"),
    "last_week": gettext_lazy("last week"),
    "next_week": gettext_lazy("next week"),
    "this_month": gettext_lazy("this month"),
    "last_month": gettext_lazy("last month"),
    "next_month": gettext_lazy("next month"),
    "this_quarter": gettext_lazy("this quarter"),
    "last_quarter": gettext_lazy("last quarter"),
    "next_quarter": gettext_lazy("next quarter"),
    "this_season": gettext_lazy("this season (from August)"),
    "last_season": gettext_lazy("last season (from August)"),
    "next_season": gettext_lazy("next season (from August)"),
    "this_year": gettext_lazy("this year"),
    "last_year": gettext_lazy("last year"),
    "next_year": gettext_lazy("next year"),
    "between": gettext_lazy("between two dates"),
}
ROLLING = ("last", "before_last", "ago", "next")
FUTURE = ("next", "tomorrow", "next_week", "next_month", "next_quarter", "next_season", "next_year")

#: Days ``[start, end)``; None is open.
Stretch = tuple[dt.date | None, dt.date | None]


class WindowParams(Params):
    """A stretch of time. ``number`` and ``unit`` belong to the rolling periods, ``number_to`` to ``ago``,
    ``since`` and ``until`` (both included, either may be open) to ``between``.

    Rules of the first months say ``within_days``, which is read as ``last`` so many days.
    """

    period: str = "ever"
    number: int | None = Field(default=None, ge=0, le=36500)
    number_to: int | None = Field(default=None, ge=0, le=36500)
    unit: Unit = "day"
    since: dt.date | None = None
    until: dt.date | None = None

    @model_validator(mode="before")
    @classmethod
    def _as_it_was(cls, data: Any) -> Any:
        if isinstance(data, dict) and "within_days" in data:
            data = dict(data)
            days = data.pop("within_days")
            if days is not None:
                data |= {"period": "last", "number": days, "unit": "day"}
        return data

    @model_validator(mode="after")
    def _complete(self) -> WindowParams:
        if self.period not in PERIODS:
            raise ValueError(_("There is no period “%s”.") % self.period[:30])
        if self.period in ROLLING and self.number is None:
            raise ValueError(_("Fill in how many days, weeks, months or years."))
        if self.period == "ago" and (self.number_to is None or self.number_to < (self.number or 0)):
            raise ValueError(_("Fill in two numbers, the lowest first."))
        if self.period == "between":
            if self.since is None and self.until is None:
                raise ValueError(_("Fill in at least one of the two dates."))
            if self.since and self.until and self.since > self.until:
                raise ValueError(_("The first date must not be after the last."))
        return self

    @property
    def is_ever(self) -> bool:
        """Whether there is no bound at all."""
        return self.period == "ever"

    def days(self, *, now: dt.datetime) -> Stretch:
        """Return the first day, and the first day after, as seen from ``now``; OverflowError beyond the calendar."""
        today, number = local_date(now), self.number or 0
        if self.period == "ever":
            return None, None
        if self.period == "between":
            return self.since, self.until and self.until + dt.timedelta(days=1)
        if self.period == "last":
            return back(today, number, self.unit), today + dt.timedelta(days=1)
        if self.period == "before_last":
            return None, back(today, number, self.unit)
        if self.period == "ago":
            return back(today, self.number_to or 0, self.unit), back(today, number, self.unit) + dt.timedelta(days=1)
        if self.period == "next":
            return today, back(today, -number, self.unit) + dt.timedelta(days=1)
        return calendar(self.period, today)

    def instants(self, *, now: dt.datetime) -> tuple[dt.datetime | None, dt.datetime | None]:
        """Return the same stretch as instants ``[start, end)``."""
        first, after = self.days(now=now)
        return start_of_day(first) if first else None, start_of_day(after) if after else None

    def happened(self, *, now: dt.datetime) -> tuple[dt.datetime | None, dt.datetime]:
        """Return the instants for what happened: never past ``now``, for nothing has happened after it."""
        start, end = self.instants(now=now)
        return start, min(end, now) if end else now

    def on(self, field: str, *, now: dt.datetime) -> Q:
        """Return the condition that a date field lies in the window; unknown dates never do."""
        return _within(field, self.days(now=now))

    def at(self, field: str, *, now: dt.datetime) -> Q:
        """Return the condition that a moment lies in the window and is not after ``now``."""
        start, end = self.happened(now=now)
        return _within(field, (start, end))

    def words(self) -> str:
        """Return the window in words, to end a clause: "in the past 30 days"."""
        if self.period in ROLLING:
            return _ROLLING_WORDS[self.period](self)
        if self.period == "between":
            return self._between()
        return str(PERIODS[self.period])

    def _between(self) -> str:
        shown = {"since": self.since and date_format(self.since), "until": self.until and date_format(self.until)}
        if self.since is None:
            return _("until %(until)s") % shown
        if self.until is None:
            return _("since %(since)s") % shown
        return _("from %(since)s to %(until)s") % shown


def _within(field: str, bounds: tuple[Any, Any]) -> Q:
    start, end = bounds
    q = Q(**{f"{field}__isnull": False}) if start is None and end is None else Q()
    if start is not None:
        q &= Q(**{f"{field}__gte": start})
    return q & Q(**{f"{field}__lt": end}) if end is not None else q


def back(day: dt.date, number: int, unit: str) -> dt.date:
    """Return the day so many units earlier (later when negative); the last of a month stays within its month.

    Raises OverflowError where the calendar ends.
    """
    try:
        return day - relativedelta(**{f"{unit}s": number})  # type: ignore[arg-type]
    except ValueError:
        raise OverflowError from None


def calendar(period: str, today: dt.date) -> Stretch:
    """Return the days of "today", "this_week", "last_month", "next_season", …"""
    if period in _DAYS:
        first = today + dt.timedelta(days=_DAYS[period])
        return first, first + dt.timedelta(days=1)
    which, unit = period.split("_", 1)
    step = {"last": -1, "this": 0, "next": 1}[which]
    start, length = _start_of(unit, today), _LENGTHS[unit]
    return start + step * length, start + (step + 1) * length


_DAYS = {"yesterday": -1, "today": 0, "tomorrow": 1}
_LENGTHS = {
    "week": relativedelta(weeks=1),
    "month": relativedelta(months=1),
    "quarter": relativedelta(months=3),
    "season": relativedelta(years=1),
    "year": relativedelta(years=1),
}


def _start_of(unit: str, day: dt.date) -> dt.date:
    """Return the first day of the week (Monday), month, quarter, season or year in which a day lies."""
    if unit == "week":
        return day - dt.timedelta(days=day.weekday())
    if unit == "month":
        return day.replace(day=1)
    if unit == "quarter":
        return day.replace(month=(day.month - 1) // 3 * 3 + 1, day=1)
    if unit == "season":
        return dt.date(day.year - (day.month < SEASON_STARTS), SEASON_STARTS, 1)
    return day.replace(month=1, day=1)


def counted(number: int, unit: str) -> str:
    """Return "1 day", "3 weeks", …"""
    words = {
        "day": lambda n: ngettext("%d day", "%d days", n),
        "week": lambda n: ngettext("%d week", "%d weeks", n),
        "month": lambda n: ngettext("%d month", "%d months", n),
        "year": lambda n: ngettext("%d year", "%d years", n),
    }
    return words[unit](number) % number


def _last(window: WindowParams) -> str:
    number = window.number or 0
    if number == 0:
        return _("today")
    return _("in the past %(stretch)s") % {"stretch": counted(number, window.unit)}


_ROLLING_WORDS: dict[str, Callable[[WindowParams], str]] = {
    "last": _last,
    "before_last": lambda window: (
        _("more than %(stretch)s ago") % {"stretch": counted(window.number or 0, window.unit)}
    ),
    "ago": lambda window: (
        _("between %(near)s and %(far)s ago")
        % {"near": counted(window.number or 0, window.unit), "far": counted(window.number_to or 0, window.unit)}
    ),
    "next": lambda window: _("in the coming %(stretch)s") % {"stretch": counted(window.number or 0, window.unit)},
}


def past_periods() -> list[tuple[str, Any]]:
    """Return the periods for what can only have happened, as choices."""
    return [(code, name) for code, name in PERIODS.items() if code not in FUTURE]


def all_periods() -> list[tuple[str, Any]]:
    """Return all periods, as choices."""
    return list(PERIODS.items())


class WindowForm(forms.Form):
    """The fields of a window about the past. Which of them matter follows from the period (see ``data-period``)."""

    period = forms.ChoiceField(label=gettext_lazy("When"), choices=past_periods, required=False, initial="ever")
    number = forms.IntegerField(label=gettext_lazy("How many"), required=False, min_value=0, max_value=36500)
    number_to = forms.IntegerField(label=gettext_lazy("Until how many"), required=False, min_value=0, max_value=36500)
    unit = forms.ChoiceField(label=gettext_lazy("Of what"), choices=UNITS, required=False, initial="day")
    since = forms.DateField(label=gettext_lazy("From"), required=False, widget=forms.DateInput(attrs={"type": "date"}))
    until = forms.DateField(
        label=gettext_lazy("Up to and including"), required=False, widget=forms.DateInput(attrs={"type": "date"})
    )

    WINDOW = ("period", "number", "number_to", "unit", "since", "until")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, periods in SHOWN_FOR.items():
            if name in self.fields:  # the builder shows a field only for these periods
                self.fields[name].widget.attrs |= {"data-when": "period", "data-when-is": " ".join(periods)}


SHOWN_FOR = {
    "number": ROLLING,
    "number_to": ("ago",),
    "unit": ROLLING,
    "since": ("between",),
    "until": ("between",),
}
