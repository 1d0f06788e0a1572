"""Contents over the API: what a message says, and what the checks say of it before it goes out."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from api.resources.fields import by_code
from common.time import clock
from customers.models import Purpose
from mailings.checks import Severity, check_content
from mailings.models import Content, Mailing
from selections.compiler import members
from selections.models import Selection


class ContentSerializer(serializers.ModelSerializer[Content]):
    class Meta:
        model = Content
        fields = ["id", "name", "subject", "preheader", "blocks", "updated_at"]


class CheckQuestionSerializer(serializers.Serializer[Any]):
    """As what it would go out: for a purpose (code), over channels, to a selection (id; without: all customers)."""

    purpose = by_code(Purpose.objects.all(), required=False)
    channels = serializers.ChoiceField(choices=Mailing.Channels.choices, required=False)
    selection = serializers.PrimaryKeyRelatedField(queryset=Selection.objects.in_use(), required=False)


class FindingSerializer(serializers.Serializer[Any]):
    """One thing that is not as it should be.

    ``place``: id of a block, ``subject``, ``preheader``, ``sending`` or empty. ``count``: how many
    customers it hits, where that was counted.
    """

    code = serializers.CharField()
    severity = serializers.ChoiceField(choices=Severity.choices)
    words = serializers.CharField()
    remedy = serializers.CharField()
    place = serializers.CharField()
    count = serializers.IntegerField(allow_null=True)


class CheckReportSerializer(serializers.Serializer[Any]):
    """What was found, the worst first, and the codes of the checks that found nothing."""

    findings = FindingSerializer(many=True)
    passed = serializers.ListField(child=serializers.CharField())


class ContentViewSet(viewsets.ReadOnlyModelViewSet[Any]):
    queryset = Content.objects.select_related("action__purpose", "edition__newsletter__purpose").order_by("-id")
    serializer_class = ContentSerializer
    filterset_fields = {"updated_at": ["gte", "lt"]}

    @extend_schema(parameters=[CheckQuestionSerializer], responses=CheckReportSerializer)
    @action(detail=True, filterset_fields=None, pagination_class=None)
    def checks(self, request: Request, pk: str) -> Response:
        """What is wrong with it, were it to go out now; without a purpose that of its action or newsletter."""
        question = CheckQuestionSerializer(data=request.query_params)
        question.is_valid(raise_exception=True)
        content, asked, now = self.get_object(), question.validated_data, clock()
        purpose, channels = _usual(content)
        selection = asked.get("selection")
        report = check_content(
            content,
            purpose=asked.get("purpose") or purpose,
            channels=asked.get("channels") or channels,
            candidates=members(selection, now=now) if selection else None,
            now=now,
        )
        return Response(CheckReportSerializer({
            "findings": report.findings, "passed": [check.code for check in report.passed]
        }).data)  # fmt: skip


def _usual(content: Content) -> tuple[Purpose, str]:
    """Return purpose and channels of what a content belongs to."""
    if action := getattr(content, "action", None):
        return action.purpose, action.channels
    edition = getattr(content, "edition", None)
    purpose = edition.newsletter.purpose if edition else Purpose.objects.get(code="marketing")
    return purpose, Mailing.Channels.EMAIL
