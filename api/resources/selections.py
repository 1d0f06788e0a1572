"""Selections over the API: what there is, how many, and who."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from api.resources.fields import paged
from api.resources.labels import MemberSerializer
from common.time import clock
from selections.actions import count_selection
from selections.compiler import members
from selections.explain import describe
from selections.models import Selection
from selections.rules import parse_rule


class SelectionSerializer(serializers.ModelSerializer[Selection]):
    sentence = serializers.SerializerMethodField(help_text="The rule in words")

    class Meta:
        model = Selection
        fields = ["id", "name", "description", "rule", "sentence", "last_count", "counted_at", "updated_at"]

    def get_sentence(self, selection: Selection) -> str:
        return describe(parse_rule(selection.rule))


class SizeSerializer(serializers.Serializer[Any]):
    """How many customers a selection holds at this moment."""

    count = serializers.IntegerField()


class SelectionViewSet(viewsets.ReadOnlyModelViewSet[Any]):
    queryset = Selection.objects.order_by("name")
    serializer_class = SelectionSerializer
    filterset_fields = ["name"]

    @extend_schema(responses=MemberSerializer(many=True))
    @action(detail=True, filterset_fields=None)
    def customers(self, request: Request, pk: str) -> Response:
        """The customers in the selection at this moment."""
        return paged(self, members(self.get_object(), now=clock()).order_by("number"), MemberSerializer)

    @extend_schema(request=None, responses=SizeSerializer)
    @action(detail=True, methods=["post"], filterset_fields=None)
    def count(self, request: Request, pk: str) -> Response:
        """Count the selection now and remember the size."""
        return Response({"count": count_selection(self.get_object(), now=clock())})
