"""Reports over the API, of a mailing and of all of an action, campaign or newsletter: the funnel, what people did
afterwards beside the control group, groups, links, and who is behind a figure.
"""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from api.resources.fields import by_code, paged
from common.time import clock
from customers.models import Branch, Customer
from mailings.models import Decision, Link, Mailing, UnsubscribeReason
from mailings.reports import (
    DAYS,
    STEPS,
    Comparison,
    Group,
    Scope,
    compare,
    figures,
    funnel,
    latest,
    link_figures,
    people,
    report_kinds,
)
from mailings.reports.course import Course, Unit, course
from mailings.reports.gone import gone_of
from mailings.reports.scope import USUAL_DAYS
from selections.figures import time_limit

SECONDS = 30
MEMORY_MB = 128
UNITS = ("hour", "day")
ASKED = [
    OpenApiParameter("days", OpenApiTypes.INT, enum=DAYS, description=f"Days after a message; {USUAL_DAYS} usually"),
    OpenApiParameter("kind", OpenApiTypes.STR, description="Code of an activity; any when left out"),
    OpenApiParameter("unit", OpenApiTypes.STR, enum=UNITS, description="Of the course in time; day usually"),
]


class WindowSerializer(serializers.Serializer[Any]):
    """How many days after each reader's own message count, and which activity."""

    days = serializers.ChoiceField(choices=[(days, days) for days in DAYS], default=USUAL_DAYS)
    kind = serializers.CharField(default="", allow_blank=True)

    def validate_kind(self, kind: str) -> str:
        if kind and kind not in {one.code for one in report_kinds()}:
            raise serializers.ValidationError(f"There is no activity “{kind}”.")
        return kind


class ReportQuestionSerializer(WindowSerializer):
    """And the course by hours or by days."""

    unit = serializers.ChoiceField(choices=[(unit, unit) for unit in UNITS], default="day")


class BehindSerializer(WindowSerializer):
    """Who is behind a figure: a step, of a group as the report names it (an empty value is of who has none), or who
    followed a link (id).
    """

    step = serializers.ChoiceField(choices=[(step, step) for step in STEPS], default="sent")
    channel = serializers.CharField(required=False, allow_blank=True, max_length=8)
    branch = by_code(Branch.objects.all(), required=False, allow_null=True)
    domain = serializers.CharField(required=False, allow_blank=True, max_length=253)
    audience = serializers.RegexField(r"^(selection|label):[0-9]{1,18}$", required=False)
    version = serializers.RegexField(r"^[0-9]{0,18}$", required=False, allow_blank=True)
    link = serializers.IntegerField(required=False, min_value=1)


class PersonSerializer(serializers.ModelSerializer[Customer]):
    """A customer, by his number."""

    class Meta:
        model = Customer
        fields = ["number"]


class DifferenceSerializer(serializers.Serializer[Any]):
    """Percentage points more than the control group, and the bounds (95%) between which that lies.

    ``is_thin``: this rests on too few people to lean on.
    """

    drawn_did = serializers.IntegerField(source="one.did")
    held_did = serializers.IntegerField(source="other.did")
    points = serializers.FloatField()
    lowest = serializers.FloatField()
    highest = serializers.FloatField()
    verdict = serializers.ChoiceField(choices=["more", "less", "unclear"])
    is_thin = serializers.BooleanField()


class ActivitySerializer(serializers.Serializer[Any]):
    """People who did it after their message; of kind "" anything at all. ``beside``: the control group, if any."""

    kind = serializers.CharField(allow_blank=True)
    people = serializers.IntegerField()
    times = serializers.IntegerField()
    amount_cents = serializers.IntegerField()
    beside = DifferenceSerializer(allow_null=True)


class ReaderGroupSerializer(serializers.Serializer[Any]):
    """People of one channel, branch (code), mail domain, audience ("selection:3") or version (id); empty is none."""

    dimension = serializers.ChoiceField(choices=["channel", "branch", "domain", "audience", "version"])
    key = serializers.CharField(allow_blank=True)
    sent = serializers.IntegerField()
    bounced = serializers.IntegerField()
    complained = serializers.IntegerField()
    clicked = serializers.IntegerField()
    did = serializers.IntegerField()


class ReaderLinkSerializer(serializers.Serializer[Any]):
    """A link of a mailing: readers who followed it within the days, their share of all who clicked (per cent), times,
    programs.
    """

    id = serializers.IntegerField()
    mailing = serializers.IntegerField()
    position = serializers.IntegerField()
    url = serializers.CharField()
    readers = serializers.IntegerField()
    share = serializers.FloatField()
    clicks = serializers.IntegerField()
    machines = serializers.IntegerField()


class MomentSerializer(serializers.Serializer[Any]):
    """An hour or a day by the clock of Amsterdam: messages that left, and people who clicked, or did something, for the
    first time.
    """

    at = serializers.CharField()
    sent = serializers.IntegerField()
    clicked = serializers.IntegerField()
    did = serializers.IntegerField()


class CourseSerializer(serializers.Serializer[Any]):
    """The moments from the first message on; of hours only those of three days, then ``is_cut`` says so."""

    unit = serializers.ChoiceField(choices=[(unit, unit) for unit in UNITS])
    is_cut = serializers.BooleanField()
    moments = MomentSerializer(many=True)


class GoneSerializer(serializers.Serializer[Any]):
    """What is not counted any more, by rule of retention: rows from before ``until`` were removed, so that the figures
    of so many ``mailings`` of the report got smaller; ``rows`` of all mailings together since the first message.
    """

    code = serializers.CharField()
    words = serializers.CharField()
    until = serializers.DateField(allow_null=True)
    mailings = serializers.IntegerField()
    rows = serializers.IntegerField()


class ReportSerializer(serializers.Serializer[Any]):
    """The funnel: candidates, decisions by outcome, messages by state, who got it, bounced, clicked and did something;
    what they did beside ``drawn`` and ``held`` (people in the two groups of the draw); groups and links; the course in
    time (null before anything left); opens (guesses of the whole), what programs opened and clicked by reason, and why
    readers unsubscribed.
    """

    candidates = serializers.IntegerField()
    decisions = serializers.DictField(child=serializers.IntegerField())
    messages = serializers.DictField(child=serializers.IntegerField())
    days = serializers.IntegerField()
    until = serializers.DateTimeField(allow_null=True)
    sent = serializers.IntegerField()
    bounced = serializers.IntegerField()
    complained = serializers.IntegerField()
    clicked = serializers.IntegerField()
    did = serializers.IntegerField()
    drawn = serializers.IntegerField(allow_null=True)
    held = serializers.IntegerField(allow_null=True)
    activities = ActivitySerializer(many=True)
    groups = ReaderGroupSerializer(many=True)
    links = ReaderLinkSerializer(many=True)
    course = CourseSerializer(allow_null=True)
    unsubscribed = serializers.IntegerField()
    unsubscribe_reasons = serializers.DictField(child=serializers.IntegerField())
    opens = serializers.IntegerField()
    machine_opens = serializers.IntegerField()
    machine_clicks = serializers.DictField(child=serializers.IntegerField())
    gone = GoneSerializer(many=True)


class WithReport(viewsets.GenericViewSet[Any]):
    """Belongs to the resources of what is sent: they tell with ``mailings_of`` what that is."""

    def mailings_of(self, thing: Any) -> QuerySet[Mailing]:
        """Return the mailings that a report of this object is about."""
        found: QuerySet[Mailing] = thing.mailings()
        return found

    @extend_schema(responses=ReportSerializer, parameters=ASKED)
    @action(detail=True, filterset_fields=None, pagination_class=None)
    def report(self, request: Request, pk: str) -> Response:
        """What came of it, from candidates to what people did in the days after their message. Of more than one mailing
        people count once, of the latest 400.
        """
        asked = ReportQuestionSerializer(data=request.query_params)
        asked.is_valid(raise_exception=True)
        unit = asked.validated_data.pop("unit")
        scope = Scope.of(latest(self.mailings_of(self.get_object())), **asked.validated_data)
        within = {"mailing__in": scope.mailings}
        with time_limit(SECONDS, memory_mb=MEMORY_MB):
            told = _figures(scope, unit)
            told |= {
                "decisions": Decision.objects.filter(**within).by_outcome(),
                "messages": Mailing.objects.filter(pk__in=scope.mailings).states_together(),
            }
        told |= {
            "gone": gone_of(scope, now=clock()),
            "unsubscribe_reasons": UnsubscribeReason.objects.filter(**within).by_reason(),
        }
        return Response(ReportSerializer(told).data)

    @extend_schema(parameters=[BehindSerializer], responses=PersonSerializer(many=True))
    @action(detail=True, url_path="report/people", filterset_fields=None)
    def report_people(self, request: Request, pk: str) -> Response:
        """Who is behind a figure of the report."""
        asked = BehindSerializer(data=request.query_params)
        asked.is_valid(raise_exception=True)
        told = dict(asked.validated_data)
        days, kind, step = (told.pop(name) for name in ("days", "kind", "step"))
        scope = Scope.of(latest(self.mailings_of(self.get_object())), days=days, kind=kind)
        if "branch" in told:
            told["branch"] = str(told["branch"].pk) if told["branch"] else ""
        if "link" in told:
            get_object_or_404(Link, pk=told["link"], mailing__in=scope.mailings)
        with time_limit(SECONDS, memory_mb=MEMORY_MB):
            return paged(self, people(scope, step, **told).order_by("pk"), PersonSerializer)


def _figures(scope: Scope, unit: Unit) -> dict[str, Any]:
    found, beside = figures(scope), compare(scope)
    told = funnel(scope, found.groups)
    whole = {name: getattr(told.sent, name) for name in ("sent", "bounced", "complained", "clicked", "did")}
    return {
        **whole,
        "candidates": told.candidates,
        "days": scope.days,
        "until": scope.until,
        "drawn": beside.treated if beside else None,
        "held": beside.held if beside else None,
        "activities": [
            {"kind": one.kind, "people": one.people, "times": one.times, "amount_cents": one.amount_cents,
             "beside": _beside(beside, one.kind)} for one in found.afterwards
        ],
        "groups": _groups(found.groups),
        "links": link_figures(scope),
        "course": _course(course(scope, unit=unit, now=clock(), hours=found.hours)),
        "unsubscribed": told.unsubscribes,
        "opens": told.opens,
        "machine_opens": told.machine_opens,
        "machine_clicks": told.machine_clicks,
    }  # fmt: skip


def _course(found: Course | None) -> dict[str, Any] | None:
    if found is None:
        return None
    named = [dict(zip(found.counts, counts, strict=True)) for counts in zip(*found.counts.values(), strict=True)]
    shape = "%Y-%m-%d" if found.unit == "day" else "%Y-%m-%dT%H:00"
    moments = [{"at": at.strftime(shape), **counts} for at, counts in zip(found.moments, named, strict=True)]
    return {"unit": found.unit, "is_cut": found.is_cut, "moments": moments}


def _beside(comparison: Comparison | None, kind: str) -> Any:
    return comparison.differences.get(kind) if comparison else None


def _groups(found: list[Group]) -> list[dict[str, Any]]:
    """Return all groups but the whole, branches by their code."""
    ids = [int(group.key) for group in found if group.dimension == "branch" and group.key]
    codes = {str(pk): code for pk, code in Branch.objects.filter(pk__in=ids).values_list("pk", "code")}
    return [
        {**vars(group), "key": codes.get(group.key, group.key) if group.dimension == "branch" else group.key}
        for group in found
        if group.dimension != "all"
    ]
