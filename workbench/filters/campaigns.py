"""The filters above the lists of campaigns and participants."""

from __future__ import annotations

import django_filters
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from campaigns.models import Campaign, Enrolment
from customers.models import Customer


class CampaignFilter(django_filters.FilterSet):
    q = django_filters.CharFilter(label=_("Search by name"), field_name="name", lookup_expr="icontains")
    kind = django_filters.ChoiceFilter(label=_("Kind"), choices=Campaign.Kind.choices)
    state = django_filters.ChoiceFilter(label=_("State"), choices=Campaign.State.choices)

    class Meta:
        model = Campaign
        fields: list[str] = []


class ParticipantFilter(django_filters.FilterSet):
    q = django_filters.CharFilter(label=_("Search by name or number"), method="search")
    state = django_filters.ChoiceFilter(label=_("State"), choices=Enrolment.State.choices)

    class Meta:
        model = Enrolment
        fields: list[str] = []

    def search(self, queryset: QuerySet[Enrolment], name: str, value: str) -> QuerySet[Enrolment]:
        return queryset.filter(customer__in=Customer.objects.search(value).order_by().values("pk"))
