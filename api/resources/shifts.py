"""Shifts within a group of labels over the API: the matrix between two days, and every move."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from api.resources.fields import CustomerField, paged
from api.resources.labels import GroupViewSet, MemberSerializer
from common.errors import Refused
from common.time import clock, end_of_day, local_date, years_before
from customers.models import Customer
from labels.models import LabelGroup
from labels.shifts import CODES, NEW, NONE, Move, Moves, Scale, customers_in, matrix
from mailings.before_moves import Shares, received
from selections.compiler import members
from selections.figures import time_limit
from selections.models import Selection

MOST_YEARS = 3
MEMORY_MB = 128
DIRECTIONS = ["up", "down", "aside", "in", "out", "same"]
PLACE = f"Code of a label; “{CODES[0]}” for none"

DAYS = [
    OpenApiParameter("from", OpenApiTypes.DATE, required=True, description="The end of this day, …"),
    OpenApiParameter("to", OpenApiTypes.DATE, description="… and of this one; today when left out"),
]
SELECTION = OpenApiParameter("selection", OpenApiTypes.INT, description="Only customers in this selection")
CELL = [
    OpenApiParameter(
        "from_label", OpenApiTypes.STR, required=True, description=f"{PLACE}; “{CODES[NEW]}” for who was new"
    ),
    OpenApiParameter("to_label", OpenApiTypes.STR, required=True, description=PLACE),
]
BEFORE = OpenApiParameter("days", OpenApiTypes.INT, description="In how many days before the move; 30 when left out")
NARROWING = [
    OpenApiParameter("from_label", OpenApiTypes.STR, description=PLACE),
    OpenApiParameter("to_label", OpenApiTypes.STR, description=PLACE),
    OpenApiParameter("customer", OpenApiTypes.STR, description="Number of a customer"),
]


class DaysSerializer(serializers.Serializer[Any]):
    """Which two days are asked for; ``from`` is a word of Python, so it is made known below."""

    to = serializers.DateField(required=False)
    selection = serializers.PrimaryKeyRelatedField(queryset=Selection.objects.all(), required=False)
    from_label = serializers.CharField(required=False, max_length=60)
    to_label = serializers.CharField(required=False, max_length=60)
    days = serializers.IntegerField(required=False, default=30, min_value=1, max_value=730)
    customer = CustomerField(slug_field="number", queryset=Customer.objects.all(), required=False)

    def get_fields(self) -> dict[str, Any]:
        return {"from": serializers.DateField(), **super().get_fields()}

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        today = local_date(clock())
        attrs.setdefault("to", today)
        if attrs["to"] > today:
            raise serializers.ValidationError({"to": _("This lies in the future.")})
        if attrs["from"] >= attrs["to"]:
            raise serializers.ValidationError({"to": _("Choose a day after the first one.")})
        if attrs["from"] < years_before(attrs["to"], MOST_YEARS):
            message = _("Choose at most %d years between the two days.") % MOST_YEARS
            raise serializers.ValidationError({"from": message})
        return attrs


class CellSerializer(serializers.Serializer[Any]):
    """How many customers had ``from`` at the end of the first day and ``to`` at the end of the last.

    Both are codes of labels, “~none” for who had none; ``from`` is “~new” for who was no customer yet.
    """

    to = serializers.CharField()
    direction = serializers.ChoiceField(choices=DIRECTIONS)
    customers = serializers.IntegerField()

    def get_fields(self) -> dict[str, Any]:
        return {"from": serializers.CharField(), **super().get_fields()}


class MatrixSerializer(serializers.Serializer[Any]):
    """The shift matrix: its labels from low to high, and its cells that are not empty."""

    labels = serializers.ListField(child=serializers.CharField())
    total = serializers.IntegerField()
    cells = CellSerializer(many=True)


class MoveSerializer(serializers.Serializer[Any]):
    """One move: at ``at`` the customer went ``from`` a label ``to`` another; “~none” stands for none.

    ``how`` tells by what, as in the history of a label: system, hand, rule, import, customer, …
    """

    number = serializers.CharField()
    at = serializers.DateTimeField()
    to = serializers.CharField()
    direction = serializers.ChoiceField(choices=DIRECTIONS)
    how = serializers.CharField(allow_blank=True)

    def get_fields(self) -> dict[str, Any]:
        return {"from": serializers.CharField(), **super().get_fields()}

    def to_representation(self, move: Move) -> dict[str, Any]:
        numbers: dict[int, str] = self.context["numbers"]
        told = {
            "number": numbers[move.customer_id],
            "at": move.at,
            "from": move.scale.code(move.was),
            "to": move.scale.code(move.became),
            "direction": move.direction,
            "how": move.how,
        }
        return super().to_representation(told)


class SharesSerializer(serializers.Serializer[Any]):
    """How many of who moved, and of who stayed, received it, with their shares in per cent."""

    movers = serializers.IntegerField()
    stayers = serializers.IntegerField()
    mover_share = serializers.FloatField()
    stayer_share = serializers.FloatField()
    difference = serializers.FloatField(help_text="In percentage points")


class ReceivedLineSerializer(SharesSerializer):
    """A channel, a mailing or a voucher definition (``id``)."""

    kind = serializers.ChoiceField(choices=["channel", "mailing", "voucher"])
    id = serializers.IntegerField(allow_null=True)
    name = serializers.CharField()
    channel = serializers.CharField(allow_blank=True)


class ReceivedBeforeSerializer(serializers.Serializer[Any]):
    """What customers received in the days before they moved, held against who stayed. It shows what went before a move,
    not that it was the cause. ``is_sample``: not everybody was looked at; the shares hold for all.
    """

    movers = serializers.IntegerField()
    stayers = serializers.IntegerField()
    is_sample = serializers.BooleanField()
    anything = SharesSerializer()
    lines = ReceivedLineSerializer(many=True)


class GroupsWithShifts(GroupViewSet):
    """Groups of labels, with the shifts within those of which a customer has one label at most."""

    @extend_schema(responses=MatrixSerializer, parameters=[*DAYS, SELECTION])
    @action(detail=True, filterset_fields=None, pagination_class=None)
    def shifts(self, request: Request, code: str) -> Response:
        """How many customers went from which label of the group to which other, between the ends of two days."""
        scale, asked = self._scale(), _asked(request)
        among = members(asked["selection"], now=clock()) if "selection" in asked else None
        with time_limit(memory_mb=MEMORY_MB):
            found = matrix(scale, first=asked["from"], last=asked["to"], among=among)
        cells = [
            {
                "from": scale.code(was),
                "to": scale.code(became),
                "direction": scale.direction(was, became),
                "customers": many,
            }
            for (was, became), many in sorted(found.counts.items())
        ]
        told = {"labels": [label.code for label in scale.labels], "total": found.total, "cells": cells}
        return Response(MatrixSerializer(told).data)

    @extend_schema(responses=MoveSerializer(many=True), parameters=[*DAYS, *NARROWING])
    @action(detail=True, filterset_fields=None)
    def moves(self, request: Request, code: str) -> Response:
        """Every move between the ends of two days, the latest first; the filters narrow them to some."""
        scale, asked = self._scale(), _asked(request)
        moves = Moves(
            scale,
            start=end_of_day(asked["from"]),
            end=end_of_day(asked["to"]),
            among=[asked["customer"].pk] if "customer" in asked else None,
            was=_place(scale, asked, "from_label"),
            became=_place(scale, asked, "to_label"),
        )
        with time_limit(memory_mb=MEMORY_MB):
            page: list[Move] = list(self.paginate_queryset(moves) or [])
        known = Customer.everyone.filter(pk__in={move.customer_id for move in page})
        numbers = dict(known.values_list("pk", "number"))
        return self.get_paginated_response(MoveSerializer(page, many=True, context={"numbers": numbers}).data)

    @extend_schema(responses=MemberSerializer(many=True), parameters=[*DAYS, *CELL, SELECTION])
    @action(detail=True, filterset_fields=None, url_path="shifts/customers", url_name="shift-customers")
    def shifted(self, request: Request, code: str) -> Response:
        """Who are in one cell of the matrix: had ``from_label`` as the first day ended, ``to_label`` as the last."""
        asked = _asked(request)
        with time_limit(memory_mb=MEMORY_MB):
            return paged(self, self._cell(asked).order_by("number"), MemberSerializer)

    @extend_schema(responses=ReceivedBeforeSerializer, parameters=[*DAYS, *CELL, SELECTION, BEFORE])
    @action(detail=True, filterset_fields=None, pagination_class=None, url_path="shifts/received", url_name="received")
    def received(self, request: Request, code: str) -> Response:
        """What those in one cell of the matrix received before they moved, held against who stayed where they were."""
        asked = _asked(request)
        scale, stayed = self._scale(), {**asked, "to_label": asked.get("from_label", "")}
        if stayed["to_label"] == CODES[NEW]:
            stayed |= {"from_label": CODES[NONE], "to_label": CODES[NONE]}
        with time_limit(memory_mb=MEMORY_MB):
            found = received(
                scale,
                self._cell(asked),
                self._cell(stayed),
                start=end_of_day(asked["from"]),
                end=end_of_day(asked["to"]),
                days=asked["days"],
            )
        told = {
            "movers": found.movers,
            "stayers": found.stayers,
            "is_sample": found.is_sample,
            "anything": found.any,
            "lines": [
                {**_shares(line.shares), "kind": line.kind, "id": line.pk, "name": line.name, "channel": line.channel}
                for line in [*found.channels, *found.lines]
            ],
        }
        return Response(ReceivedBeforeSerializer(told).data)

    def _cell(self, asked: dict[str, Any]) -> QuerySet[Customer]:
        scale, missing = self._scale(), [name for name in ("from_label", "to_label") if name not in asked]
        if missing:
            raise serializers.ValidationError({missing[0]: "Which cell?"})
        was, became = scale.place(asked["from_label"]), scale.place(asked["to_label"])
        if was is None or became is None or became < 0:
            wrong = "from_label" if was is None else "to_label"
            raise serializers.ValidationError({wrong: "No label of this group."})
        among = members(asked["selection"], now=clock()) if "selection" in asked else None
        return customers_in(scale, (was, became), first=asked["from"], last=asked["to"], among=among)

    def _scale(self) -> Scale:
        group: LabelGroup = self.get_object()
        if not group.is_exclusive:
            raise Refused("not_exclusive", f"A customer may have several labels of {group.code} at a time.")
        return Scale.of(group)


def _shares(shares: Shares) -> dict[str, Any]:
    names = ("movers", "stayers", "mover_share", "stayer_share", "difference")
    return {name: getattr(shares, name) for name in names}


def _asked(request: Request) -> dict[str, Any]:
    asked = DaysSerializer(data=request.query_params)
    asked.is_valid(raise_exception=True)
    return dict(asked.validated_data)


def _place(scale: Scale, asked: dict[str, Any], name: str) -> int | None:
    if name not in asked:
        return None
    place = scale.place(asked[name])
    if place is None or place < 0:
        raise serializers.ValidationError({name: "No label of this group."})
    return place
