"""The filters above the list of customers."""

from __future__ import annotations

import django_filters
from django.utils.translation import gettext_lazy as _

from customers.models import Branch, Customer
from customers.models.querysets import CustomerQuerySet


class CustomerFilter(django_filters.FilterSet):
    q = django_filters.CharFilter(
        label=_("Name, customer number, e-mail address, phone number or postal code"), method="search"
    )
    kind = django_filters.ChoiceFilter(label=_("Kind"), choices=Customer.Kind, empty_label=_("All"))
    branch = django_filters.ModelChoiceFilter(label=_("Branch"), queryset=Branch.objects.all(), empty_label=_("All"))

    class Meta:
        model = Customer
        fields: list[str] = []

    def search(self, queryset: CustomerQuerySet, name: str, value: str) -> CustomerQuerySet:
        return queryset.search(value)
