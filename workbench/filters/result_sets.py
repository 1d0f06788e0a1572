"""Filters above the list of result sets."""

from __future__ import annotations

import django_filters
from django.utils.translation import gettext_lazy as _

from selections.models import ResultSet, Selection


class ResultSetFilter(django_filters.FilterSet):
    search = django_filters.CharFilter(field_name="name", lookup_expr="icontains", label=_("Search"), max_length=100)
    selection = django_filters.ModelChoiceFilter(
        label=_("Selection"),
        queryset=lambda _request: Selection.objects.filter(result_sets__isnull=False).distinct(),
        empty_label=_("All selections"),
    )

    class Meta:
        model = ResultSet
        fields = ("search", "selection")
