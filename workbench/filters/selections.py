"""Filters above the list of selections."""

from __future__ import annotations

from typing import Any

import django_filters
from django import forms
from django.contrib.auth.models import User
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from selections.models import Folder, Selection


def _owners(request: Any) -> QuerySet[User]:
    return User.objects.filter(pk__in=Selection.objects.values("owner")).order_by("first_name", "username")


class OwnerFilter(django_filters.ModelChoiceFilter):
    """Owners by their full name."""

    @property
    def field(self) -> forms.Field:
        field: Any = super().field
        field.label_from_instance = lambda user: user.get_full_name() or user.get_username()
        assert isinstance(field, forms.Field)  # noqa: S101 - for the type checker
        return field


class SelectionFilter(django_filters.FilterSet):
    search = django_filters.CharFilter(label=_("Search"), method="find", max_length=100)
    owner = OwnerFilter(label=_("Owner"), queryset=_owners, empty_label=_("Everybody"))

    folder = django_filters.ModelChoiceFilter(
        label=_("Folder"),
        queryset=Folder.objects.all(),
        empty_label=_("All folders"),
        null_label=_("In no folder"),
        null_value="none",
    )
    show = django_filters.ChoiceFilter(
        label=_("Show"), choices=[("archived", _("Archived"))], empty_label=_("In use"), method="keep"
    )

    class Meta:
        model = Selection
        fields = ("search", "folder", "owner", "show")

    def filter_queryset(self, queryset: QuerySet[Selection]) -> QuerySet[Selection]:
        """Leave out what is archived, unless that is what is asked for."""
        found: QuerySet[Selection] = super().filter_queryset(queryset)
        return found.filter(archived_at__isnull=self.form.cleaned_data.get("show") != "archived")

    def keep(self, queryset: QuerySet[Selection], name: str, value: str) -> QuerySet[Selection]:
        return queryset

    def find(self, queryset: QuerySet[Selection], name: str, value: str) -> QuerySet[Selection]:
        return queryset.filter(Q(name__icontains=value) | Q(description__icontains=value))
