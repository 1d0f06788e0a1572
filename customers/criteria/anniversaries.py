"""Birthdays and anniversaries: days that come back every year."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from functools import reduce
from operator import or_
from typing import Any, Literal

from django import forms
from django.db.models import Exists, Min, OuterRef, Q
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from pydantic import Field, field_validator, model_validator

from common.criteria import Criterion, Params
from common.time import local_date
from customers.criteria import wording
from customers.criteria.ages import born, registered
from customers.criteria.people import WHO
from customers.criteria.windows import AnyWindowForm, WindowForm, WindowParams
from customers.models import Customer, Subscription

LONGEST = 366  # days in which anniversaries are looked for


class BirthdayParams(Params):
    """From ``days_ahead`` days ahead until ``until_days_ahead`` (the same day when empty); 0 is today."""

    days_ahead: int = Field(default=0, ge=0, le=365)
    until_days_ahead: int | None = Field(default=None, ge=0, le=365)

    @model_validator(mode="after")
    def _in_order(self) -> BirthdayParams:
        last = self.until_days_ahead
        if last is not None and not self.days_ahead <= last <= self.days_ahead + 92:
            raise ValueError(_("The period must start before it ends and may last three months at most."))
        return self


class BirthdayForm(forms.Form):
    days_ahead = forms.IntegerField(
        label=gettext_lazy("Birthday in how many days (0 is today)"), min_value=0, max_value=365, initial=0
    )
    until_days_ahead = forms.IntegerField(
        label=gettext_lazy("Until how many days (empty: exactly that day)"),
        required=False,
        min_value=0,
        max_value=365,
    )


class BirthdayAhead(Criterion):
    """Whose birthday comes; who was born on 29 February has it on the 28th in other years."""

    code = "customer.birthday"
    group = WHO
    label = gettext_lazy("Birthday")
    params = BirthdayParams
    form = BirthdayForm

    def to_q(self, params: BirthdayParams, *, now: dt.datetime) -> Q:
        last = params.days_ahead if params.until_days_ahead is None else params.until_days_ahead
        today = local_date(now)
        return recurs("birth_date", today + dt.timedelta(days=params.days_ahead), today + dt.timedelta(days=last + 1))

    def sentence(self, params: BirthdayParams) -> str:
        last = params.until_days_ahead
        if last is not None and last != params.days_ahead:
            return _("have their birthday in %(first)s to %(last)s days") % {
                "first": params.days_ahead,
                "last": last,
            }
        if params.days_ahead == 0:
            return _("have their birthday today")
        words = ngettext("have their birthday in %d day", "have their birthday in %d days", params.days_ahead)
        return words % params.days_ahead

    def seen(self, params: BirthdayParams, customer: Customer, *, now: dt.datetime) -> str:
        return born(customer, now)


def recurs(field: str, first: dt.date, after: dt.date) -> Q:
    """Return the condition that month and day of a date come back within ``[first, after)``, a year at most.

    29 February comes back on the 28th in other years. Per month with the first and last day, so that the index on month
    and day serves it.
    """
    parts = [
        Q(**{f"{field}__month": month, f"{field}__day__gte": low, f"{field}__day__lte": high})
        if low != high
        else Q(**{f"{field}__month": month, f"{field}__day": low})
        for month, low, high in _days_per_month(first, after)
    ]
    return reduce(or_, parts, Q(pk__in=[]))


def _days_per_month(first: dt.date, after: dt.date) -> Iterator[tuple[int, int, int]]:
    """Yield month, first and last day of each month that lies partly in the stretch."""
    day = first
    while day < after:
        next_month = (day.replace(day=1) + dt.timedelta(days=32)).replace(day=1)
        last = min(after, next_month) - dt.timedelta(days=1)
        is_end_of_february = (last.month, last.day) == (2, 28) and next_month - last == dt.timedelta(days=1)
        yield day.month, day.day, 29 if is_end_of_february else last.day
        day = next_month


def earliest(day: dt.date, years: int) -> dt.date:
    """Return the first date that has its so manieth anniversary on that day or later."""
    if years >= day.year:  # before the calendar began
        return dt.date.min
    try:
        return day.replace(year=day.year - years)
    except ValueError:  # 29 February has none in that year, and 28 February had it the day before
        return dt.date(day.year - years, 3, 1)


class AnniversaryParams(WindowParams):
    """``of`` what, in a stretch of days with a beginning and an end, a year at most. ``years`` narrows it to these
    anniversaries, ``every`` to each fifth, tenth, …; neither: each year.
    """

    of: Literal["birth_date", "registered_on", "member"] = "birth_date"
    period: str = "today"
    years: list[int] = Field(default=[], max_length=30)
    every: int | None = Field(default=None, ge=1, le=150)

    @field_validator("years")
    @classmethod
    def _possible(cls, years: list[int]) -> list[int]:
        if any(not 1 <= year <= 150 for year in years):
            raise ValueError(_("An anniversary is one of 1 to 150 years."))
        return sorted(set(years))

    @model_validator(mode="after")
    def _bounded(self) -> AnniversaryParams:
        is_open = self.period in ("ever", "before_last", "after_next") or self.period.startswith(
            ("earlier_", "from_", "until_")
        )
        if is_open or (self.period == "between" and not (self.since and self.until)):
            raise ValueError(_("Choose a period with a beginning and an end."))
        if not self.period.endswith("_holiday") and _length(self) > LONGEST:
            raise ValueError(_("Choose a period of a year at most."))
        return self

    @property
    def numbers(self) -> list[int]:
        """The anniversaries that count, in years; empty for each of them."""
        return sorted({*self.years, *(range(self.every, 151, self.every) if self.every else ())})


def _length(window: WindowParams) -> int:
    """Return how many days a window has, as seen from a day like any other."""
    try:
        first, after = window.days(now=dt.datetime(2026, 6, 15, 12, tzinfo=dt.UTC))
    except OverflowError:
        return LONGEST + 1
    return (after - first).days if first and after else LONGEST + 1


class YearsInput(forms.TextInput):
    """Whole numbers in one line."""

    def format_value(self, value: Any) -> Any:
        return ", ".join(map(str, value)) if isinstance(value, list | tuple) else value

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Any:
        sent = data.getlist(name) if hasattr(data, "getlist") else data.get(name)
        return self.format_value(sent)


class YearsField(forms.CharField):
    """Whole numbers with commas between them."""

    widget = YearsInput

    def to_python(self, value: Any) -> Any:
        parts = [part for part in re.split(r"[\s,;]+", super().to_python(value) or "") if part]
        if any(not part.isdecimal() or len(part) > 3 for part in parts):
            raise forms.ValidationError(_("Write whole numbers with commas between them, such as 10, 25, 40."))
        return [int(part) for part in parts]

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(list(initial or []) != self.to_python(data))


class AnniversaryForm(AnyWindowForm):
    of = forms.ChoiceField(
        label=gettext_lazy("Of what"),
        choices=[
            ("birth_date", gettext_lazy("birthday")),
            ("registered_on", gettext_lazy("registration")),
            ("member", gettext_lazy("first subscription, of who has one that runs")),
        ],
    )
    years = YearsField(
        label=gettext_lazy("Only these years"),
        required=False,
        max_length=200,
        help_text=gettext_lazy("Such as 10, 25, 40. Empty: every year."),
    )
    every = forms.IntegerField(label=gettext_lazy("Or every … years"), required=False, min_value=1, max_value=150)
    field_order = ("of", *WindowForm.WINDOW, "years", "every")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["period"].initial = "today"


class Anniversary(Criterion):
    """Whose birthday or anniversary lies in a stretch of days; who began on 29 February has it on the 28th in other
    years. The day itself is no anniversary.
    """

    code = "customer.anniversary"
    group = WHO
    label = gettext_lazy("Birthday or anniversary")
    params = AnniversaryParams
    form = AnniversaryForm

    def to_q(self, params: AnniversaryParams, *, now: dt.datetime) -> Q:
        first, after = params.days(now=now)
        if first is None or after is None or first >= after:
            return Q(pk__in=[])
        if params.of != "member":
            return Q(**{f"{params.of}__isnull": False}) & self._on(params, params.of, first, after)
        own = Subscription.objects.filter(customer=OuterRef("pk")).order_by()
        earlier = Subscription.objects.filter(customer=OuterRef("customer"), started_on__lt=OuterRef("started_on"))
        first_ones = own.filter(self._on(params, "started_on", first, after)).exclude(Exists(earlier.order_by()))
        return Q(Exists(own.active_on(local_date(now)))) & Q(Exists(first_ones))

    def _on(self, params: AnniversaryParams, field: str, first: dt.date, after: dt.date) -> Q:
        if not params.numbers:
            # The first anniversary is a year later, so what begins in the stretch itself does not count.
            return recurs(field, first, after) & Q(**{f"{field}__lt": earliest(after, 1)})
        parts = [
            Q(**{f"{field}__gte": earliest(first, years), f"{field}__lt": earliest(after, years)})
            for years in params.numbers
            if years < first.year
        ]
        return reduce(or_, parts, Q(pk__in=[]))

    def sentence(self, params: AnniversaryParams) -> str:
        when = params.words()
        if params.of == "birth_date":
            if not params.years and params.every is None:
                return _("have their birthday %(when)s") % {"when": when}
            return _("turn %(years)s %(when)s") % {"years": self._years(params), "when": when}
        years = self._years(params)
        if params.of == "registered_on":
            if not years:
                return _("were registered so many years ago %(when)s") % {"when": when}
            return _("were registered %(years)s years ago %(when)s") % {"years": years, "when": when}
        if not years:
            return _("have been a member for a number of whole years %(when)s") % {"when": when}
        return _("reach %(years)s years of membership %(when)s") % {"years": years, "when": when}

    def _years(self, params: AnniversaryParams) -> str:
        parts = [str(year) for year in params.years]
        if params.every is not None:
            parts.append(_("a multiple of %d") % params.every)
        return wording.one_of(parts)

    def seen(self, params: AnniversaryParams, customer: Customer, *, now: dt.datetime) -> str:
        if params.of == "birth_date":
            return born(customer, now)
        if params.of == "registered_on":
            return registered(customer)
        return member_since(customer)


def member_since(customer: Customer) -> str:
    """Return "first subscription from 3 April 2020"."""
    began = Subscription.objects.filter(customer=customer).aggregate(day=Min("started_on"))["day"]
    if began is None:
        return _("never a subscription")
    return _("first subscription from %(day)s") % {"day": date_format(began)}
