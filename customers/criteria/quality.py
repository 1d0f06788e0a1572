"""What is wrong with the data of somebody: missing, not right, double, old; the page about quality counts these.

Who has died, or whose data may not be used, is nobody's work any more: only the criterion about that finds them.
"""

from __future__ import annotations

import datetime as dt
from typing import Literal

from dateutil.relativedelta import relativedelta
from django import forms
from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from pydantic import Field

from common.criteria import Criterion, Params
from common.time import local_date
from customers.criteria import wording
from customers.models import (
    Consent,
    ContactPoint,
    Customer,
    CustomerChange,
    FactTotal,
    Guardianship,
    MatchPair,
    Subscription,
)

QUALITY = gettext_lazy("Quality of the data")
ADULT = 16  # from this age on one answers for oneself (AVG 8)

#: The shapes of ``customers.names``, as PostgreSQL reads them.
EMAIL = r"^[a-z0-9!#$%&'*+/=?^_`{|}~.-]+@([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z][a-z0-9-]*[a-z0-9]$"
PHONE = r"^\+(31[1-9][0-9]{8}|(?!31)[1-9][0-9]{7,14})$"
POSTAL_CODE = r"^[1-9][0-9]{3}(?!SA|SD|SS)[A-Z]{2}$"


def living(q: Q) -> Q:
    """Narrow a condition to those about whom something can still be done."""
    return Q(deceased_on__isnull=True, restricted_at__isnull=True) & q


def _points(channel: str) -> QuerySet[ContactPoint]:
    return ContactPoint.objects.filter(customer=OuterRef("pk"), channel=channel)


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

    def to_q(self, params: MissingParams, *, now: dt.datetime) -> Q:
        missing = Q(pk__in=[])
        for field in params.fields:
            missing |= self._missing(field)
        return living(missing)

    def _missing(self, field: str) -> Q:
        if field in ("email", "phone"):
            return ~Q(Exists(_points(field).filter(is_primary=True)))
        return {
            "name": Q(last_name=""),
            "birth_date": Q(birth_date__isnull=True),
            "address": Q(street="") | Q(house_number="") | Q(city=""),
            "postal_code": Q(postal_code=""),
            "branch": Q(branch__isnull=True),
        }[field]

    def sentence(self, params: MissingParams) -> str:
        names = wording.one_of(name.lower() for name in wording.named(params.fields, FIELD_CHOICES))
        return _("have no %(fields)s") % {"fields": names}


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

    def to_q(self, params: InvalidParams, *, now: dt.datetime) -> Q:
        invalid = Q(pk__in=[])
        for field in params.fields:
            invalid |= self._invalid(field, local_date(now))
        return living(invalid)

    def _invalid(self, field: str, today: dt.date) -> Q:
        if field in ("email", "phone"):
            shape = EMAIL if field == "email" else PHONE
            return Q(Exists(_points(field).filter(is_primary=True).exclude(value__regex=shape)))
        if field == "postal_code":
            return ~Q(postal_code="") & ~Q(postal_code__regex=POSTAL_CODE)
        return Q(birth_date__gt=today) | Q(birth_date__lt=today - relativedelta(years=110))

    def sentence(self, params: InvalidParams) -> str:
        names = wording.one_of(name.lower() for name in wording.named(params.fields, INVALID_CHOICES))
        return _("have a %(fields)s that cannot be right") % {"fields": names}


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

    def to_q(self, params: DoubleParams, *, now: dt.datetime) -> Q:
        if params.what == "pair":
            pairs = MatchPair.objects.waiting().order_by()
            return living(Q(pk__in=pairs.values("first")) | Q(pk__in=pairs.values("second")))
        present = ContactPoint.objects.filter(channel=params.what, customer__merged_into__isnull=True)
        shared = present.order_by().values("value").annotate(many=Count("customer")).filter(many__gt=1)
        return living(Q(pk__in=present.filter(value__in=shared.values("value")).values("customer_id")))

    def sentence(self, params: DoubleParams) -> str:
        return {
            "pair": _("may be the same person as another customer"),
            "email": _("share their e-mail address with another customer"),
            "phone": _("share their phone number with another customer"),
        }[params.what]


class StaleParams(Params):
    years: int = Field(default=3, ge=1, le=30)


class StaleForm(forms.Form):
    years = forms.IntegerField(label=gettext_lazy("Nothing heard for … years"), min_value=1, max_value=30, initial=3)


class Stale(Criterion):
    """Of whom nothing was heard for years: no activity, no running subscription, nothing said or changed by hand."""

    code = "quality.stale"
    group = QUALITY
    label = gettext_lazy("Nothing heard for years")
    params = StaleParams
    form = StaleForm

    def to_q(self, params: StaleParams, *, now: dt.datetime) -> Q:
        today = local_date(now)
        day = today - relativedelta(years=params.years)
        since = now - relativedelta(years=params.years)
        own = {"customer": OuterRef("pk")}
        heard = (
            Exists(FactTotal.objects.filter(last_at__gte=since, **own))
            | Exists(Subscription.objects.filter(**own).active_on(today))
            | Exists(Consent.objects.filter(event_at__gte=since, **own))
            | Exists(CustomerChange.objects.filter(changed_at__gte=since, **own))
        )
        older = Q(registered_on__lt=day) | Q(registered_on__isnull=True, created_at__lt=since)
        return living(older & ~Q(heard))

    def sentence(self, params: StaleParams) -> str:
        words = ngettext("have not been heard of for %d year", "have not been heard of for %d years", params.years)
        return words % params.years


class Nothing(Params):
    """There is nothing to fill in."""


class NothingForm(forms.Form):
    pass


class Deceased(Criterion):
    """Who has died."""

    code = "quality.deceased"
    group = QUALITY
    label = gettext_lazy("Has died")
    params = Nothing
    form = NothingForm

    def to_q(self, params: Nothing, *, now: dt.datetime) -> Q:
        return Q(deceased_on__isnull=False, restricted_at__isnull=True)

    def sentence(self, params: Nothing) -> str:
        return _("have died")


class PostParams(Params):
    states: list[Literal["moved", "returned"]] = Field(min_length=1)


POST_CHOICES = [(state.value, state.label) for state in Customer.AddressState if state.value]


class PostForm(forms.Form):
    states = forms.MultipleChoiceField(
        label=gettext_lazy("The address"), choices=POST_CHOICES, widget=forms.CheckboxSelectMultiple
    )


class Post(Criterion):
    """Who moved away, or whose post came back."""

    code = "quality.post"
    group = QUALITY
    label = gettext_lazy("Moved, or post came back")
    params = PostParams
    form = PostForm

    def to_q(self, params: PostParams, *, now: dt.datetime) -> Q:
        return living(Q(address_state__in=params.states))

    def sentence(self, params: PostParams) -> str:
        words = {"moved": _("moved away"), "returned": _("had post that came back")}
        return wording.one_of(words[state] for state in params.states)


class Unguarded(Criterion):
    """Children under 16 of whom no parent or guardian is known, who would have to say yes for them."""

    code = "quality.unguarded"
    group = QUALITY
    label = gettext_lazy("Child without a parent")
    params = Nothing
    form = NothingForm

    def to_q(self, params: Nothing, *, now: dt.datetime) -> Q:
        guarded = Guardianship.objects.filter(child=OuterRef("pk"), guardian__merged_into__isnull=True)
        born = local_date(now) - relativedelta(years=ADULT)
        return living(Q(birth_date__gt=born) & ~Q(Exists(guarded)))

    def sentence(self, params: Nothing) -> str:
        return _("are under 16 and have no parent in the file")


class Wordless(Criterion):
    """Who once said yes, of which is not known to which words; such a yes is hard to prove."""

    code = "quality.wordless"
    group = QUALITY
    label = gettext_lazy("Consent without its words")
    params = Nothing
    form = NothingForm

    def to_q(self, params: Nothing, *, now: dt.datetime) -> Q:
        said = Consent.objects.filter(
            customer=OuterRef("pk"), state=Consent.State.GRANTED, wording_version="", event_at__lte=now
        )
        taken_back = Consent.objects.filter(retracts=OuterRef("pk"), event_at__lte=now)
        return living(Q(Exists(said.exclude(Exists(taken_back)))))

    def sentence(self, params: Nothing) -> str:
        return _("said yes, without it being known to which words")


CRITERIA: tuple[Criterion, ...] = (
    Missing(), Invalid(), Double(), Stale(), Deceased(), Post(), Unguarded(), Wordless(),
)  # fmt: skip
