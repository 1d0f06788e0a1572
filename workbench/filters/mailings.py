"""The filters above the lists of mailings, messages, decisions and blocked addresses."""

from __future__ import annotations

from typing import Any

import django_filters
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from customers.models import Customer, Purpose
from mailings.models import Decision, Mailing, Message, Suppression


class MailingFilter(django_filters.FilterSet):
    q = django_filters.CharFilter(label=_("Search by name"), field_name="name", lookup_expr="icontains")
    purpose = django_filters.ModelChoiceFilter(label=_("Purpose"), queryset=Purpose.objects.all())
    state = django_filters.ChoiceFilter(label=_("State"), choices=Mailing.State.choices)

    class Meta:
        model = Mailing
        fields: list[str] = []


class MessageFilter(django_filters.FilterSet):
    q = django_filters.CharFilter(label=_("Search by customer or address"), method="search")
    state = django_filters.ChoiceFilter(label=_("State"), choices=Message.State.choices)
    channel = django_filters.ChoiceFilter(label=_("Channel"), choices=Message.Channel.choices)
    reply = django_filters.CharFilter(label=_("What the server said"), lookup_expr="icontains")

    class Meta:
        model = Message
        fields: list[str] = []

    def search(self, queryset: QuerySet[Message], name: str, value: str) -> QuerySet[Message]:
        return queryset.filter(
            Q(address__icontains=value) | Q(customer__in=Customer.objects.search(value).values("pk"))
        )


class DecisionFilter(django_filters.FilterSet):
    q = django_filters.CharFilter(label=_("Search by customer"), method="search")
    outcome = django_filters.ChoiceFilter(label=_("Outcome"), choices=Decision.Outcome.choices)

    class Meta:
        model = Decision
        fields: list[str] = []

    def search(self, queryset: QuerySet[Decision], name: str, value: str) -> QuerySet[Decision]:
        return queryset.filter(customer__in=Customer.objects.search(value).values("pk"))


class SuppressionFilter(django_filters.FilterSet):
    q = django_filters.CharFilter(label=_("Search by address"), field_name="address", lookup_expr="icontains")
    reason = django_filters.ChoiceFilter(label=_("Reason"), choices=Suppression.Reason.choices)

    class Meta:
        model = Suppression
        fields: list[str] = []


class DoubtFilter(django_filters.FilterSet):
    q = django_filters.CharFilter(label=_("Search by customer or address"), method="search")
    mailing = django_filters.ModelChoiceFilter(label=_("Mailing"), queryset=Mailing.objects.none())

    class Meta:
        model = Message
        fields: list[str] = []

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        doubtful = Message.objects.in_doubt().order_by()
        self.filters["mailing"].queryset = Mailing.objects.filter(pk__in=doubtful.values("mailing"))

    def search(self, queryset: QuerySet[Message], name: str, value: str) -> QuerySet[Message]:
        return MessageFilter.search(self, queryset, name, value)
