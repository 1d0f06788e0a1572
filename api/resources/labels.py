"""Labels over the API: what there is, and who has it."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from api.resources.fields import by_code, paged
from customers.models import Customer
from labels.models import Label


class LabelSerializer(serializers.ModelSerializer[Label]):
    group = by_code()

    class Meta:
        model = Label
        fields = ["code", "name", "description", "kind", "group", "colour", "is_active"]


class MemberSerializer(serializers.Serializer[Any]):
    """A customer by his number; fetch the rest from ``/customers/{number}/``."""

    number = serializers.CharField()


class LabelViewSet(viewsets.ReadOnlyModelViewSet[Any]):
    queryset = Label.objects.select_related("group").order_by("code")
    serializer_class = LabelSerializer
    filterset_fields = ["kind", "group__code", "is_active"]
    lookup_field = "code"

    @extend_schema(responses=MemberSerializer(many=True))
    @action(detail=True, filterset_fields=None)
    def customers(self, request: Request, code: str) -> Response:
        """The customers who have the label now."""
        held = self.get_object().assignments.filter(until__isnull=True)
        return paged(self, Customer.objects.filter(pk__in=held.values("customer")).order_by("number"), MemberSerializer)
