"""The filters above the list of merges."""

from __future__ import annotations

import django_filters
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from customers.models import Customer, Merge


class MergeFilter(django_filters.FilterSet):
    q = django_filters.CharFilter(label=_("Name or number"), method="by_name")
    state = django_filters.ChoiceFilter(
        label=_("State"),
        choices=[("standing", _("Still merged")), ("undone", _("Undone"))],
        empty_label=_("All"),
        method="by_state",
    )

    class Meta:
        model = Merge
        fields: list[str] = []

    def by_state(self, queryset: QuerySet[Merge], name: str, value: str) -> QuerySet[Merge]:
        return queryset.filter(undone_at__isnull=value == "standing")

    def by_name(self, queryset: QuerySet[Merge], name: str, value: str) -> QuerySet[Merge]:
        # among who was merged: of a common name the search gives the best only
        merged = Q(pk__in=queryset.values("kept")) | Q(pk__in=queryset.values("absorbed"))
        found = list(Customer.everyone.filter(merged).search(value).order_by().values_list("pk", flat=True))
        return queryset.filter(Q(kept__in=found) | Q(absorbed__in=found))
