"""Reports of mailings over the API: the funnel, what people did afterwards beside the control group, groups, links."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from api.resources.mailings import MailingViewSet
from common.time import clock
from customers.models import Branch
from mailings.models import Mailing
from mailings.reports import (
    DAYS,
    Comparison,
    Group,
    Scope,
    compare,
    figures,
    funnel,
    link_figures,
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


class ReportQuestionSerializer(serializers.Serializer[Any]):
    """How many days after each reader's own message count, which activity, and the course by hours or by days."""

    days = serializers.ChoiceField(choices=[(days, days) for days in DAYS], default=USUAL_DAYS)
    kind = serializers.CharField(default="", allow_blank=True)
    unit = serializers.ChoiceField(choices=[(unit, unit) for unit in UNITS], default="day")

    def validate_kind(self, kind: str) -> str:
        if kind and kind not in {one.code for one in report_kinds()}:
            raise serializers.ValidationError(f"There is no activity “{kind}”.")
        return kind


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
    """A link: readers who followed it within the days, their share of all who clicked (per cent), times, programs."""

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


class MailingReportSerializer(serializers.Serializer[Any]):
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


class MailingsWithReports(MailingViewSet):
    """Mailings, and what came of each."""

    @extend_schema(responses=MailingReportSerializer, parameters=ASKED)
    @action(detail=True, filterset_fields=None, pagination_class=None)
    def report(self, request: Request, pk: str) -> Response:
        """What came of this mailing, from candidates to what people did in the days after their message."""
        mailing: Mailing = self.get_object()
        asked = ReportQuestionSerializer(data=request.query_params)
        asked.is_valid(raise_exception=True)
        unit = asked.validated_data.pop("unit")
        scope = Scope.of([mailing.pk], **asked.validated_data)
        with time_limit(SECONDS, memory_mb=MEMORY_MB):
            told = _figures(scope, unit)
        told |= {
            "gone": gone_of(scope, now=clock()),
            "decisions": mailing.decisions.by_outcome(),
            "messages": Mailing.objects.with_counts().get(pk=mailing.pk).states,
            "unsubscribe_reasons": dict(mailing.unsubscribe_reasons.values_list("reason", "count")),
        }
        return Response(MailingReportSerializer(told).data)


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
