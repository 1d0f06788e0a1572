"""Mailings over the API: what was decided, what was sent, and what came back."""

from __future__ import annotations

from typing import Any

from django.db.models import Count
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from api.resources.fields import by_code, paged
from mailings.models import Click, Decision, Mailing, Message


class MailingSerializer(serializers.ModelSerializer[Mailing]):
    purpose = by_code()

    class Meta:
        model = Mailing
        fields = [
            "id",
            "name",
            "origin",
            "purpose",
            "channels",
            "priority",
            "state",
            "pause_reason",
            "brake",
            "unsubscribe_count",
            "open_count",
            "created_at",
            "approved_at",
            "finished_at",
        ]


class DecisionSerializer(serializers.ModelSerializer[Decision]):
    customer = by_code(key="number")

    class Meta:
        model = Decision
        fields = ["customer", "outcome", "channel", "basis", "until", "decided_at"]


class MessageSerializer(serializers.ModelSerializer[Message]):
    customer = by_code(key="number")

    class Meta:
        model = Message
        fields = ["id", "customer", "channel", "state", "attempts", "reply", "sent_at"]


class MailingReportSerializer(serializers.Serializer[Any]):
    """The funnel: candidates, decisions by outcome, messages by state, opens in total, customers who clicked."""

    candidates = serializers.IntegerField()
    decisions = serializers.DictField(child=serializers.IntegerField())
    messages = serializers.DictField(child=serializers.IntegerField())
    opens = serializers.IntegerField()
    clicked = serializers.IntegerField()


class MailingViewSet(viewsets.ReadOnlyModelViewSet[Any]):
    queryset = Mailing.objects.select_related("purpose").order_by("-id")
    serializer_class = MailingSerializer
    filterset_fields = {"state": ["exact"], "origin": ["exact"], "created_at": ["gte", "lt"]}

    @extend_schema(responses=MailingReportSerializer)
    @action(detail=True, filterset_fields=None)
    def report(self, request: Request, pk: str) -> Response:
        """The funnel of this mailing, from candidates to clicks."""
        mailing = self.get_object()
        decisions = dict(mailing.decisions.order_by().values_list("outcome").annotate(Count("id")))
        messages = dict(mailing.messages.order_by().values_list("state").annotate(Count("id")))
        clicked = Click.objects.filter(message__mailing=mailing).aggregate(n=Count("message", distinct=True))["n"]
        return Response(
            {
                "candidates": sum(decisions.values()),
                "decisions": decisions,
                "messages": messages,
                "opens": mailing.open_count,
                "clicked": clicked,
            }
        )

    @extend_schema(responses=DecisionSerializer(many=True))
    @action(detail=True, filterset_fields=None)
    def decisions(self, request: Request, pk: str) -> Response:
        """What the gate decided for each candidate, and why."""
        return paged(self, self.get_object().decisions.select_related("customer").order_by("id"), DecisionSerializer)

    @extend_schema(responses=MessageSerializer(many=True))
    @action(detail=True, filterset_fields=None)
    def messages(self, request: Request, pk: str) -> Response:
        """Each message and how far it is."""
        return paged(self, self.get_object().messages.select_related("customer").order_by("id"), MessageSerializer)
