"""A stretch of time as params of a criterion: its days, its instants, its condition on a field, its words."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any, Literal

from django.db.models import Q
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from pydantic import Field, model_validator

from common.criteria import Params
from common.time import local_date, start_of_day
from customers.criteria.windows.periods import HOLIDAYS, PERIODS, ROLLING, Stretch, back, calendar
from customers.models import CalendarSettings, HolidayName, SchoolHoliday

Unit = Literal["day", "week", "month", "year"]
UNITS = [
    ("day", gettext_lazy("days")),
    ("week", gettext_lazy("weeks")),
    ("month", gettext_lazy("months")),
    ("year", gettext_lazy("years")),
]


class WindowParams(Params):
    """A stretch of time. ``number`` and ``unit`` belong to the rolling periods, ``number_to`` to ``ago`` and ``ahead``,
    ``since`` and ``until`` (both included, either may be open) to ``between``, ``holiday`` (empty: any) to the school
    holidays, which are those of the region of the organisation.

    Rules of the first months say ``within_days``, which is read as ``last`` so many days.
    """

    period: str = "ever"
    number: int | None = Field(default=None, ge=0, le=36500)
    number_to: int | None = Field(default=None, ge=0, le=36500)
    unit: Unit = "day"
    since: dt.date | None = None
    until: dt.date | None = None
    holiday: Literal["", "herfst", "kerst", "voorjaar", "mei", "zomer"] = ""

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
        if self.period in ("ago", "ahead") and (self.number_to is None or self.number_to < (self.number or 0)):
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
        """Return the first day, and the first day after, as seen from ``now``; OverflowError beyond the calendar.

        A school holiday that is not known, or not going on, has no days. It is looked up in the database.
        """
        today = local_date(now)
        if self.period == "ever":
            return None, None
        if self.period == "between":
            return self.since, self.until and _after(self.until)
        if self.period in HOLIDAYS:
            return self._holiday(today)
        return self._rolling(today) if self.period in ROLLING else calendar(self.period, today)

    def _rolling(self, today: dt.date) -> Stretch:
        near, far = self.number or 0, self.number_to or 0
        stretches: dict[str, Callable[[], Stretch]] = {
            "last": lambda: (back(today, near, self.unit), _after(today)),
            "before_last": lambda: (None, back(today, near, self.unit)),
            "ago": lambda: (back(today, far, self.unit), _after(back(today, near, self.unit))),
            "next": lambda: (today, _after(back(today, -near, self.unit))),
            "after_next": lambda: (_after(back(today, -near, self.unit)), None),
            "ahead": lambda: (back(today, -near, self.unit), _after(back(today, -far, self.unit))),
        }
        return stretches[self.period]()

    def _holiday(self, today: dt.date) -> Stretch:
        ours = SchoolHoliday.objects.filter(region=CalendarSettings.load().region).named(self.holiday)
        found = ours.around(today, self.period.removesuffix("_holiday"))
        return (found.first_day, _after(found.last_day)) if found else (today, today)

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
        return within(field, self.days(now=now))

    def at(self, field: str, *, now: dt.datetime) -> Q:
        """Return the condition that a moment lies in the window and is not after ``now``."""
        start, end = self.happened(now=now)
        return within(field, (start, end))

    def words(self) -> str:
        """Return the window in words, to end a clause: "in the past 30 days"."""
        if self.period in ROLLING:
            return _ROLLING_WORDS[self.period](self)
        if self.period == "between":
            return self._between()
        if self.period in HOLIDAYS and self.holiday:
            return _HOLIDAY_WORDS[self.period]() % {"holiday": HolidayName(self.holiday).label}
        return str(PERIODS[self.period])

    def _between(self) -> str:
        shown = {"since": self.since and date_format(self.since), "until": self.until and date_format(self.until)}
        if self.since is None:
            return _("until %(until)s") % shown
        if self.until is None:
            return _("since %(since)s") % shown
        return _("from %(since)s to %(until)s") % shown


def within(field: str, bounds: tuple[Any, Any]) -> Q:
    """Return the condition that a field lies in ``[start, end)``, either of which may be open; unknown never does."""
    start, end = bounds
    q = Q(**{f"{field}__isnull": False}) if start is None and end is None else Q()
    if start is not None:
        q &= Q(**{f"{field}__gte": start})
    return q & Q(**{f"{field}__lt": end}) if end is not None else q


def _after(day: dt.date) -> dt.date:
    """Return the next day; raises OverflowError on the last one there is."""
    return day + dt.timedelta(days=1)


def counted(number: int, unit: str) -> str:
    """Return "1 day", "3 weeks", …"""
    words = {
        "day": lambda n: ngettext("%d day", "%d days", n),
        "week": lambda n: ngettext("%d week", "%d weeks", n),
        "month": lambda n: ngettext("%d month", "%d months", n),
        "year": lambda n: ngettext("%d year", "%d years", n),
    }
    return words[unit](number) % number


def _stretch(window: WindowParams) -> dict[str, str]:
    near, far = window.number or 0, window.number_to or 0
    return {"stretch": counted(near, window.unit), "near": counted(near, window.unit), "far": counted(far, window.unit)}


def _last(window: WindowParams) -> str:
    return _("in the past %(stretch)s") % _stretch(window) if window.number else _("today")


def _next(window: WindowParams) -> str:
    return _("in the coming %(stretch)s") % _stretch(window) if window.number else _("today")


_ROLLING_WORDS: dict[str, Callable[[WindowParams], str]] = {
    "last": _last,
    "before_last": lambda window: _("more than %(stretch)s ago") % _stretch(window),
    "ago": lambda window: _("between %(near)s and %(far)s ago") % _stretch(window),
    "next": _next,
    "after_next": lambda window: _("more than %(stretch)s ahead") % _stretch(window),
    "ahead": lambda window: _("between %(near)s and %(far)s ahead") % _stretch(window),
}
_HOLIDAY_WORDS: dict[str, Callable[[], str]] = {
    "this_holiday": lambda: _("in the present %(holiday)s"),
    "last_holiday": lambda: _("in the last %(holiday)s"),
    "next_holiday": lambda: _("in the next %(holiday)s"),
}
