"""Data of somebody that is missing, cannot be right, or is double."""

from __future__ import annotations

import datetime as dt
from typing import Literal

from dateutil.relativedelta import relativedelta
from django import forms
from django.db.models import Count, Exists, Q
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from pydantic import Field

from common.criteria import Criterion, Params
from common.time import local_date
from customers.criteria import forgetting, wording
from customers.criteria.quality.base import QUALITY, living, points_of
from customers.models import ContactPoint, Customer, MatchPair

#: The shapes of ``customers.names``, as PostgreSQL reads them.
EMAIL = r"^[a-z0-9!#$%&'*+/=?^_`{|}~.-]+@([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z][a-z0-9-]*[a-z0-9]$"
PHONE = r"^\+(31[1-9][0-9]{8}|(?!31)[1-9][0-9]{7,14})$"
POSTAL_CODE = r"^[1-9][0-9]{3}(?!SA|SD|SS)[A-Z]{2}$"


class MissingParams(Params):
    fields: list[Literal["email", "phone", "birth_date", "address", "postal_code", "branch", "name"]] = Field(
        min_length=1
    )


FIELD_CHOICES = [
    ("name", gettext_lazy("Last name")),
    ("email", gettext_lazy("E-mail address")),
    ("phone", gettext_lazy("Phone number")),
    ("birth_date", gettext_lazy("Birth date")),
    ("address", gettext_lazy("Address")),
    ("postal_code", gettext_lazy("Postal code")),
    ("branch", gettext_lazy("Branch")),
]


def held(customer: Customer, fields: list[str], choices: wording.Choices) -> str:
    """Return what is known in these fields: "e-mail address: a@b.nl, no birth date"."""
    points = dict(ContactPoint.objects.filter(customer=customer, is_primary=True).values_list("channel", "value"))
    values = {
        "name": customer.last_name,
        "email": points.get("email", ""),
        "phone": points.get("phone", ""),
        "birth_date": date_format(customer.birth_date) if customer.birth_date else "",
        "address": f"{customer.street} {customer.house_number} {customer.city}".strip(),
        "postal_code": customer.postal_code,
        "branch": str(customer.branch or ""),
    }
    names = dict(choices)
    texts = [
        f"{str(names[field]).lower()}: {values[field]}"
        if values[field]
        else _("no %(fields)s") % {"fields": str(names[field]).lower()}
        for field in fields
    ]
    return ", ".join(texts)


class MissingForm(forms.Form):
    fields = forms.MultipleChoiceField(  # type: ignore[assignment]
        label=gettext_lazy("One of these is missing"), choices=FIELD_CHOICES, widget=forms.CheckboxSelectMultiple
    )


class Missing(Criterion):
    """Of whom one of the chosen fields is not known."""

    code = "quality.missing"
    group = QUALITY
    label = gettext_lazy("Something is missing")
    params = MissingParams
    form = MissingForm
    forgets = forgetting.OF_CUSTOMERS

    def to_q(self, params: MissingParams, *, now: dt.datetime) -> Q:
        missing = Q(pk__in=[])
        for field in params.fields:
            missing |= self._missing(field)
        return living(missing, now=now)

    def _missing(self, field: str) -> Q:
        if field in ("email", "phone"):
            return ~Q(Exists(points_of(field).filter(is_primary=True)))
        return {
            "name": Q(last_name=""),
            "birth_date": Q(birth_date__isnull=True),
            "address": Q(street="") | Q(house_number="") | Q(city=""),
            "postal_code": Q(postal_code=""),
            "branch": Q(branch__isnull=True),
        }[field]

    def sentence(self, params: MissingParams) -> str:
        names = wording.named(params.fields, FIELD_CHOICES)
        return _("have %(what)s") % {"what": wording.one_of(_("no %(fields)s") % {"fields": n.lower()} for n in names)}

    def seen(self, params: MissingParams, customer: Customer, *, now: dt.datetime) -> str:
        return held(customer, list(params.fields), FIELD_CHOICES)


class InvalidParams(Params):
    fields: list[Literal["email", "phone", "postal_code", "birth_date"]] = Field(min_length=1)


INVALID_CHOICES = [choice for choice in FIELD_CHOICES if choice[0] in ("email", "phone", "postal_code", "birth_date")]


class InvalidForm(forms.Form):
    fields = forms.MultipleChoiceField(  # type: ignore[assignment]
        label=gettext_lazy("One of these cannot be right"),
        choices=INVALID_CHOICES,
        widget=forms.CheckboxSelectMultiple,
    )


class Invalid(Criterion):
    """Of whom one of the chosen fields has a shape that cannot exist."""

    code = "quality.invalid"
    group = QUALITY
    label = gettext_lazy("Something is not right")
    params = InvalidParams
    form = InvalidForm
    forgets = forgetting.OF_CUSTOMERS

    def to_q(self, params: InvalidParams, *, now: dt.datetime) -> Q:
        invalid = Q(pk__in=[])
        for field in params.fields:
            invalid |= self._invalid(field, local_date(now))
        return living(invalid, now=now)

    def _invalid(self, field: str, today: dt.date) -> Q:
        if field in ("email", "phone"):
            shape = EMAIL if field == "email" else PHONE
            return Q(Exists(points_of(field).filter(is_primary=True).exclude(value__regex=shape)))
        if field == "postal_code":
            return ~Q(postal_code="") & ~Q(postal_code__regex=POSTAL_CODE)
        return Q(birth_date__gt=today) | Q(birth_date__lt=today - relativedelta(years=110))

    def sentence(self, params: InvalidParams) -> str:
        names = wording.one_of(name.lower() for name in wording.named(params.fields, INVALID_CHOICES))
        return _("have something impossible as %(fields)s") % {"fields": names}

    def seen(self, params: InvalidParams, customer: Customer, *, now: dt.datetime) -> str:
        return held(customer, list(params.fields), INVALID_CHOICES)


class DoubleParams(Params):
    what: Literal["pair", "email", "phone"]


DOUBLE_CHOICES = [
    ("pair", gettext_lazy("May be the same person as another customer")),
    ("email", gettext_lazy("Shares the e-mail address with another customer")),
    ("phone", gettext_lazy("Shares the phone number with another customer")),
]


class DoubleForm(forms.Form):
    what = forms.ChoiceField(label=gettext_lazy("What is double"), choices=DOUBLE_CHOICES, widget=forms.RadioSelect)


class Double(Criterion):
    """Who may be known twice: a pair that nobody judged yet, or an address or number of several customers."""

    code = "quality.double"
    group = QUALITY
    label = gettext_lazy("May be double")
    params = DoubleParams
    form = DoubleForm
    forgets = forgetting.OF_CUSTOMERS

    def to_q(self, params: DoubleParams, *, now: dt.datetime) -> Q:
        if params.what == "pair":
            pairs = MatchPair.objects.waiting().order_by()
            return living(Q(pk__in=pairs.values("first")) | Q(pk__in=pairs.values("second")), now=now)
        present = ContactPoint.objects.filter(channel=params.what, customer__merged_into__isnull=True)
        shared = present.order_by().values("value").annotate(many=Count("customer")).filter(many__gt=1)
        return living(Q(pk__in=present.filter(value__in=shared.values("value")).values("customer_id")), now=now)

    def sentence(self, params: DoubleParams) -> str:
        return {
            "pair": _("may be the same person as another customer"),
            "email": _("share their e-mail address with another customer"),
            "phone": _("share their phone number with another customer"),
        }[params.what]

    def seen(self, params: DoubleParams, customer: Customer, *, now: dt.datetime) -> str:
        if params.what == "pair":
            waiting = MatchPair.objects.waiting().filter(Q(first=customer) | Q(second=customer)).select_related()
            others = [pair.second if pair.first_id == customer.pk else pair.first for pair in waiting]
        else:
            mine = ContactPoint.objects.filter(customer=customer, channel=params.what).values("value")
            same = ContactPoint.objects.filter(channel=params.what, value__in=mine, customer__merged_into__isnull=True)
            others = list(Customer.objects.filter(pk__in=same.values("customer_id")).exclude(pk=customer.pk))
        numbers = ", ".join(other.number for other in others[:5])
        return _("like customer %(numbers)s") % {"numbers": numbers} if others else _("like nobody else")
