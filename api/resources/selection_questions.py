"""Questions about selections over the API: the rule language, a rule that is not saved, why or why not, comparisons,
who came and left, and earlier versions.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from drf_spectacular.helpers import lazy_serializer
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from api.resources.fields import paged, user_of
from api.resources.labels import MemberSerializer
from api.resources.moments import MOMENT, MomentField, MomentSerializer, asked_moment
from api.resources.selections import SelectionSerializer, SelectionViewSet
from common.time import clock
from customers.criteria.moments import known_at
from customers.numbers import find
from selections import actions, figures
from selections.asking import who_are_in
from selections.comparing import TURNS, Side, overlap, part_rule, turned, turnover
from selections.explain import describe
from selections.models import ResultSet, Selection
from selections.past import gaps
from selections.rules import Condition, parse_rule, pointer_of
from selections.schema import rule_schema
from selections.verdicts import Verdict, why
from selections.versions import versions_of

MOST_SAMPLED = 100


class QuestionSerializer(MomentSerializer):
    """A rule that is not saved, and how many of whom it means to name."""

    rule = serializers.JSONField(help_text="See /selections/schema/")
    sample = serializers.IntegerField(required=False, default=10, min_value=0, max_value=MOST_SAMPLED)


class UnknownSerializer(serializers.Serializer[Any]):
    """A part of a rule of which a past moment is not known any more, by its JSON pointer."""

    pointer = serializers.CharField()
    reason = serializers.CharField()


class AnswerSerializer(serializers.Serializer[Any]):
    """Whom a rule means: how many, the numbers of some of them, and the rule in words."""

    count = serializers.IntegerField()
    sentence = serializers.CharField()
    as_of = serializers.DateTimeField()
    unknown = UnknownSerializer(many=True)
    sample = serializers.ListField(child=serializers.CharField())


class VerdictSerializer(serializers.Serializer[Any]):
    """What holds of one part of a rule. ``seen``: what was seen of the customer, in words; ``gap``: why the answer of a
    past moment is a guess; ``holds_before_picks``: whether he qualified before a group was thinned out.
    """

    pointer = serializers.SerializerMethodField()
    op = serializers.SerializerMethodField(help_text="Of a group: all, any or none")
    criterion = serializers.SerializerMethodField(help_text="Of a condition: its code")
    clause = serializers.CharField()
    holds = serializers.BooleanField()
    holds_before_picks = serializers.BooleanField()
    seen = serializers.CharField()
    gap = serializers.CharField()
    children = serializers.SerializerMethodField()

    def get_pointer(self, verdict: Verdict) -> str:
        return pointer_of(verdict.path)

    def get_op(self, verdict: Verdict) -> str | None:
        return None if isinstance(verdict.node, Condition) else verdict.node.op.value

    def get_criterion(self, verdict: Verdict) -> str | None:
        return verdict.node.criterion if isinstance(verdict.node, Condition) else None

    @extend_schema_field(lazy_serializer("api.resources.selection_questions.VerdictSerializer")(many=True))
    def get_children(self, verdict: Verdict) -> Any:
        return VerdictSerializer(verdict.children, many=True).data


class WhySerializer(serializers.Serializer[Any]):
    """Why a customer is in or out; ``barred`` says why no selection takes him in, whatever its rule."""

    number = serializers.CharField()
    as_of = serializers.DateTimeField()
    is_in = serializers.BooleanField()
    barred = serializers.CharField()
    rule = VerdictSerializer()


class PartSerializer(serializers.Serializer[Any]):
    """Those who are in exactly some of what is compared; ``rule`` finds them, and can be saved as a selection."""

    selections = serializers.ListField(child=serializers.IntegerField())
    result_sets = serializers.ListField(child=serializers.IntegerField())
    count = serializers.IntegerField()
    rule = serializers.JSONField()


class TurnoverSerializer(serializers.Serializer[Any]):
    """How many came, left and stayed between two moments."""

    came = serializers.IntegerField()
    left = serializers.IntegerField()
    stayed = serializers.IntegerField()
    unknown = UnknownSerializer(many=True)


class StretchSerializer(serializers.Serializer[Any]):
    """Two moments; without ``until`` the last one is now."""

    since = MomentField()
    until = MomentField(required=False)
    assume_present = serializers.BooleanField(required=False, default=False)


class VersionSerializer(serializers.Serializer[Any]):
    """A version of a selection; ``changed`` tells what was different from the one before, in words."""

    key = serializers.IntegerField()
    number = serializers.IntegerField()
    at = serializers.DateTimeField()
    user = serializers.IntegerField(allow_null=True)
    name = serializers.CharField()
    description = serializers.CharField()
    rule = serializers.JSONField()
    sentence = serializers.CharField()
    problem = serializers.CharField()
    changed = serializers.ListField(child=serializers.CharField())
    is_present = serializers.BooleanField()


class VersionsSerializer(serializers.Serializer[Any]):
    """Which versions are asked for."""

    before = serializers.IntegerField(required=False, min_value=1, max_value=1_000_000_000)


STRETCH = [
    OpenApiParameter("since", OpenApiTypes.STR, required=True, description="The first day or instant"),
    OpenApiParameter("until", OpenApiTypes.STR, description="The last day or instant; without it, now"),
    MOMENT[1],
]


class SelectionQuestions(SelectionViewSet):
    """Selections, and the questions about them."""

    @extend_schema(responses={200: OpenApiTypes.OBJECT})
    @action(detail=False, filterset_class=None, pagination_class=None, url_path="schema", url_name="schema")
    def rule_language(self, request: Request) -> Response:
        """The rule language as JSON Schema: every criterion with its settings."""
        return Response(rule_schema())

    @extend_schema(request=QuestionSerializer, responses=AnswerSerializer)
    @action(detail=False, methods=["post"], filterset_class=None, pagination_class=None)
    def evaluate(self, request: Request) -> Response:
        """Answer whom a rule means without saving it: how many, some of them, and the rule in words."""
        asked = QuestionSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        now, wanted = clock(), asked.validated_data
        rule = actions.checked(wanted["rule"], now=now)
        then, assumed = wanted.get("as_of"), wanted["assume_present"]
        found = who_are_in(rule, as_of=then, assume_present=assumed, now=now)
        at = then or now
        with figures.time_limit(rule=rule, now=at):
            count = found.count()
        some: list[str] = []
        if wanted["sample"]:
            among = known_at(at) if then else None
            some = [one.number for one in figures.sample(rule, now=at, among=among, size=wanted["sample"])]
        answer = {
            "count": count,
            "sentence": describe(rule),
            "as_of": at,
            "unknown": _unknown(rule, then, now),
            "sample": some,
        }
        return Response(AnswerSerializer(answer).data)

    @extend_schema(parameters=MOMENT[:1], responses=WhySerializer)
    @action(detail=True, filterset_class=None, pagination_class=None, url_path=r"why/(?P<number>[^/]+)", url_name="why")
    def why(self, request: Request, pk: str, number: str) -> Response:
        """Why a customer is in the selection or out of it, part by part, now or at a past moment."""
        selection, customer, now = self.get_object(), find(number), clock()
        if customer is None:
            raise NotFound(_("There is no customer with number or card %s.") % number)
        then = asked_moment(request)["as_of"]
        who_are_in(selection, as_of=then, assume_present=True, now=now)  # refuses what lies ahead or too far back
        at = then or now
        verdict = why(parse_rule(selection.rule), customer, now=at, present=now)
        told = {
            "number": customer.number,
            "as_of": at,
            "is_in": verdict.holds,
            "barred": verdict.barred,
            "rule": verdict,
        }
        return Response(WhySerializer(told).data)

    @extend_schema(
        parameters=[
            OpenApiParameter("selection", OpenApiTypes.INT, many=True, description="Ids of selections"),
            OpenApiParameter("result_set", OpenApiTypes.INT, many=True, description="Ids of result sets"),
        ],
        responses=PartSerializer(many=True),
    )
    @action(detail=False, filterset_class=None, pagination_class=None)
    def compare(self, request: Request) -> Response:
        """How two or three selections or result sets overlap: how many are in exactly which of them."""
        sides = [*_sides(Selection, request, "selection"), *_sides(ResultSet, request, "result_set")]
        parts = []
        for part in overlap(sides, now=clock()):
            inside = [side for side, is_in in zip(sides, part.inside, strict=True) if is_in]
            parts.append(
                {
                    "selections": [side.pk for side in inside if isinstance(side, Selection)],
                    "result_sets": [side.pk for side in inside if isinstance(side, ResultSet)],
                    "count": part.count,
                    "rule": part_rule(sides, part.inside).to_json(),
                }
            )
        return Response(PartSerializer(parts, many=True).data)

    @extend_schema(parameters=STRETCH, responses=TurnoverSerializer)
    @action(detail=True, filterset_class=None, pagination_class=None)
    def turnover(self, request: Request, pk: str) -> Response:
        """How many came into the selection, left it and stayed, between two moments."""
        rule, stretch = parse_rule(self.get_object().rule), _stretch(request)
        found = turnover(rule, **stretch, seconds=figures.PAGE_SECONDS)
        unknown = _unknown(rule, stretch["first"], stretch["present"])
        return Response(
            TurnoverSerializer(
                {"came": found.came, "left": found.left, "stayed": found.stayed, "unknown": unknown}
            ).data
        )

    @extend_schema(
        parameters=[*STRETCH, OpenApiParameter("turn", str, OpenApiParameter.PATH, enum=list(TURNS))],
        responses=MemberSerializer(many=True),
    )
    @action(detail=True, filterset_class=None, url_path=r"turnover/(?P<turn>[^/.]+)", url_name="turnover-list")
    def turned(self, request: Request, pk: str, turn: str) -> Response:
        """Who came into the selection, left it or stayed, between two moments."""
        if turn not in TURNS:
            raise NotFound
        found = turned(parse_rule(self.get_object().rule), turn, **_stretch(request))
        return paged(self, found.order_by("number"), MemberSerializer)

    @extend_schema(
        parameters=[OpenApiParameter("before", int, description="Only versions before this number")],
        responses=VersionSerializer(many=True),
    )
    @action(detail=True, filterset_class=None, pagination_class=None)
    def versions(self, request: Request, pk: str) -> Response:
        """The versions of the selection, latest first, fifty at a time; ``before`` the number of the last gives those
        before it.
        """
        asked = VersionsSerializer(data=request.query_params)
        asked.is_valid(raise_exception=True)
        found = versions_of(self.get_object(), before=asked.validated_data.get("before"))
        return Response(VersionSerializer(found, many=True).data)

    @extend_schema(request=None, responses=SelectionSerializer)
    @action(
        detail=True,
        methods=["post"],
        filterset_class=None,
        url_path=r"versions/(?P<key>\d+)/restore",
        url_name="restore",
    )
    def restore(self, request: Request, pk: str, key: str) -> Response:
        """Make the rule of an earlier version the present one again, as a new version."""
        restored = actions.restore_version(self.get_object(), key=int(key), by=user_of(request), now=clock())
        return Response(self.get_serializer(restored).data)


def _unknown(rule: Any, then: dt.datetime | None, now: dt.datetime) -> list[dict[str, str]]:
    found = gaps(rule, now=then, present=now) if then is not None else {}
    return [{"pointer": pointer_of(path), "reason": reason} for path, reason in found.items()]


def _sides(model: Any, request: Request, name: str) -> list[Side]:
    keys = request.query_params.getlist(name)
    return [get_object_or_404(model, pk=int(key) if key.isdecimal() and len(key) < 10 else 0) for key in keys[:4]]


def _stretch(request: Request) -> dict[str, Any]:
    asked = StretchSerializer(data=request.query_params)
    asked.is_valid(raise_exception=True)
    now, told = clock(), asked.validated_data
    return {
        "first": told["since"],
        "last": told.get("until") or now,
        "present": now,
        "assume_present": told["assume_present"],
    }
