"""Facts over the API: what customers did, up to a thousand in one request, each taken in once."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status, viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from api.resources.fields import branch_field, by_code, customer_field
from customers.actions import record_fact
from customers.facts import fact_kinds
from customers.models import Source

MOST_AT_ONCE = 1000


class FactInSerializer(serializers.Serializer[Any]):
    """One fact. ``(source, external_id)`` makes it unique; titles are not accepted, only world, genre and sector."""

    customer = customer_field()
    kind = serializers.ChoiceField(choices=[(kind.code, kind.code) for kind in fact_kinds if kind.importable])
    occurred_at = serializers.DateTimeField()
    source = by_code(Source.objects.all())
    external_id = serializers.CharField(max_length=80)
    branch = branch_field()
    sector = serializers.CharField(max_length=24, required=False, allow_blank=True, default="")
    world = serializers.CharField(max_length=40, required=False, allow_blank=True, default="")
    genre = serializers.CharField(max_length=40, required=False, allow_blank=True, default="")
    quantity = serializers.IntegerField(required=False, default=1, min_value=-(2**31), max_value=2**31 - 1)
    amount_cents = serializers.IntegerField(required=False, default=0, min_value=-(2**53), max_value=2**53)
    duration_seconds = serializers.IntegerField(required=False, default=0, min_value=0, max_value=2**31 - 1)


class FactsTakenSerializer(serializers.Serializer[Any]):
    """How many were new and how many were known already."""

    new = serializers.IntegerField()
    known = serializers.IntegerField()


class FactViewSet(viewsets.GenericViewSet[Any]):
    serializer_class = FactInSerializer

    @extend_schema(request=FactInSerializer(many=True), responses={201: FactsTakenSerializer})
    def create(self, request: Request) -> Response:
        """Take in a list of facts: all of them, or none when one is wrong (the answer names row and field)."""
        if isinstance(request.data, list) and len(request.data) > MOST_AT_ONCE:
            raise serializers.ValidationError({"detail": _("Send at most 1000 facts in one request.")})
        facts = FactInSerializer(data=request.data, many=True, allow_empty=False)
        facts.is_valid(raise_exception=True)
        new = 0
        with transaction.atomic():
            for fact in facts.validated_data:
                row = dict(fact)
                customer, source = row.pop("customer"), row.pop("source")
                new += record_fact(customer, source_code=source.code, **row)
        return Response({"new": new, "known": len(facts.validated_data) - new}, status=status.HTTP_201_CREATED)
