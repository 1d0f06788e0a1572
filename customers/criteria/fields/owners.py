"""What a field is a field of: how a condition on it becomes one on customers, and what it holds of one of them.

A negative question about something one has at most one of (a name, an e-mail address, a branch) is the opposite of the
positive one, so it also finds who has none. Of subscriptions one may have several: the question is whether there is one
that fits, also when it is a negative question.
"""

from __future__ import annotations

import datetime as dt
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, Literal

from django import forms
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.expressions import Combinable
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common.criteria import Params
from common.time import local_date
from customers.models import Branch, ContactPoint, Customer, Source, Subscription
from customers.models.querysets import SubscriptionQuerySet

#: Seen of one customer at most; more are counted.
MOST_SHOWN = 5


class Owner(ABC):
    """``one`` says whether a customer has at most one of it."""

    one: bool = True
    group: Any
    params: type[Params] = Params
    form: type[forms.Form] = forms.Form

    @abstractmethod
    def customers(self, condition: Q, params: Any, *, now: dt.datetime) -> Q:
        """Return the condition over customers that theirs meets a condition over it."""

    @abstractmethod
    def held(self, customer: Customer, column: str | Combinable, params: Any, *, now: dt.datetime) -> list[Any]:
        """Return what the field holds of one customer, without what is empty."""

    def having(self, words: str, params: Any) -> str:
        """Return the clause about what is had: "… hebben"."""
        return _("have %(what)s") % {"what": words}


def _known(values: Any) -> list[Any]:
    return [value for value in values if value not in (None, "")]


class Own(Owner):
    """A column of the customer."""

    group = gettext_lazy("Who they are")

    def customers(self, condition: Q, params: Any, *, now: dt.datetime) -> Q:
        return condition

    def held(self, customer: Customer, column: str | Combinable, params: Any, *, now: dt.datetime) -> list[Any]:
        rows = Customer.everyone.filter(pk=customer.pk)
        return _known(rows.annotate(seen=_expression(column)).values_list("seen", flat=True))


class Address(Own):
    """A column of the customer's address."""

    group = gettext_lazy("Where they live")


class Contact(Owner):
    """The primary contact point of a channel."""

    group = gettext_lazy("How to reach them")

    def __init__(self, channel: str) -> None:
        self.channel = channel

    def customers(self, condition: Q, params: Any, *, now: dt.datetime) -> Q:
        points = ContactPoint.objects.filter(condition, channel=self.channel, is_primary=True)
        return Q(pk__in=points.values("customer_id"))

    def held(self, customer: Customer, column: str | Combinable, params: Any, *, now: dt.datetime) -> list[Any]:
        points = ContactPoint.objects.filter(customer=customer, channel=self.channel, is_primary=True)
        return _known(points.annotate(seen=_expression(column)).values_list("seen", flat=True))


class OfBranch(Owner):
    """The branch of the customer."""

    group = gettext_lazy("Who they are")

    def customers(self, condition: Q, params: Any, *, now: dt.datetime) -> Q:
        return Q(branch__in=Branch.objects.filter(condition).order_by().values("pk"))

    def held(self, customer: Customer, column: str | Combinable, params: Any, *, now: dt.datetime) -> list[Any]:
        branches = Branch.objects.filter(pk__in=[customer.branch_id]).order_by()
        return _known(branches.annotate(seen=_expression(column)).values_list("seen", flat=True))


class OfSource(Owner):
    """The source that brought the customer first."""

    group = gettext_lazy("Who they are")

    def customers(self, condition: Q, params: Any, *, now: dt.datetime) -> Q:
        return Q(source__in=Source.objects.filter(condition).order_by().values("pk"))

    def held(self, customer: Customer, column: str | Combinable, params: Any, *, now: dt.datetime) -> list[Any]:
        sources = Source.objects.filter(pk=customer.source_id).order_by()
        return _known(sources.annotate(seen=_expression(column)).values_list("seen", flat=True))


class WhichParams(Params):
    """Of subscriptions that run, or of all there ever were."""

    which: Literal["running", "any"] = "running"


class WhichForm(forms.Form):
    which = forms.ChoiceField(
        label=gettext_lazy("Which subscriptions"),
        choices=[
            ("running", gettext_lazy("running subscriptions")),
            ("any", gettext_lazy("all subscriptions, past and future ones too")),
        ],
        required=False,
        initial="running",
    )


class OfSubscription(Owner):
    """A subscription of the customer, one of perhaps several."""

    one = False
    group = gettext_lazy("Subscriptions")
    params = WhichParams
    form = WhichForm

    def _of(self, subscriptions: SubscriptionQuerySet, params: Any, now: dt.datetime) -> SubscriptionQuerySet:
        return subscriptions.active_on(local_date(now)) if params.which == "running" else subscriptions

    def customers(self, condition: Q, params: Any, *, now: dt.datetime) -> Q:
        own = Subscription.objects.filter(condition, customer=OuterRef("pk"))
        return Q(Exists(self._of(own, params, now)))

    def held(self, customer: Customer, column: str | Combinable, params: Any, *, now: dt.datetime) -> list[Any]:
        own = self._of(Subscription.objects.filter(customer=customer), params, now)
        rows = own.annotate(seen=_expression(column)).order_by("started_on", "pk").values_list("seen", flat=True)
        return _known(rows)

    def having(self, words: str, params: Any) -> str:
        if params.which == "running":
            return _("have a running subscription with %(what)s") % {"what": words}
        return _("have or had a subscription with %(what)s") % {"what": words}


def _expression(column: str | Combinable) -> Any:
    return F(column) if isinstance(column, str) else column


def shown(values: list[Any], words: Callable[[Any], str]) -> str:
    """Return what a field holds in words: "“Edam”", "“a”, “b” and 3 more"; empty text for nothing."""
    texts = list(dict.fromkeys(words(value) for value in values))
    more = len(texts) - MOST_SHOWN
    listed = ", ".join(texts[:MOST_SHOWN])
    return _("%(values)s and %(more)d more") % {"values": listed, "more": more} if more > 0 else listed
