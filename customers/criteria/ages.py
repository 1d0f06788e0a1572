"""Age, and how long ago somebody was registered."""

from __future__ import annotations

import datetime as dt
from typing import Literal

from django import forms
from django.db.models import Q
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from pydantic import Field, model_validator

from common.criteria import Criterion, Params
from common.time import local_date
from customers.criteria import wording
from customers.criteria.people import WHO, Bounds, BoundsForm
from customers.criteria.windows import back, counted
from customers.models import Customer


def born(customer: Customer, now: dt.datetime, *, in_months: bool = False) -> str:
    """Return "born 3 April 1980, so 46 years old"."""
    if customer.birth_date is None:
        return _("no birth date")
    today, birth = local_date(now), customer.birth_date
    if birth > today:
        return _("to be born on %(day)s") % {"day": date_format(birth)}
    months = (today.year - birth.year) * 12 + today.month - birth.month - (today.day < birth.day)
    old = counted(max(months, 0), "month") if in_months else counted(max(months // 12, 0), "year")
    return _("born %(day)s, so %(age)s old") % {"day": date_format(customer.birth_date), "age": old}


class AgeParams(Bounds):
    """In whole years, or months for the very young."""

    at_least: int | None = Field(default=None, ge=0, le=2400)
    at_most: int | None = Field(default=None, ge=0, le=2400)
    unit: Literal["year", "month"] = "year"

    @model_validator(mode="after")
    def _human(self) -> AgeParams:
        if self.unit == "year" and max(self.at_least or 0, self.at_most or 0) > 200:
            raise ValueError(_("Nobody gets that old."))
        return self


class AgeForm(BoundsForm):
    at_least = forms.IntegerField(label=gettext_lazy("At least"), required=False, min_value=0, max_value=2400)
    at_most = forms.IntegerField(label=gettext_lazy("At most"), required=False, min_value=0, max_value=2400)
    unit = forms.ChoiceField(
        label=gettext_lazy("In"),
        choices=[("year", gettext_lazy("years")), ("month", gettext_lazy("months"))],
        required=False,
        initial="year",
    )


class AgeBetween(Criterion):
    """Age in whole years (or months) today; unknown birth dates, and those still to come, never match."""

    code = "customer.age"
    group = WHO
    label = gettext_lazy("Age")
    params = AgeParams
    form = AgeForm

    def to_q(self, params: AgeParams, *, now: dt.datetime) -> Q:
        today = local_date(now)
        q = Q(birth_date__isnull=False, birth_date__lte=back(today, params.at_least or 0, params.unit))
        if params.at_most is not None:
            q &= Q(birth_date__gt=back(today, params.at_most + 1, params.unit))
        return q

    def sentence(self, params: AgeParams) -> str:
        age = {"age": wording.between(params.at_least, params.at_most)}
        return (_("are %(age)s months old") if params.unit == "month" else _("are %(age)s years old")) % age

    def seen(self, params: AgeParams, customer: Customer, *, now: dt.datetime) -> str:
        return born(customer, now, in_months=params.unit == "month")


def registered(customer: Customer) -> str:
    """Return "registered on 3 April 2020"."""
    if customer.registered_on is None:
        return _("no registration date")
    return _("registered on %(day)s") % {"day": date_format(customer.registered_on)}


class RegisteredParams(Params):
    """Registered in the past N days, today included, or longer ago than N days."""

    within_days: int | None = Field(default=None, ge=0, le=36500)
    more_than_days: int | None = Field(default=None, ge=0, le=36500)

    @model_validator(mode="after")
    def _something(self) -> RegisteredParams:
        if self.within_days is None and self.more_than_days is None:
            raise ValueError(_("Fill in at least one of the two."))
        return self


class RegisteredForm(forms.Form):
    within_days = forms.IntegerField(
        label=gettext_lazy("Registered in the past … days"), required=False, min_value=0, max_value=36500
    )
    more_than_days = forms.IntegerField(
        label=gettext_lazy("Registered more than … days ago"), required=False, min_value=0, max_value=36500
    )


class RegisteredSince(Criterion):
    """How long ago somebody was registered."""

    code = "customer.registered"
    group = WHO
    label = gettext_lazy("Registered since")
    params = RegisteredParams
    form = RegisteredForm

    def to_q(self, params: RegisteredParams, *, now: dt.datetime) -> Q:
        today, q = local_date(now), Q(registered_on__lte=local_date(now))
        if params.within_days is not None:
            q &= Q(registered_on__gte=today - dt.timedelta(days=params.within_days))
        if params.more_than_days is not None:
            q &= Q(registered_on__lt=today - dt.timedelta(days=params.more_than_days))
        return q

    def sentence(self, params: RegisteredParams) -> str:
        if params.within_days is None:
            return _("were registered more than %(days)s days ago") % {"days": params.more_than_days}
        if params.more_than_days is None:
            return _("were registered in the past %(days)s days") % {"days": params.within_days}
        return _("were registered from %(first)s to %(last)s days ago") % {
            "first": params.more_than_days + 1,
            "last": params.within_days,
        }

    def seen(self, params: RegisteredParams, customer: Customer, *, now: dt.datetime) -> str:
        return registered(customer)
