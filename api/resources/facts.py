"""Facts over the API: what customers did, up to a thousand in one request, each taken in once."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status, viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from customers import numbers
from customers.actions import record_facts
from customers.facts import fact_kinds
from customers.models import Branch, Customer, Source

MOST_AT_ONCE = 1000
INTEGER = 2**31 - 1


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
    order = serializers.CharField(
        max_length=40, required=False, allow_blank=True, default="", help_text="Number of the order this is a line of"
    )
    quantity = serializers.IntegerField(required=False, default=1, min_value=-INTEGER, max_value=INTEGER)
    amount_cents = serializers.IntegerField(required=False, default=0, min_value=-(2**53), max_value=2**53)
    duration_seconds = serializers.IntegerField(required=False, default=0, min_value=0, max_value=INTEGER)

    def validate_kind(self, value: str) -> str:
        kind = fact_kinds.get(value)
        if kind is None or not kind.importable:
            raise serializers.ValidationError(_("“%s” does not exist.") % value)
        return value


class FactsTakenSerializer(serializers.Serializer[Any]):
    """How many were new, how many were known with other words, which now hold, and how many were known already."""

    new = serializers.IntegerField()
    changed = serializers.IntegerField()
    known = serializers.IntegerField()


class FactViewSet(viewsets.GenericViewSet[Any]):
    queryset = Customer.objects.none()
    serializer_class = FactInSerializer

    @extend_schema(request=FactInSerializer(many=True), responses={201: FactsTakenSerializer})
    def create(self, request: Request) -> Response:
        """Take in a list of facts: all of them, or none when one is wrong (the answer names row and field).

        A fact that is known by its source, id and customer is not taken in again; what is said of it now replaces what
        was said before.
        """
        if isinstance(request.data, list) and len(request.data) > MOST_AT_ONCE:
            raise serializers.ValidationError({"detail": _("Send at most 1000 facts in one request.")})
        facts = FactInSerializer(data=request.data, many=True, allow_empty=False)
        facts.is_valid(raise_exception=True)
        rows = resolve(facts.validated_data)
        _refuse_repeated(rows)
        new, changed = record_facts(rows)
        told = {"new": new, "changed": changed, "known": len(rows) - new - changed}
        return Response(told, status=status.HTTP_201_CREATED)


def _refuse_repeated(rows: list[dict[str, Any]]) -> None:
    """Refuse a request that says two different things of one fact: nobody can tell which of the two is right."""
    seen: dict[tuple[Any, ...], dict[str, Any]] = {}
    errors: dict[Any, dict[str, list[Any]]] = {}
    for number, row in enumerate(rows):
        key = (row["source_id"], row["external_id"], row["customer_id"])
        if seen.setdefault(key, row) != row:
            errors[number] = {"external_id": [_("An earlier row of this request says otherwise of the same fact.")]}
    if errors:
        raise serializers.ValidationError(errors)


def resolve(facts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Replace codes by ids, a few queries per kind of reference; raises ValidationError that names row and field."""
    sources = {source.code: source for source in Source.objects.filter(code__in={fact["source"] for fact in facts})}
    wanted = {fact["branch"] for fact in facts if fact.get("branch")}
    branches = dict(Branch.objects.filter(code__in=wanted).values_list("code", "pk"))
    customers = _customers(facts, sources)
    rows: list[dict[str, Any]] = []
    errors: dict[Any, dict[str, list[Any]]] = {}
    for number, fact in enumerate(facts):
        row: dict[str, Any] = dict(fact)
        source, branch, who = row.pop("source"), row.pop("branch", None), row.pop("customer")
        known = sources.get(source)
        row["order_number"] = row.pop("order") or None
        row["source_id"] = known.pk if known else None
        row["branch_id"] = branches.get(branch) if branch else None
        row["customer_id"] = customers.get((source, who))
        rows.append(row)
        missing = {
            "source": not known and source,
            "branch": branch and not row["branch_id"] and branch,
            "customer": known and not row["customer_id"] and who,
        }
        if wrong := {field: [_("“%s” does not exist.") % code] for field, code in missing.items() if code}:
            errors[number] = wrong
    if errors:
        raise serializers.ValidationError(errors)
    return rows


def _customers(facts: list[dict[str, Any]], sources: dict[str, Source]) -> dict[tuple[str, str], int]:
    """Return (code of a source, number) -> id of the customer: the number as that source has it, else our own."""
    found: dict[tuple[str, str], int] = {}
    for code, source in sources.items():
        wanted = {fact["customer"] for fact in facts if fact["source"] == code}
        found |= {(code, number): pk for number, pk in numbers.resolve(wanted, source).items()}
    return found
