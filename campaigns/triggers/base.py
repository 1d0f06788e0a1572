"""What a kind of trigger is, and the days that anniversaries fall on."""

from __future__ import annotations

import calendar
import datetime as dt
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.db.models import QuerySet

from common.errors import Refused
from common.registry import Registry
from customers.models import Customer

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

#: The oldest anniversary there is; it bounds the list of dates that "every year" stands for.
MOST_YEARS = 120


class TriggerKind(ABC):
    """One thing that happens to customers on a day. Pure: reads no clock, and its querysets are run by others."""

    code: ClassVar[str]
    label: ClassVar[str | _StrPromise]
    help: ClassVar[str | _StrPromise]
    form: ClassVar[type[forms.Form]]  # its cleaned_data, which is JSON, is the params
    catches_up: ClassVar[bool] = True  # whether days that the scheduler missed are worked off later

    @abstractmethod
    def candidates(
        self, params: Mapping[str, Any], *, day: dt.date, now: dt.datetime, after: dt.datetime
    ) -> QuerySet[Customer]:
        """Return those it happens to on Amsterdam's ``day``.

        ``after``: the instant of the previous run (or the activation); only a kind that waits for something without
        a date of its own (entering a selection) needs it.
        """

    @abstractmethod
    def sentence(self, params: Mapping[str, Any]) -> str:
        """Return when it goes off, in words, in the active language.

        ``selection_name`` beside the params saves looking up the name of the watched selection.
        """

    def is_useful(self, params: Mapping[str, Any], *, day: dt.date, today: dt.date) -> bool:
        """Whether working off a missed ``day`` still makes sense ``today``."""
        return True

    def happenings_sql(self, params: Mapping[str, Any], *, after: dt.datetime, now: dt.datetime) -> str | None:
        """Return SQL that yields ``customer_id, at`` of what happened after ``after`` up to and including ``now``, for
        a kind that goes off once for each of those; None for a kind that is worked off by the day.

        Values are bound in it, percent signs doubled. Raises Refused when what it is about is gone.
        """
        return None

    def watched_selection(self, params: Mapping[str, Any]) -> int | None:
        """Return the id of the selection whose entrances have to be recorded, if any."""
        return None

    def clean(self, raw: Mapping[str, Any]) -> dict[str, Any]:
        """Return checked params; raises Refused with the name of the first faulty field."""
        form = self.form(dict(raw))
        if form.is_valid():
            return form.cleaned_data
        field, errors = next(iter(form.errors.items()))
        raise Refused("wrong_params", str(errors[0]), field=None if field == "__all__" else field)


trigger_kinds: Registry[TriggerKind] = Registry("trigger kind")


def anniversaries(day: dt.date, years: Iterable[int]) -> list[dt.date]:
    """Return the dates of which ``day`` counts as the anniversary after so many ``years``.

    Somebody of 29 February has it on 28 February in common years, so nobody is skipped three years out of four.
    """
    dates = []
    for number in years:
        year = day.year - number
        if year < 1:
            continue
        if (day.month, day.day) != (2, 29) or calendar.isleap(year):
            dates.append(day.replace(year=year))
        if counts_for_leap_day(day) and calendar.isleap(year):
            dates.append(dt.date(year, 2, 29))
    return dates


def counts_for_leap_day(day: dt.date) -> bool:
    """Whether ``day`` is the 28th of February of a year that has no 29th."""
    return (day.month, day.day) == (2, 28) and not calendar.isleap(day.year)


class NumbersField(forms.CharField):
    """Whole numbers with commas between them; its value is a sorted list, empty means every number."""

    def __init__(self, *, most: int, **kwargs: Any) -> None:
        super().__init__(required=False, max_length=200, **kwargs)
        self.most = most

    def prepare_value(self, value: Any) -> Any:
        return ", ".join(map(str, value)) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        return value if isinstance(value, list) else super().to_python(value)

    def clean(self, value: Any) -> list[int]:
        given = self.prepare_value(value) or ""
        text = super().clean(given)
        parts = [part.strip() for part in text.replace(";", ",").split(",") if part.strip()]
        if not all(part.isascii() and part.isdigit() and 1 <= int(part) <= self.most for part in parts):
            raise forms.ValidationError(self.error_messages["numbers"] % {"most": self.most}, code="numbers")
        return sorted({int(part) for part in parts})
