"""The filters above the list of imports."""

from __future__ import annotations

import django_filters
from django.utils.translation import gettext_lazy as _

from customers.imports import FORMATS
from customers.models import ImportRun


class ImportFilter(django_filters.FilterSet):
    q = django_filters.CharFilter(label=_("File name"), field_name="file_name", lookup_expr="icontains")
    format = django_filters.ChoiceFilter(
        label=_("Format"), choices=lambda: [(each.code, each.name) for each in FORMATS], empty_label=_("All")
    )
    state = django_filters.ChoiceFilter(label=_("State"), choices=ImportRun.State, empty_label=_("All"))

    class Meta:
        model = ImportRun
        fields: list[str] = []
