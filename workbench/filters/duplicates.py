"""The filters above the list of possible duplicates."""

from __future__ import annotations

from typing import Any

import django_filters
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from customers.models import Customer, MatchPair


class PairFilter(django_filters.FilterSet):
    q = django_filters.CharFilter(label=_("Name or number"), method="by_name")
    state = django_filters.ChoiceFilter(label=_("State"), choices=MatchPair.State, empty_label=None)

    class Meta:
        model = MatchPair
        fields: list[str] = []

    def __init__(self, data: Any, *args: Any, **kwargs: Any) -> None:
        # What waits is shown until somebody asks for what was judged.
        chosen = data.copy()
        chosen.setdefault("state", MatchPair.State.OPEN)
        super().__init__(chosen, *args, **kwargs)

    def by_name(self, queryset: QuerySet[MatchPair], name: str, value: str) -> QuerySet[MatchPair]:
        # among who stands in a pair: of a common name the search gives the best only
        paired = Q(pk__in=queryset.values("first")) | Q(pk__in=queryset.values("second"))
        found = list(Customer.everyone.filter(paired).search(value).order_by().values_list("pk", flat=True))
        return queryset.filter(Q(first__in=found) | Q(second__in=found))
