"""The filters above the list of actions."""

from __future__ import annotations

import django_filters
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from campaigns.models import Action
from customers.models import Purpose


class ActionFilter(django_filters.FilterSet):
    q = django_filters.CharFilter(label=_("Search by name"), field_name="name", lookup_expr="icontains")
    purpose = django_filters.ModelChoiceFilter(label=_("Purpose"), queryset=Purpose.objects.all())
    state = django_filters.ChoiceFilter(
        label=_("State"),
        method="choose",
        choices=[("in_use", _("In use")), ("archived", _("Archived"))],
        empty_label=_("All"),
    )

    class Meta:
        model = Action
        fields: list[str] = []

    def choose(self, queryset: QuerySet[Action], name: str, value: str) -> QuerySet[Action]:
        return queryset.filter(is_archived=value == "archived")
