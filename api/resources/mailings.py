"""Mailings over the API: what was decided, what was sent, and what came back."""

from __future__ import annotations

from typing import Any

from django.db.models import Count
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from api.resources.fields import by_code, paged
from common.time import clock
from customers.models import Purpose
from mailings.gate import Terms, preview
from mailings.models import Click, Decision, EarlierDecision, MachineClick, Mailing, Message
from selections.compiler import members
from selections.models import Selection


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
            "hold_out_percent",
            "state",
            "pause_reason",
            "brake",
            "unsubscribe_count",
            "open_count",
            "machine_open_count",
            "created_at",
            "approved_at",
            "finished_at",
        ]


class DecisionSerializer(serializers.ModelSerializer[Decision]):
    customer = by_code(key="number")

    class Meta:
        model = Decision
        fields = ["customer", "outcome", "channel", "basis", "until", "decided_at"]


class EarlierDecisionSerializer(serializers.ModelSerializer[EarlierDecision]):
    customer = by_code(key="number")

    class Meta:
        model = EarlierDecision
        fields = ["customer", "outcome", "until", "decided_at", "replaced_at"]


class MessageSerializer(serializers.ModelSerializer[Message]):
    customer = by_code(key="number")

    class Meta:
        model = Message
        fields = ["id", "customer", "channel", "state", "attempts", "reply", "sent_at"]


class MailingReportSerializer(serializers.Serializer[Any]):
    """The funnel: candidates, decisions by outcome, messages by state, opens and customers who clicked; why
    readers unsubscribed; what programs opened, and clicked by reason, apart."""

    candidates = serializers.IntegerField()
    decisions = serializers.DictField(child=serializers.IntegerField())
    messages = serializers.DictField(child=serializers.IntegerField())
    opens = serializers.IntegerField()
    clicked = serializers.IntegerField()
    unsubscribe_reasons = serializers.DictField(child=serializers.IntegerField())
    machine_opens = serializers.IntegerField()
    machine_clicks = serializers.DictField(child=serializers.IntegerField())


class FunnelSerializer(serializers.Serializer[Any]):
    """What the gate would say of a selection: ``decisions`` is outcome -> customers; they add up to the candidates."""

    candidates = serializers.IntegerField()
    accepted = serializers.IntegerField()
    decisions = serializers.DictField(child=serializers.IntegerField())


class FunnelQuestionSerializer(serializers.Serializer[Any]):
    """A mailing to be: its purpose (code) and channels, the selection it is for (id), and its priority."""

    purpose = serializers.SlugRelatedField(slug_field="code", queryset=Purpose.objects.all())
    channels = serializers.ChoiceField(choices=Mailing.Channels.choices)
    selection = serializers.PrimaryKeyRelatedField(queryset=Selection.objects.in_use())
    priority = serializers.ChoiceField(choices=Mailing.Priority.choices, default=Mailing.Priority.NORMAL)


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
        by_machines = MachineClick.objects.filter(link__mailing=mailing).order_by()
        clicked = Click.objects.filter(message__mailing=mailing).aggregate(n=Count("message", distinct=True))["n"]
        return Response(
            {
                "candidates": sum(decisions.values()),
                "decisions": decisions,
                "messages": messages,
                "opens": mailing.open_count,
                "clicked": clicked,
                "unsubscribe_reasons": dict(mailing.unsubscribe_reasons.values_list("reason", "count")),
                "machine_opens": mailing.machine_open_count,
                "machine_clicks": dict(by_machines.values_list("reason").annotate(Count("id"))),
            }
        )

    @extend_schema(parameters=[FunnelQuestionSerializer], responses=FunnelSerializer)
    @action(detail=False, filterset_fields=None, pagination_class=None)
    def funnel(self, request: Request) -> Response:
        """What the gate would say at this moment of everybody in a selection; nothing is sent or kept."""
        question = FunnelQuestionSerializer(data=request.query_params)
        question.is_valid(raise_exception=True)
        asked, now = question.validated_data, clock()
        terms = Terms(asked["purpose"], asked["channels"], priority=int(asked["priority"]))
        counts = preview(terms, candidates=members(asked["selection"], now=now), now=now)
        accepted = counts.get(Decision.Outcome.ACCEPTED, 0)
        return Response({"candidates": sum(counts.values()), "accepted": accepted, "decisions": counts})

    @extend_schema(
        parameters=[OpenApiParameter("outcome", enum=Decision.Outcome.values)],
        responses=DecisionSerializer(many=True),
    )
    @action(detail=True, filterset_fields=None)
    def decisions(self, request: Request, pk: str) -> Response:
        """What the gate decided for each candidate, and why; of those who wait, until when."""
        found = self.get_object().decisions.select_related("customer").order_by("id")
        if outcome := request.query_params.get("outcome"):
            found = found.filter(outcome=outcome)
        return paged(self, found, DecisionSerializer)

    @extend_schema(responses=EarlierDecisionSerializer(many=True))
    @action(detail=True, filterset_fields=None, url_path="earlier-decisions")
    def earlier_decisions(self, request: Request, pk: str) -> Response:
        """What was decided about who waited for his turn, before the decision that holds now."""
        found = self.get_object().earlier_decisions.select_related("customer").order_by("id")
        return paged(self, found, EarlierDecisionSerializer)

    @extend_schema(responses=MessageSerializer(many=True))
    @action(detail=True, filterset_fields=None)
    def messages(self, request: Request, pk: str) -> Response:
        """Each message and how far it is."""
        return paged(self, self.get_object().messages.select_related("customer").order_by("id"), MessageSerializer)
