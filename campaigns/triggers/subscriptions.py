"""Triggers around the start and the end of a subscription."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django import forms
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from campaigns.triggers.base import TriggerKind
from customers.models import Customer, Subscription


def subscriptions_on(day: dt.date) -> QuerySet[Subscription]:
    """Return the subscriptions that run on ``day``; the end date itself still counts."""
    return Subscription.objects.filter(Q(ended_on__isnull=True) | Q(ended_on__gte=day), started_on__lte=day)


def _ending_for_good(end: dt.date) -> QuerySet[Subscription]:
    """Return those that end on ``end`` and are not followed by another of the same customer: nothing was renewed."""
    later = Subscription.objects.filter(
        Q(ended_on__isnull=True) | Q(ended_on__gt=OuterRef("ended_on")), customer=OuterRef("customer")
    )
    return Subscription.objects.filter(~Exists(later), ended_on=end)


class SubscriptionStartedForm(forms.Form):
    WHICH = [("first", _("only the first subscription ever")), ("each", _("each subscription"))]

    days = forms.IntegerField(
        label=_("Days after the start"), min_value=1, max_value=1095, initial=1,
        help_text=_("Counted in whole days; 1 is the day after."),
    )  # fmt: skip
    which = forms.ChoiceField(label=_("Which subscription counts"), choices=WHICH, initial="first")


class SubscriptionStarted(TriggerKind):
    """A subscription started N days ago and still runs: the moment for an offer 30 or 180 days on."""

    code = "subscription_started"
    label = _("Some days after a subscription started")
    help = _("For example an offer 30 or 180 days after somebody became a member.")
    form = SubscriptionStartedForm

    def candidates(
        self, params: Mapping[str, Any], *, day: dt.date, now: dt.datetime, after: dt.datetime
    ) -> QuerySet[Customer]:
        started = subscriptions_on(day).filter(started_on=day - dt.timedelta(days=params["days"]))
        if params["which"] == "first":
            earlier = Subscription.objects.filter(customer=OuterRef("customer"), started_on__lt=OuterRef("started_on"))
            started = started.filter(~Exists(earlier))
        return Customer.objects.filter(pk__in=started.values("customer"))

    def sentence(self, params: Mapping[str, Any]) -> str:
        days = params["days"]
        words = ngettext("%(days)d day after the start (%(which)s)", "%(days)d days after the start (%(which)s)", days)
        return words % {"days": days, "which": dict(SubscriptionStartedForm.WHICH)[params["which"]]}


class SubscriptionEndsForm(forms.Form):
    days = forms.IntegerField(label=_("Days before the end"), min_value=0, max_value=365, initial=30)


class SubscriptionEnds(TriggerKind):
    """The last subscription ends in N days and nothing follows it."""

    code = "subscription_ends"
    label = _("Subscription is about to end")
    help = _("Some days before the last subscription ends, unless it was renewed.")
    form = SubscriptionEndsForm

    def candidates(
        self, params: Mapping[str, Any], *, day: dt.date, now: dt.datetime, after: dt.datetime
    ) -> QuerySet[Customer]:
        ending = _ending_for_good(day + dt.timedelta(days=params["days"]))
        return Customer.objects.filter(pk__in=ending.values("customer"))

    def is_useful(self, params: Mapping[str, Any], *, day: dt.date, today: dt.date) -> bool:
        return day + dt.timedelta(days=params["days"]) >= today

    def sentence(self, params: Mapping[str, Any]) -> str:
        days = params["days"]
        if not days:
            return str(_("on the last day of the subscription"))
        words = ngettext(
            "%(days)d day before the subscription ends", "%(days)d days before the subscription ends", days
        )
        return words % {"days": days}


class SubscriptionEndedForm(forms.Form):
    days = forms.IntegerField(label=_("Days after the end"), min_value=1, max_value=1095, initial=30)


class SubscriptionEnded(TriggerKind):
    """The last subscription ended N days ago and nothing followed: the moment to win somebody back."""

    code = "subscription_ended"
    label = _("Subscription has ended")
    help = _("Some days after the last subscription ended, for those who did not come back.")
    form = SubscriptionEndedForm

    def candidates(
        self, params: Mapping[str, Any], *, day: dt.date, now: dt.datetime, after: dt.datetime
    ) -> QuerySet[Customer]:
        ended = _ending_for_good(day - dt.timedelta(days=params["days"]))
        return Customer.objects.filter(pk__in=ended.values("customer"))

    def sentence(self, params: Mapping[str, Any]) -> str:
        days = params["days"]
        words = ngettext(
            "%(days)d day after the subscription ended", "%(days)d days after the subscription ended", days
        )
        return words % {"days": days}
