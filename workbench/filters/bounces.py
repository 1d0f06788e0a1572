"""The filters above the list of what mail servers reported."""

from __future__ import annotations

import django_filters
from django.db.models import Exists, OuterRef, QuerySet
from django.utils.translation import gettext_lazy as _

from mailings.models import Bounce, Mailing, Suppression


class BounceFilter(django_filters.FilterSet):
    q = django_filters.CharFilter(label=_("Search by address"), field_name="address", lookup_expr="icontains")
    kind = django_filters.ChoiceFilter(label=_("What was reported"), choices=Bounce.Kind.choices)
    source = django_filters.ChoiceFilter(label=_("Came by"), choices=Bounce.Source.choices)
    blocked = django_filters.ChoiceFilter(
        label=_("Address is blocked"), choices=[("yes", _("yes")), ("no", _("no"))], method="is_blocked"
    )
    mailing = django_filters.ModelChoiceFilter(
        label=_("Mailing"),
        field_name="message__mailing",
        queryset=Mailing.objects.filter(pk__in=Bounce.objects.values("message__mailing")).order_by("-id"),
    )

    class Meta:
        model = Bounce
        fields: list[str] = []

    def is_blocked(self, queryset: QuerySet[Bounce], name: str, value: str) -> QuerySet[Bounce]:
        blocked = Exists(Suppression.objects.in_force().filter(address=OuterRef("address")))
        return queryset.filter(blocked) if value == "yes" else queryset.exclude(blocked)
