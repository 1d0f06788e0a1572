"""Possible duplicates and merges over the API: what waits, deciding, merging by number, undoing."""

from __future__ import annotations

import datetime as dt
from typing import Any

import django_filters
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import mixins, serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from api.resources.fields import by_code, customer_field, user_of
from common.time import clock
from customers.actions.matching import decide_pair, reopen_pair
from customers.actions.merging import merge_customers, undo_merge
from customers.matching.scoring import REASONS
from customers.models import MatchPair, Merge
from customers.numbers import find


class ReasonSerializer(serializers.Serializer[Any]):
    """Why two may be one person: the points count for (above zero) or against it."""

    code = serializers.CharField()
    points = serializers.IntegerField()
    text = serializers.CharField(help_text="In the language of the caller")


def _told(reasons: Any) -> list[dict[str, Any]]:
    return [
        {"code": code, "points": points, "text": str(REASONS[code][1])} for code, points in reasons if code in REASONS
    ]


class PairSerializer(serializers.ModelSerializer[MatchPair]):
    """Two customers, by number, who may be one person. ``score`` is 0 to 100."""

    first = by_code(key="number")
    second = by_code(key="number")
    reasons = serializers.SerializerMethodField()

    class Meta:
        model = MatchPair
        fields = ["id", "first", "second", "score", "reasons", "state", "found_at", "decided_by", "decided_at"]

    @extend_schema_field(ReasonSerializer(many=True))
    def get_reasons(self, pair: MatchPair) -> list[dict[str, Any]]:
        return _told(pair.reasons)


class DecisionSerializer(serializers.Serializer[Any]):
    """``same`` merges them, and then ``kept`` says whose number stays (the first, when it is left out)."""

    same = serializers.BooleanField()
    kept = serializers.CharField(required=False, allow_blank=True, max_length=40, default="")


class PairFilter(django_filters.FilterSet):
    least = django_filters.NumberFilter(field_name="score", lookup_expr="gte", label="score from this on")
    customer = django_filters.CharFilter(method="of_customer", label="customer number, of either")

    class Meta:
        model = MatchPair
        fields = ["state"]

    def of_customer(self, queryset: QuerySet[MatchPair], name: str, value: str) -> QuerySet[MatchPair]:
        customer = find(value)
        return queryset.filter(Q(first=customer) | Q(second=customer)) if customer else queryset.none()


class PairViewSet(viewsets.ReadOnlyModelViewSet[Any]):
    serializer_class = PairSerializer
    filterset_class = PairFilter

    def get_queryset(self) -> QuerySet[MatchPair]:
        return MatchPair.objects.standing().select_related("first", "second").order_by("-score", "id")

    @extend_schema(request=DecisionSerializer, responses=PairSerializer)
    @action(detail=True, methods=["post"], filterset_class=None)
    def decide(self, request: Request, pk: str) -> Response:
        """Merge the two, or remember that they are two persons; only while the pair is open."""
        wish = DecisionSerializer(data=request.data)
        wish.is_valid(raise_exception=True)
        pair, number = self.get_object(), wish.validated_data["kept"]
        kept = next((one for one in (pair.first, pair.second) if one.number == number), None)
        if number and kept is None:
            raise serializers.ValidationError({"kept": [_("Choose one of the two.")]})
        decide_pair(pair, is_same=wish.validated_data["same"], kept=kept, by=user_of(request), now=clock())
        pair.refresh_from_db()
        return Response(PairSerializer(pair).data)

    @extend_schema(request=None, responses=PairSerializer)
    @action(detail=True, methods=["post"], filterset_class=None)
    def reopen(self, request: Request, pk: str) -> Response:
        """Take back that they are two persons."""
        return Response(PairSerializer(reopen_pair(self.get_object(), by=user_of(request))).data)


class MergeSerializer(serializers.ModelSerializer[Merge]):
    """Customers by number: ``absorbed`` was taken up in ``kept``; undone when ``undone_at`` is filled in."""

    kept = by_code(key="number")
    absorbed = by_code(key="number")
    reasons = serializers.SerializerMethodField()

    class Meta:
        model = Merge
        fields = [
            "id", "kept", "absorbed", "score", "reasons", "merged_by", "merged_at", "undone_by", "undone_at",
        ]  # fmt: skip

    @extend_schema_field(ReasonSerializer(many=True))
    def get_reasons(self, merge: Merge) -> list[dict[str, Any]]:
        return _told(merge.reasons)


class MergeWishSerializer(serializers.Serializer[Any]):
    """Whose row stays, and whose is taken up in it."""

    kept = customer_field()
    absorbed = customer_field()


class MergeFilter(django_filters.FilterSet):
    kept = django_filters.CharFilter(field_name="kept__number", label="customer number")
    absorbed = django_filters.CharFilter(field_name="absorbed__number", label="customer number")
    since = django_filters.IsoDateTimeFilter(method="changed_since", label="made or undone at or after")
    undone = django_filters.BooleanFilter(field_name="undone_at", lookup_expr="isnull", exclude=True, label="undone")

    class Meta:
        model = Merge
        fields: list[str] = []

    def changed_since(self, queryset: QuerySet[Merge], name: str, value: dt.datetime) -> QuerySet[Merge]:
        return queryset.filter(Q(merged_at__gte=value) | Q(undone_at__gte=value))


class MergeViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[Any]):
    queryset = Merge.objects.select_related("kept", "absorbed").defer("before").order_by("-id")
    serializer_class = MergeSerializer
    filterset_class = MergeFilter

    @extend_schema(request=MergeWishSerializer, responses={201: MergeSerializer})
    def create(self, request: Request) -> Response:
        """Merge two customers; the number of the absorbed one leads to the kept one from now on."""
        wish = MergeWishSerializer(data=request.data)
        wish.is_valid(raise_exception=True)
        merge = merge_customers(**wish.validated_data, by=user_of(request), now=clock())
        return Response(MergeSerializer(merge).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=None, responses=MergeSerializer)
    @action(detail=True, methods=["post"], filterset_class=None)
    def undo(self, request: Request, pk: str) -> Response:
        """Take a merge apart: what moved goes back, and what files brought since under the old number. The rest of what
        came since stays with who was kept; refusals and restrictions from that time hold for both.
        """
        return Response(MergeSerializer(undo_merge(self.get_object(), by=user_of(request), now=clock())).data)
