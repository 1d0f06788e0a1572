"""Where somebody lives, with how many, and how to reach them."""

from __future__ import annotations

import datetime as dt
import re
from typing import Literal

from dateutil.relativedelta import relativedelta
from django import forms
from django.db.models import Count, Q
from django.db.models.lookups import Exact
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from pydantic import Field, field_validator, model_validator

from common.criteria import Criterion, Params
from common.time import local_date
from customers.criteria import forgetting, wording
from customers.criteria.fields.base import IndexedPlain, plain
from customers.criteria.people import Bounds, BoundsForm
from customers.models import ContactPoint, Customer
from customers.values import HOMES_FORGET

REACH = gettext_lazy("How to reach them")
HOME = gettext_lazy("Where they live")

_POSTAL_PART = re.compile(r"^([1-9]\d{3})(?:([A-Z]{2})|-([1-9]\d{3}))?$")


class PlaceParams(Params):
    """Places by name, and postal codes as ``1441-1448, 1131, 1135AB``; either is enough."""

    cities: str = Field(default="", max_length=500)
    postal_codes: str = Field(default="", max_length=500)

    @field_validator("postal_codes")
    @classmethod
    def _readable(cls, value: str) -> str:
        for part in _parts(value):
            match = _POSTAL_PART.match(_squeezed(part))
            if not match:
                raise ValueError(_("“%s” is no postal code or range; write 1441, 1441AB or 1441-1448.") % part)
            if match[3] and match[3] < match[1]:
                raise ValueError(_("Write the lowest postal code of “%s” first.") % part)
        return value

    @model_validator(mode="after")
    def _something(self) -> PlaceParams:
        if not _parts(self.cities) and not _parts(self.postal_codes):
            raise ValueError(_("Fill in at least one of the two."))
        return self


class PlaceForm(forms.Form):
    cities = forms.CharField(label=gettext_lazy("Places, with commas between them"), required=False, max_length=500)
    postal_codes = forms.CharField(
        label=gettext_lazy("Postal codes, such as 1441-1448, 1131, 1135AB"), required=False, max_length=500
    )


class LivesIn(Criterion):
    """Place or postal code of the address."""

    code = "customer.place"
    group = HOME
    forgets = forgetting.OF_ADDRESSES
    label = gettext_lazy("Place or postal code")
    params = PlaceParams
    form = PlaceForm

    def to_q(self, params: PlaceParams, *, now: dt.datetime) -> Q:
        q = Q(pk__in=[])
        for city in _parts(params.cities):
            q |= Q(Exact(IndexedPlain("city"), plain(city)))
        for part in _parts(params.postal_codes):
            match = _POSTAL_PART.match(_squeezed(part))
            if match and match[2]:
                q |= Q(postal_code=match[1] + match[2])
            elif match:  # up to the last letters: of 9999 there is no next one to stay below
                q |= Q(postal_code__gte=match[1], postal_code__lte=f"{match[3] or match[1]}ZZ")
        return q

    def sentence(self, params: PlaceParams) -> str:
        places = wording.one_of(_parts(params.cities) + [_squeezed(part) for part in _parts(params.postal_codes)])
        return _("live in %(places)s") % {"places": places}

    def seen(self, params: PlaceParams, customer: Customer, *, now: dt.datetime) -> str:
        return f"{customer.postal_code} {customer.city}".strip() or _("no address")


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _squeezed(part: str) -> str:
    return re.sub(r"\s", "", part).upper()


class HouseholdSize(Criterion):
    """How many known customers share the address; without a complete address somebody counts as one."""

    code = "customer.household"
    group = HOME
    forgets = HOMES_FORGET
    label = gettext_lazy("Size of the household")
    params = Bounds
    form = BoundsForm

    def to_q(self, params: Bounds, *, now: dt.datetime) -> Q:
        sizes = Customer.objects.filter(household__isnull=False).order_by().values("household")
        sizes = sizes.annotate(size=Count("pk"))
        if params.at_least is not None:
            sizes = sizes.filter(size__gte=params.at_least)
        if params.at_most is not None:
            sizes = sizes.filter(size__lte=params.at_most)
        alone = Q(household__isnull=True) if _holds_one(params) else Q()
        return Q(household__in=sizes.values("household")) | alone

    def sentence(self, params: Bounds) -> str:
        size = wording.between(params.at_least, params.at_most)
        return _("live in a household of %(size)s customers") % {"size": size}

    def seen(self, params: Bounds, customer: Customer, *, now: dt.datetime) -> str:
        if customer.household_id is None:
            return _("no complete address, so alone")
        size = Customer.objects.filter(household=customer.household_id).count()
        return ngettext("%d customer at this address", "%d customers at this address", size) % size


def _holds_one(params: Bounds) -> bool:
    return (params.at_least or 0) <= 1 and (params.at_most is None or params.at_most >= 1)


class ChildrenParams(Bounds):
    """Others in the household who are younger than ``under`` years."""

    under: int = Field(default=12, ge=1, le=30)


class ChildrenForm(BoundsForm):
    at_least = forms.IntegerField(label=gettext_lazy("At least"), required=False, min_value=0, max_value=200, initial=1)
    under = forms.IntegerField(
        label=gettext_lazy("Children younger than … years"), min_value=1, max_value=30, initial=12
    )
    field_order = ("under", "at_least", "at_most")


class Children(Criterion):
    """How many other people in the household are known to be younger than so many years; a child itself is not counted.

    Without a complete address, and of whom nobody knows the birth date, there are none.
    """

    code = "household.children"
    group = HOME
    label = gettext_lazy("Children in the household")
    params = ChildrenParams
    form = ChildrenForm
    forgets = HOMES_FORGET

    def to_q(self, params: ChildrenParams, *, now: dt.datetime) -> Q:
        young = self._young(params, now)
        return (~young & self._having(params, young, 0)) | (young & self._having(params, young, 1))

    def _young(self, params: ChildrenParams, now: dt.datetime) -> Q:
        today = local_date(now)
        born = Q(birth_date__isnull=False, birth_date__gt=today - relativedelta(years=params.under))
        return born & Q(birth_date__lte=today) & (Q(deceased_on__isnull=True) | Q(deceased_on__gt=today))

    def _having(self, params: ChildrenParams, young: Q, own: int) -> Q:
        """Return who has so many children around, besides the ``own`` that the customer himself is."""
        homes = Customer.objects.filter(young, household__isnull=False).order_by().values("household")
        homes = homes.annotate(children=Count("pk"))
        low, high = params.at_least or 0, params.at_most
        q = Q(household__in=homes.filter(children__gte=low + own).values("household")) if low else Q(pk__isnull=False)
        if high is not None:
            q &= ~Q(household__in=homes.filter(children__gt=high + own).values("household"))
        return q

    def sentence(self, params: ChildrenParams) -> str:
        values = {"children": wording.between(params.at_least, params.at_most), "age": params.under}
        return _("have %(children)s children under %(age)s in the household") % values

    def seen(self, params: ChildrenParams, customer: Customer, *, now: dt.datetime) -> str:
        if customer.household_id is None:
            return _("no complete address, so alone")
        others = Customer.objects.filter(self._young(params, now), household=customer.household_id)
        many = others.exclude(pk=customer.pk).count()
        return ngettext("%d child in the household", "%d children in the household", many) % many


class ReachableParams(Params):
    by: list[Literal["email", "phone", "address"]] = Field(min_length=1)


class ReachableForm(forms.Form):
    by = forms.MultipleChoiceField(
        label=gettext_lazy("All of these are known"),
        choices=[
            ("email", gettext_lazy("E-mail address")),
            ("phone", gettext_lazy("Phone number")),
            ("address", gettext_lazy("Address")),
        ],
        widget=forms.CheckboxSelectMultiple,
    )


class Reachable(Criterion):
    """Whether an e-mail address, a phone number or a complete address is known; permission is another
    question.
    """

    code = "customer.reachable"
    forgets = forgetting.OF_POINTS
    group = REACH
    label = gettext_lazy("Has an e-mail address, phone number or address")
    params = ReachableParams
    form = ReachableForm

    def to_q(self, params: ReachableParams, *, now: dt.datetime) -> Q:
        q = Q()
        for way in params.by:
            if way == "address":
                q &= ~Q(street="") & ~Q(postal_code="") & ~Q(city="")
            else:
                points = ContactPoint.objects.filter(channel=way, is_primary=True)
                q &= Q(pk__in=points.values("customer_id"))
        return q

    def sentence(self, params: ReachableParams) -> str:
        names = {"email": _("an e-mail address"), "phone": _("a phone number"), "address": _("an address")}
        return _("have %(ways)s") % {"ways": _(" and ").join(names[way] for way in params.by)}

    def seen(self, params: ReachableParams, customer: Customer, *, now: dt.datetime) -> str:
        names = {"email": _("an e-mail address"), "phone": _("a phone number"), "address": _("an address")}
        known = set(ContactPoint.objects.filter(customer=customer, is_primary=True).values_list("channel", flat=True))
        if customer.street and customer.postal_code and customer.city:
            known.add("address")
        told = [names[way] if way in known else _("not %(what)s") % {"what": names[way]} for way in params.by]
        return ", ".join(told)
