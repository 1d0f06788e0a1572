"""Mailings over the API: what was decided, what was sent, and what came back."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from api.permissions import MayApproveMailings, MayManageMailings
from api.resources.fields import by_code, paged, user_of
from api.resources.mailing_previews import PreviewsOfMailings
from api.resources.reports import WithReport
from common.time import clock
from customers.consents import reaching_purposes
from mailings.actions import approve, cancel, pause, refuse, resume
from mailings.gate import Terms, preview
from mailings.models import Decision, EarlierDecision, Mailing, Message, SeenWarnings
from mailings.tasks import send_queued
from mailings.wording import words_of
from selections.compiler import members
from selections.models import Selection


class SeenWarningSerializer(serializers.Serializer[Any]):
    """One warning, as it was shown: which, about which block, and its words."""

    code = serializers.CharField()
    place = serializers.CharField()
    words = serializers.CharField()


class MailingSerializer(serializers.ModelSerializer[Mailing]):
    """A mailing; ``planned_by`` had it begin by itself, and neither he nor ``created_by`` may approve it."""

    purpose = by_code()
    created_by = by_code(key="username")
    planned_by = by_code(key="username")
    approved_by = by_code(key="username")

    class Meta:
        model = Mailing
        fields = [
            "id",
            "name",
            "origin",
            "purpose",
            "channels",
            "letters_to",
            "priority",
            "hold_out_percent",
            "state",
            "pause_reason",
            "brake",
            "unsubscribe_count",
            "open_count",
            "machine_open_count",
            "created_at",
            "created_by",
            "planned_by",
            "approved_at",
            "approved_by",
            "finished_at",
        ]


class SeenWarningsSerializer(serializers.ModelSerializer[SeenWarnings]):
    """Warnings of the checks with which somebody let a mailing go out."""

    confirmed_by = by_code(key="username")
    warnings = SeenWarningSerializer(many=True)

    class Meta:
        model = SeenWarnings
        fields = ["confirmed_at", "confirmed_by", "warnings"]


class DecisionSerializer(serializers.ModelSerializer[Decision]):
    """What was decided about a customer, and why in words; ``rule`` is what it follows from, where it has numbers."""

    customer = by_code(key="number")
    words = serializers.SerializerMethodField()

    class Meta:
        model = Decision
        fields = ["customer", "outcome", "words", "channel", "basis", "rule", "until", "decided_at"]

    def get_words(self, decision: Decision) -> str:
        return words_of(decision, purpose=decision.mailing.purpose.name)


class EarlierDecisionSerializer(serializers.ModelSerializer[EarlierDecision]):
    customer = by_code(key="number")

    class Meta:
        model = EarlierDecision
        fields = ["customer", "outcome", "rule", "until", "decided_at", "replaced_at"]


class MessageSerializer(serializers.ModelSerializer[Message]):
    customer = by_code(key="number")

    class Meta:
        model = Message
        fields = ["id", "customer", "channel", "state", "attempts", "reply", "sent_at"]


class FunnelSerializer(serializers.Serializer[Any]):
    """What the gate would say of a selection: ``decisions`` is outcome -> customers; they add up to the candidates."""

    candidates = serializers.IntegerField()
    accepted = serializers.IntegerField()
    decisions = serializers.DictField(child=serializers.IntegerField())


class FunnelQuestionSerializer(serializers.Serializer[Any]):
    """A mailing to be: its purpose (code) and channels, the selection it is for (id), and its priority."""

    purpose = serializers.SlugRelatedField(slug_field="code", queryset=reaching_purposes())
    channels = serializers.ChoiceField(choices=Mailing.Channels.choices)
    selection = serializers.PrimaryKeyRelatedField(queryset=Selection.objects.in_use())
    priority = serializers.ChoiceField(choices=Mailing.Priority.choices, default=Mailing.Priority.NORMAL)


class ApprovalSerializer(serializers.Serializer[Any]):
    """``seen`` is what the preview of the mailing (``preview/``) told: the mark of what was looked at."""

    seen = serializers.CharField(max_length=40)


class RefusalSerializer(serializers.Serializer[Any]):
    """Why not; who started the mailing reads it."""

    reason = serializers.CharField(max_length=200)


class PauseSerializer(serializers.Serializer[Any]):
    """Why, for who looks at the mailing."""

    reason = serializers.CharField(max_length=200, required=False, allow_blank=True)


class MailingViewSet(PreviewsOfMailings, WithReport, viewsets.ReadOnlyModelViewSet[Any]):
    queryset = Mailing.objects.select_related("purpose", "created_by", "planned_by", "approved_by").order_by("-id")
    serializer_class = MailingSerializer
    filterset_fields = {"state": ["exact"], "origin": ["exact"], "created_at": ["gte", "lt"]}

    def mailings_of(self, thing: Mailing) -> QuerySet[Mailing]:
        return Mailing.objects.filter(pk=thing.pk)

    @extend_schema(request=ApprovalSerializer, responses=MailingSerializer)
    @action(detail=True, methods=["post"], permission_classes=[MayApproveMailings], filterset_fields=None)
    def approve(self, request: Request, pk: str) -> Response:
        """Let a mailing that awaits approval go out; not by who started or planned it, and refused (``not_as_seen``)
        when it is not as its preview showed it any more.
        """
        sent = ApprovalSerializer(data=request.data)
        sent.is_valid(raise_exception=True)
        mailing = self.get_object()
        approve(mailing, **sent.validated_data, by=user_of(request), now=clock())
        send_queued.delay_on_commit()  # type: ignore[attr-defined]
        mailing.refresh_from_db()
        return Response(MailingSerializer(mailing).data)

    @extend_schema(request=RefusalSerializer, responses=MailingSerializer)
    @action(detail=True, methods=["post"], permission_classes=[MayApproveMailings], filterset_fields=None)
    def refuse(self, request: Request, pk: str) -> Response:
        """Cancel a mailing that awaits approval, with the reason; not by who started or planned it."""
        sent = RefusalSerializer(data=request.data)
        sent.is_valid(raise_exception=True)
        mailing = self.get_object()
        refuse(mailing, **sent.validated_data, by=user_of(request), now=clock())
        mailing.refresh_from_db()
        return Response(MailingSerializer(mailing).data)

    @extend_schema(request=PauseSerializer, responses=MailingSerializer)
    @action(detail=True, methods=["post"], permission_classes=[MayManageMailings], filterset_fields=None)
    def pause(self, request: Request, pk: str) -> Response:
        """Send nothing more of a mailing until it is resumed; what is under way still arrives."""
        sent = PauseSerializer(data=request.data)
        sent.is_valid(raise_exception=True)
        mailing = self.get_object()
        pause(mailing, **sent.validated_data, by=user_of(request), now=clock())
        mailing.refresh_from_db()
        return Response(MailingSerializer(mailing).data)

    @extend_schema(request=None, responses=MailingSerializer)
    @action(detail=True, methods=["post"], permission_classes=[MayManageMailings], filterset_fields=None)
    def resume(self, request: Request, pk: str) -> Response:
        """Go on with a mailing on pause; when the brake stopped it, it does not stop it again."""
        mailing = self.get_object()
        resume(mailing, by=user_of(request), now=clock())
        send_queued.delay_on_commit()  # type: ignore[attr-defined]
        mailing.refresh_from_db()
        return Response(MailingSerializer(mailing).data)

    @extend_schema(request=None, responses=MailingSerializer)
    @action(detail=True, methods=["post"], permission_classes=[MayManageMailings], filterset_fields=None)
    def cancel(self, request: Request, pk: str) -> Response:
        """Send nothing more of a mailing, for good."""
        mailing = self.get_object()
        cancel(mailing, by=user_of(request), now=clock())
        mailing.refresh_from_db()
        return Response(MailingSerializer(mailing).data)

    @extend_schema(responses=SeenWarningsSerializer(many=True))
    @action(detail=True, filterset_fields=None)
    def warnings(self, request: Request, pk: str) -> Response:
        """The warnings that were confirmed before it went out, and by whom; the latest first."""
        found = SeenWarnings.objects.of_mailing(self.get_object()).select_related("confirmed_by")
        return paged(self, found, SeenWarningsSerializer)

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
        found = self.get_object().decisions.select_related("customer", "mailing__purpose").order_by("customer_id")
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
        found = self.get_object().messages.select_related("customer").order_by("customer_id")  # as the index has them
        return paged(self, found, MessageSerializer)
