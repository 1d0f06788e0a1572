"""The filters above the lists of vouchers and codes."""

from __future__ import annotations

import django_filters
from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from common.time import clock, local_date
from vouchers.models import Definition, Voucher


class DefinitionFilter(django_filters.FilterSet):
    q = django_filters.CharFilter(label=_("Search by name"), field_name="name", lookup_expr="icontains")
    state = django_filters.ChoiceFilter(label=_("State"), choices=Definition.State, empty_label=_("All"))

    class Meta:
        model = Definition
        fields: list[str] = []


class CodeFilter(django_filters.FilterSet):
    q = django_filters.CharFilter(label=_("Code, customer number or e-mail address"), method="search")
    state = django_filters.ChoiceFilter(
        label=_("State"),
        method="choose",
        choices=[
            ("open", _("To be used")),
            ("redeemed", _("Redeemed")),
            ("expired", _("Expired")),
            ("blocked", _("Blocked")),
        ],
        empty_label=_("All"),
    )

    issue = django_filters.CharFilter(method="given_by_hand", widget=forms.HiddenInput)

    class Meta:
        model = Voucher
        fields: list[str] = []

    def given_by_hand(self, queryset: QuerySet[Voucher], name: str, value: str) -> QuerySet[Voucher]:
        return queryset.filter(origin=f"by hand:{value}")

    def search(self, queryset: QuerySet[Voucher], name: str, value: str) -> QuerySet[Voucher]:
        return queryset.filter(pk__in=Voucher.objects.search(value).order_by().values("pk"))

    def choose(self, queryset: QuerySet[Voucher], name: str, value: str) -> QuerySet[Voucher]:
        today = local_date(clock())
        if value == "open":
            return queryset.filter(pk__in=Voucher.objects.open(on=today).order_by().values("pk"))
        if value == "expired":
            return queryset.filter(state="issued", valid_until__lt=today)
        return queryset.filter(state=value)
