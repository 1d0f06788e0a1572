"""What somebody has a subscription to: which type, for how long, until when, and what is past."""

from __future__ import annotations

import datetime as dt
from typing import Any

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
from customers.criteria.people import Bounds, BoundsForm
from customers.models import Customer, Subscription
from customers.models.querysets import SubscriptionQuerySet

GROUP = gettext_lazy("Subscriptions")


def _own() -> SubscriptionQuerySet:
    return Subscription.objects.filter(customer=OuterRef("pk"))


def subscriptions_of(customer: Customer, *, now: dt.datetime) -> str:
    """Return the subscriptions that had begun by then, the newest three: "Jeugd, 3 April 2020 to 1 May 2024"."""
    begun = Subscription.objects.filter(customer=customer, started_on__lte=local_date(now))
    texts = [
        _("%(name)s, from %(start)s to %(end)s")
        % {"name": one.name, "start": date_format(one.started_on), "end": date_format(one.ended_on)}
        if one.ended_on
        else _("%(name)s, since %(start)s") % {"name": one.name, "start": date_format(one.started_on)}
        for one in begun.order_by("-started_on", "-pk")[:3]
    ]
    return "; ".join(texts) or _("never a subscription")


class SubscriptionCriterion(Criterion):
    """What the criteria about subscriptions share: they see the same, and which ran is known of any day."""

    group = GROUP

    def seen(self, params: Any, customer: Customer, *, now: dt.datetime) -> str:
        return subscriptions_of(customer, now=now)


class HasParams(Params):
    """A running subscription of one of the types and payment methods; an empty list means any."""

    types: list[str] = []
    payment_methods: list[Subscription.PaymentMethod] = []


class HasForm(forms.Form):
    types = forms.MultipleChoiceField(
        label=gettext_lazy("Type of subscription (none: any)"),
        required=False,
        choices=wording.subscription_types,
        widget=forms.CheckboxSelectMultiple,
    )
    payment_methods = forms.MultipleChoiceField(
        label=gettext_lazy("Payment method (none: any)"),
        required=False,
        choices=Subscription.PaymentMethod,
        widget=forms.CheckboxSelectMultiple,
    )


class HasSubscription(SubscriptionCriterion):
    """Whether a subscription runs today."""

    code = "subscriptions.has"
    label = gettext_lazy("Has a running subscription")
    params = HasParams
    form = HasForm

    def to_q(self, params: HasParams, *, now: dt.datetime) -> Q:
        own = _own().active_on(local_date(now))
        if params.types:
            own = own.filter(type__in=params.types)
        if params.payment_methods:
            own = own.filter(payment_method__in=params.payment_methods)
        return Q(Exists(own))

    def sentence(self, params: HasParams) -> str:
        types = wording.one_of(wording.named(params.types, wording.subscription_types()) if params.types else [])
        methods = wording.one_of(str(method.label).lower() for method in params.payment_methods)
        if types and methods:
            return _("have a subscription %(types)s paid by %(methods)s") % {
                "types": types,
                "methods": methods,
            }
        if types:
            return _("have a subscription %(types)s") % {"types": types}
        if methods:
            return _("have a subscription paid by %(methods)s") % {"methods": methods}
        return _("have a running subscription")

    def gap(self, params: HasParams, *, now: dt.datetime, present: dt.datetime) -> str:
        """Return that how somebody paid then is not kept; the days and the type of a subscription are."""
        return str(forgetting.OF_SUBSCRIPTIONS) if params.payment_methods else ""

    def check(self, params: HasParams) -> None:
        if params.types:
            wording.require_known(params.types, dict(wording.subscription_types()), field="types")


class MemberYears(SubscriptionCriterion):
    """Whole years since the first subscription, of those who have one that runs."""

    code = "subscriptions.years"
    label = gettext_lazy("Years of membership")
    params = Bounds
    form = BoundsForm

    def to_q(self, params: Bounds, *, now: dt.datetime) -> Q:
        today = local_date(now)
        own = _own()
        q = Q(Exists(own.active_on(today)))
        if params.at_least is not None:
            q &= Q(Exists(own.filter(started_on__lte=today - relativedelta(years=params.at_least))))
        if params.at_most is not None:
            q &= ~Q(Exists(own.filter(started_on__lte=today - relativedelta(years=params.at_most + 1))))
        return q

    def sentence(self, params: Bounds) -> str:
        return _("have been a member for %(years)s years") % {"years": wording.between(params.at_least, params.at_most)}


class DaysParams(Params):
    days: int = Field(ge=0, le=3650)


class EndsForm(forms.Form):
    days = forms.IntegerField(label=gettext_lazy("Ends in the coming … days"), min_value=0, max_value=3650)


class EndsSoon(SubscriptionCriterion):
    """Whose subscription ends soon, without another that runs on: an empty end date runs on."""

    code = "subscriptions.ends"
    label = gettext_lazy("Subscription ends soon")
    forgets = forgetting.OF_ENDS
    params = DaysParams
    form = EndsForm

    def to_q(self, params: DaysParams, *, now: dt.datetime) -> Q:
        today = local_date(now)
        last = today + dt.timedelta(days=params.days)
        own = _own()
        # What runs and does not run on ends by then; asked so, the index on end dates finds it.
        ends = own.filter(started_on__lte=today, ended_on__gte=today, ended_on__lte=last)
        return Q(Exists(ends)) & ~Q(Exists(own.filter(Q(ended_on__isnull=True) | Q(ended_on__gt=last))))

    def sentence(self, params: DaysParams) -> str:
        words = ngettext(
            "have a subscription that ends within %d day",
            "have a subscription that ends within %d days",
            params.days,
        )
        return words % params.days


class HadForm(forms.Form):
    days = forms.IntegerField(label=gettext_lazy("Ended in the past … days"), min_value=0, max_value=3650)


class HadSubscription(SubscriptionCriterion):
    """Whose last subscription ended recently and who has none that runs."""

    code = "subscriptions.ended"
    label = gettext_lazy("Subscription has ended")
    params = DaysParams
    form = HadForm

    def to_q(self, params: DaysParams, *, now: dt.datetime) -> Q:
        today = local_date(now)
        own = _own()
        ended = own.filter(ended_on__lt=today, ended_on__gte=today - dt.timedelta(days=params.days))
        return Q(Exists(ended)) & ~Q(Exists(own.active_on(today)))

    def sentence(self, params: DaysParams) -> str:
        words = ngettext(
            "have no subscription any more since at most %d day",
            "have no subscription any more since at most %d days",
            params.days,
        )
        return words % params.days
