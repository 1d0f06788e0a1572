"""Facts over the API: what customers did, up to a thousand in one request, each taken in once."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status, viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from customers.actions import record_facts
from customers.facts import fact_kinds
from customers.models import Branch, Customer, Source

MOST_AT_ONCE = 1000
INTEGER = 2**31 - 1

#: Field of a fact -> where its codes are looked up, by which key, and the column it becomes.
REFERENCES = {
    "customer": (Customer, "number", "customer_id"),
    "branch": (Branch, "code", "branch_id"),
    "source": (Source, "code", "source_id"),
}


class FactInSerializer(serializers.Serializer[Any]):
    """One fact. ``(source, external_id)`` makes it unique; titles are not accepted, only world, genre and sector."""

    customer = serializers.CharField(max_length=40, help_text="Customer number")
    kind = serializers.CharField(max_length=24, help_text="Code of a kind: see /api/v1/kinds/")
    occurred_at = serializers.DateTimeField()
    source = serializers.CharField(max_length=40, help_text="Code of the source")  # type: ignore[assignment]
    external_id = serializers.CharField(max_length=80)
    branch = serializers.CharField(max_length=40, required=False, allow_null=True, help_text="Code of the branch")
    sector = serializers.CharField(max_length=24, required=False, allow_blank=True, default="")
    world = serializers.CharField(max_length=40, required=False, allow_blank=True, default="")
    genre = serializers.CharField(max_length=40, required=False, allow_blank=True, default="")
    quantity = serializers.IntegerField(required=False, default=1, min_value=-INTEGER, max_value=INTEGER)
    amount_cents = serializers.IntegerField(required=False, default=0, min_value=-(2**53), max_value=2**53)
    duration_seconds = serializers.IntegerField(required=False, default=0, min_value=0, max_value=INTEGER)

    def validate_kind(self, value: str) -> str:
        kind = fact_kinds.get(value)
        if kind is None or not kind.importable:
            raise serializers.ValidationError(_("“%s” does not exist.") % value)
        return value


class FactsTakenSerializer(serializers.Serializer[Any]):
    """How many were new and how many were known already."""

    new = serializers.IntegerField()
    known = serializers.IntegerField()


class FactViewSet(viewsets.GenericViewSet[Any]):
    queryset = Customer.objects.none()
    serializer_class = FactInSerializer

    @extend_schema(request=FactInSerializer(many=True), responses={201: FactsTakenSerializer})
    def create(self, request: Request) -> Response:
        """Take in a list of facts: all of them, or none when one is wrong (the answer names row and field)."""
        if isinstance(request.data, list) and len(request.data) > MOST_AT_ONCE:
            raise serializers.ValidationError({"detail": _("Send at most 1000 facts in one request.")})
        facts = FactInSerializer(data=request.data, many=True, allow_empty=False)
        facts.is_valid(raise_exception=True)
        rows = resolve(facts.validated_data)
        new = record_facts(rows)
        return Response({"new": new, "known": len(rows) - new}, status=status.HTTP_201_CREATED)


def resolve(facts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Replace codes by ids, one query per kind of reference; raises ValidationError that names row and field."""
    rows: list[dict[str, Any]] = [dict(fact) for fact in facts]
    errors: dict[Any, dict[str, list[Any]]] = {}
    for field, (model, key, column) in REFERENCES.items():
        wanted = {row[field] for row in rows if row.get(field)}
        found = dict(model.objects.filter(**{f"{key}__in": wanted}).values_list(key, "pk"))  # type: ignore[attr-defined]
        for number, row in enumerate(rows):
            code = row.pop(field, None)
            if code and code not in found:
                errors.setdefault(number, {})[field] = [_("“%s” does not exist.") % code]
            row[column] = found.get(code)
    if errors:
        raise serializers.ValidationError(errors)
    return rows
