"""A/B tests over the API: set up, followed and decided."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import transaction
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from api.resources.content_previews import ContentTestSerializer, colleagues_field, purpose_of
from api.resources.fields import user_of
from common.time import clock
from customers.facts import fact_kinds
from mailings import actions
from mailings.experiments.results import due_at, scores_of, verdict_on
from mailings.models import Arm, Content, Experiment
from mailings.tasks import send_queued


class TestedVersionSerializer(serializers.ModelSerializer[Arm]):
    """What is empty is as in the message itself. ``content``: the text of its own, to be changed under contents."""

    letter = serializers.CharField(read_only=True)

    class Meta:
        model = Arm
        fields = ["letter", "percent", "subject", "sender_name", "moment", "content"]
        read_only_fields = ["content"]


class VersionWishSerializer(serializers.Serializer[Any]):
    """A version; what is left out is as in the message itself. ``has_own_content`` gives it a copy of the text."""

    percent = serializers.IntegerField(min_value=1, max_value=100)
    subject = serializers.CharField(max_length=200, required=False, allow_blank=True, default="")
    sender_name = serializers.CharField(max_length=80, required=False, allow_blank=True, default="")
    moment = serializers.TimeField(required=False, allow_null=True, default=None)
    has_own_content = serializers.BooleanField(required=False, default=False)


class ExperimentSerializer(serializers.ModelSerializer[Experiment]):
    winner = serializers.CharField(source="winner.letter", read_only=True, default=None)
    arms = TestedVersionSerializer(many=True, read_only=True)

    class Meta:
        model = Experiment
        fields = [
            "id", "content", "mailing", "metric", "fact_kind", "decide_after_hours", "is_automatic", "arms", "outcome",
            "winner", "created_at", "started_at", "decided_at",
        ]  # fmt: skip


class ExperimentWishSerializer(serializers.Serializer[Any]):
    """How a test is held; ``arms`` take the place of those there are."""

    metric = serializers.ChoiceField(choices=Experiment.Metric.choices, required=False)
    fact_kind = serializers.ChoiceField(choices=[], required=False, allow_blank=True)
    decide_after_hours = serializers.IntegerField(min_value=1, max_value=336, required=False)
    is_automatic = serializers.BooleanField(required=False)
    arms = VersionWishSerializer(many=True, required=False)

    def get_fields(self) -> dict[str, Any]:
        fields = super().get_fields()
        fields["fact_kind"] = serializers.ChoiceField(
            choices=[kind.code for kind in fact_kinds], required=False, allow_blank=True
        )
        return fields


class ExperimentStartSerializer(ExperimentWishSerializer):
    content = serializers.PrimaryKeyRelatedField(queryset=Content.objects.filter(arm=None))


class ChoiceSerializer(serializers.Serializer[Any]):
    """The letter of the version that the rest gets."""

    version = serializers.CharField(max_length=1)


class SendVersionSerializer(ChoiceSerializer):
    """The letter of a version, and to which colleagues it goes (user names; with an e-mail address)."""

    recipients = colleagues_field()


class ScoreSerializer(serializers.Serializer[Any]):
    """One version: messages sent, readers who did what counts, their share, and between which the true one lies."""

    letter = serializers.CharField(source="arm.letter")
    sent = serializers.IntegerField()
    reached = serializers.IntegerField()
    share = serializers.FloatField()
    likely = serializers.ListField(child=serializers.FloatField())


class ScoresSerializer(serializers.Serializer[Any]):
    """The figures so far, or on which it was decided. ``p``: how often equal versions differ this much; null: too few
    readers to say. ``due_at``: when it can be decided; null while some have yet to leave, and once it is decided.
    """

    scores = ScoreSerializer(many=True)
    p = serializers.FloatField(allow_null=True)
    is_difference = serializers.BooleanField()
    due_at = serializers.DateTimeField(allow_null=True)


class ExperimentViewSet(viewsets.ReadOnlyModelViewSet[Any]):
    queryset = Experiment.objects.select_related("winner").prefetch_related("arms").order_by("-id")
    serializer_class = ExperimentSerializer
    filterset_fields = {"content": ["exact"], "mailing": ["exact", "isnull"], "outcome": ["exact"]}
    rights: ClassVar[dict[str, str]] = dict.fromkeys(
        ["create", "partial_update", "destroy", "choose", "send_test"], "manage_mailings"
    )

    @extend_schema(request=ExperimentStartSerializer, responses={201: ExperimentSerializer})
    @transaction.atomic
    def create(self, request: Request) -> Response:
        """Set up a test for the next mailing of a content; without arms with two versions that are still the same."""
        wish = ExperimentStartSerializer(data=request.data)
        wish.is_valid(raise_exception=True)
        content = wish.validated_data.pop("content")
        experiment = actions.plan_experiment(content, by=user_of(request), now=clock())
        return self._apply(experiment, wish.validated_data, request, code=status.HTTP_201_CREATED)

    @extend_schema(request=ExperimentWishSerializer, responses=ExperimentSerializer)
    @transaction.atomic
    def partial_update(self, request: Request, pk: str) -> Response:
        """Change a test that has not started."""
        wish = ExperimentWishSerializer(data=request.data, partial=True)
        wish.is_valid(raise_exception=True)
        return self._apply(self.get_object(), wish.validated_data, request)

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, pk: str) -> Response:
        """Take back a test that has not started."""
        actions.remove_experiment(self.get_object(), by=user_of(request))
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(request=ChoiceSerializer, responses=ExperimentSerializer)
    @action(detail=True, methods=["post"], filterset_fields=None)
    def choose(self, request: Request, pk: str) -> Response:
        """Decide now: the rest gets this version."""
        wish = ChoiceSerializer(data=request.data)
        wish.is_valid(raise_exception=True)
        experiment = self.get_object()
        winner = self._version(experiment, wish.validated_data["version"])
        actions.decide_experiment(experiment, winner=winner, by=user_of(request), now=clock())
        send_queued.delay_on_commit()  # type: ignore[attr-defined]
        return self._answer(experiment)

    @extend_schema(request=SendVersionSerializer, responses=ContentTestSerializer(many=True))
    @action(detail=True, methods=["post"], url_path="send-test", filterset_fields=None, pagination_class=None)
    def send_test(self, request: Request, pk: str) -> Response:
        """Send one version to colleagues, once it has started as it was frozen; nothing is counted."""
        wish = SendVersionSerializer(data=request.data)
        wish.is_valid(raise_exception=True)
        experiment = self.get_object()
        arm = self._version(experiment, wish.validated_data["version"])
        purpose = experiment.mailing.purpose if experiment.mailing else purpose_of(experiment.content)
        sent = actions.send_tests(
            arm.content or experiment.content,
            recipients=list(wish.validated_data["recipients"]),
            purpose=purpose,
            arm=arm,
            by=user_of(request),
            now=clock(),
        )
        return Response(ContentTestSerializer(sent, many=True).data)

    @extend_schema(responses=ScoresSerializer)
    @action(detail=True, filterset_fields=None, pagination_class=None)
    def scores(self, request: Request, pk: str) -> Response:
        """What came of each version."""
        experiment = self.get_object()
        scores = scores_of(experiment)
        verdict = verdict_on(scores)
        due = None if experiment.decided_at else due_at(experiment)
        answer = {"scores": scores, "p": verdict.p, "is_difference": verdict.is_difference, "due_at": due}
        return Response(ScoresSerializer(answer).data)

    def _version(self, experiment: Experiment, letter: str) -> Arm:
        letters = {arm.letter: arm for arm in experiment.versions}
        if letter.upper() not in letters:
            raise serializers.ValidationError({"version": [", ".join(letters)]})
        return letters[letter.upper()]

    def _apply(self, experiment: Experiment, wish: dict[str, Any], request: Request, *, code: int = 200) -> Response:
        arms = wish.pop("arms", None)
        names = ("metric", "fact_kind", "decide_after_hours", "is_automatic")
        known = {name: getattr(experiment, name) for name in names}
        if wish:
            actions.change_experiment(experiment, **{**known, **wish}, by=user_of(request))
        if arms is not None:
            actions.set_arms(experiment, arms, by=user_of(request), now=clock())
        return self._answer(experiment, code=code)

    def _answer(self, experiment: Experiment, *, code: int = 200) -> Response:
        fresh = get_object_or_404(self.get_queryset(), pk=experiment.pk)
        return Response(self.get_serializer(fresh).data, status=code)
