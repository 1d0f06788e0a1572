"""What became of somebody: died, moved, not heard of, a child without a parent, a yes without its words."""

from __future__ import annotations

import datetime as dt
from typing import Literal

from dateutil.relativedelta import relativedelta
from django import forms
from django.db.models import Exists, OuterRef, Q
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from pydantic import Field

from common.criteria import Criterion, Params
from common.time import local_date
from customers.criteria import forgetting, wording
from customers.criteria.ages import born
from customers.criteria.keeping import removed_before
from customers.criteria.quality.base import ADULT, QUALITY, Nothing, NothingForm, living
from customers.models import (
    Consent,
    Customer,
    CustomerChange,
    Fact,
    FactTotal,
    Guardianship,
    KindSetting,
    Subscription,
)


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
        totals = FactTotal.objects.filter(last_at__gte=since, **own)
        # Who did something after the moment asked about may have done it before as well: his facts tell.
        facts = Fact.objects.filter(occurred_at__gte=since, occurred_at__lt=now, **own)
        heard = (
            Exists(totals.filter(last_at__lt=now))
            | (Exists(totals.filter(last_at__gte=now)) & Exists(facts))
            | Exists(Subscription.objects.filter(**own).active_on(today))
            | Exists(Consent.objects.filter(event_at__gte=since, event_at__lte=now, **own))
            | Exists(CustomerChange.objects.filter(changed_at__gte=since, changed_at__lte=now, **own))
        )
        older = Q(registered_on__lt=day) | Q(registered_on__isnull=True, created_at__lt=since)
        return living(older & ~Q(heard), now=now)

    def gap(self, params: StaleParams, *, now: dt.datetime, present: dt.datetime) -> str:
        """Return that facts, or changes by hand, of the years in question are not kept any more."""
        since = now - relativedelta(years=params.years)
        changes = removed_before("changes", present)
        if (changes and changes > since) or KindSetting.objects.filter(kept_from__gt=since).exists():
            return _("Not everything that was done in those years is kept.")
        return ""

    def seen(self, params: StaleParams, customer: Customer, *, now: dt.datetime) -> str:
        own = {"customer": customer}
        moments = [
            *Fact.objects.filter(occurred_at__lt=now, **own).order_by("-occurred_at").values_list("occurred_at")[:1],
            *FactTotal.objects.filter(last_at__lt=now, **own).order_by("-last_at").values_list("last_at")[:1],
            *Consent.objects.filter(event_at__lte=now, **own).order_by("-event_at").values_list("event_at")[:1],
            *CustomerChange.objects.filter(changed_at__lte=now, **own).order_by("-pk").values_list("changed_at")[:1],
        ]
        if Subscription.objects.filter(**own).active_on(local_date(now)).exists():
            return _("a subscription that runs")
        if not moments:
            return _("nothing ever heard")
        return _("last heard on %(day)s") % {"day": date_format(local_date(max(moments)[0]))}

    def sentence(self, params: StaleParams) -> str:
        words = ngettext("have not been heard of for %d year", "have not been heard of for %d years", params.years)
        return words % params.years


class Deceased(Criterion):
    """Who has died."""

    code = "quality.deceased"
    group = QUALITY
    label = gettext_lazy("Has died")
    params = Nothing
    form = NothingForm

    def to_q(self, params: Nothing, *, now: dt.datetime) -> Q:
        return Q(deceased_on__isnull=False, deceased_on__lte=local_date(now), restricted_at__isnull=True)

    def sentence(self, params: Nothing) -> str:
        return _("have died")

    def seen(self, params: Nothing, customer: Customer, *, now: dt.datetime) -> str:
        if customer.deceased_on is None or customer.deceased_on > local_date(now):
            return _("no date of death")
        return _("died on %(day)s") % {"day": date_format(customer.deceased_on)}


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
    forgets = forgetting.OF_CUSTOMERS

    def to_q(self, params: PostParams, *, now: dt.datetime) -> Q:
        return living(Q(address_state__in=params.states), now=now)

    def sentence(self, params: PostParams) -> str:
        words = {"moved": _("moved away"), "returned": _("had post that came back")}
        return wording.one_of(words[state] for state in params.states)

    def seen(self, params: PostParams, customer: Customer, *, now: dt.datetime) -> str:
        return customer.get_address_state_display().lower()


class Unguarded(Criterion):
    """Children under 16 of whom no parent or guardian is known, who would have to say yes for them."""

    code = "quality.unguarded"
    group = QUALITY
    label = gettext_lazy("Child without a parent")
    params = Nothing
    form = NothingForm

    def to_q(self, params: Nothing, *, now: dt.datetime) -> Q:
        guarded = Guardianship.objects.filter(
            child=OuterRef("pk"), guardian__merged_into__isnull=True, created_at__lte=now
        )
        youngest = local_date(now) - relativedelta(years=ADULT)
        return living(Q(birth_date__isnull=False, birth_date__gt=youngest) & ~Q(Exists(guarded)), now=now)

    def sentence(self, params: Nothing) -> str:
        return _("are under 16 and have no parent in the file")

    def seen(self, params: Nothing, customer: Customer, *, now: dt.datetime) -> str:
        known = Guardianship.objects.filter(child=customer, guardian__merged_into__isnull=True, created_at__lte=now)
        parents = ", ".join(str(one.guardian) for one in known.select_related("guardian"))
        return f"{born(customer, now)}; {_('parent: %s') % parents if parents else _('no parent')}"


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
        return living(Q(Exists(said.exclude(Exists(taken_back)))), now=now)

    def sentence(self, params: Nothing) -> str:
        return _("said yes, without it being known to which words")

    def seen(self, params: Nothing, customer: Customer, *, now: dt.datetime) -> str:
        said = Consent.objects.filter(customer=customer, state=Consent.State.GRANTED, event_at__lte=now)
        bare = said.filter(wording_version="").select_related("purpose").order_by("event_at")
        texts = [f"{one.purpose}, {date_format(local_date(one.event_at))}" for one in bare[:5]]
        return "; ".join(texts) or _("no yes without words")
