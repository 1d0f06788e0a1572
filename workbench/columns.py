"""Columns for the tables of the workbench (django-tables2): figures, euros, moments and states."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

import django_tables2 as tables
from django.contrib.humanize.templatetags.humanize import intcomma
from django.db.models import Model
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timezone import localtime

from common.money import format_cents
from common.templatetags.ui import breakable

WHOLE = {"td": {"class": "when"}}
RIGHT = {"th": {"class": "num"}, "td": {"class": "num"}}


class NumberColumn(tables.Column):
    """A count, at the right, with separators."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"attrs": RIGHT, **kwargs})

    def render(self, value: int) -> str:
        return intcomma(value)


class EmailColumn(tables.Column):
    """An e-mail address that breaks before its at-sign where there is no room; a dash where there is none."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"default": "–", **kwargs})

    def render(self, value: str) -> SafeString:
        return breakable(value)


class CentsColumn(NumberColumn):
    """Integer cents as euros."""

    def render(self, value: int) -> str:
        return format_cents(value)


class MomentColumn(tables.Column):
    """A date, or a date and time of Amsterdam, on one line."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"attrs": WHOLE, "default": "–", **kwargs})

    def render(self, value: dt.date | dt.datetime) -> str:
        if isinstance(value, dt.datetime):
            return date_format(localtime(value), "j b Y H:i")
        return date_format(value, "j b Y")


class BadgeColumn(tables.Column):
    """A state with choices as a badge; ``tones`` gives a state its tone, others are neutral."""

    def __init__(self, *args: Any, tones: Mapping[str, str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.tones = tones

    def render(self, value: str, record: Model, bound_column: Any) -> SafeString:
        state = getattr(record, bound_column.accessor)
        return format_html('<span class="tag tag-{}">{}</span>', self.tones.get(state, "neutral"), value)
