"""Shifts within a group of labels over the API: the matrix between two days, and every move."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from api.resources.fields import CustomerField
from api.resources.labels import GroupViewSet
from common.errors import Refused
from common.time import clock, end_of_day, local_date, years_before
from customers.models import Customer
from labels.models import LabelGroup
from labels.shifts import CODES, Move, Moves, Scale, matrix
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
    customer = CustomerField(slug_field="number", queryset=Customer.objects.all(), required=False)

    def get_fields(self) -> dict[str, Any]:
        return {"from": serializers.DateField(), **super().get_fields()}

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        today = local_date(clock())
        attrs.setdefault("to", today)
        if attrs["to"] > today:
            raise serializers.ValidationError({"to": "This day lies ahead."})
        if attrs["from"] >= attrs["to"]:
            raise serializers.ValidationError({"to": "A day after the first one."})
        if attrs["from"] < years_before(attrs["to"], MOST_YEARS):
            raise serializers.ValidationError({"from": f"At most {MOST_YEARS} years before the other day."})
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

    def _scale(self) -> Scale:
        group: LabelGroup = self.get_object()
        if not group.is_exclusive:
            raise Refused("not_exclusive", f"A customer may have several labels of {group.code} at a time.")
        return Scale.of(group)


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
