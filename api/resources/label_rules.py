"""Rules of labels over the API: what a label follows, what that would do, and its history worked out afterwards."""

from __future__ import annotations

from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from api.resources.fields import paged, user_of
from api.resources.labels import LabelViewSet
from common.errors import Refused
from common.time import clock
from labels.actions import ask_backfill, draft_rule, drop_rule, set_rule, take_back
from labels.models import Backfill, Label, RuleRun
from labels.rules.history import family_of
from labels.rules.preview import Preview, preview
from labels.tasks import follow_rule_now, work_out_histories
from selections.explain import describe_stored
from selections.models import Selection


class RuleSerializer(serializers.Serializer[Any]):
    """What a label follows: the id of a saved selection, or a rule of its own (as of a selection); ``sentence`` has it
    in words.
    """

    selection = serializers.PrimaryKeyRelatedField(queryset=Selection.objects.all(), required=False, allow_null=True)
    rule = serializers.JSONField(required=False, allow_null=True)
    sentence = serializers.CharField(read_only=True)


class PreviewSerializer(serializers.Serializer[Any]):
    """What a rule would do: how many get, keep and lose the label; ``first_day``: the night of the first run.
    ``unpermitted`` and ``held`` meet the rule and do not get it: they permit no profiling, or keep another label of the
    group that was given by hand.
    """

    gives = serializers.IntegerField()
    keeps = serializers.IntegerField()
    takes = serializers.IntegerField()
    unpermitted = serializers.IntegerField()
    held = serializers.IntegerField()
    first_day = serializers.DateField(allow_null=True)
    given_examples = serializers.ListField(child=serializers.CharField())
    taken_examples = serializers.ListField(child=serializers.CharField())


class BackfillSerializer(serializers.ModelSerializer[Backfill]):
    """A history that is or was worked out, of a label or of all labels of a system family."""

    class Meta:
        model = Backfill
        fields = [
            "id", "family", "grid", "first_day", "until", "state", "moment_count", "moments_done", "written_count",
            "problem", "asked_at", "finished_at", "undone_at",
        ]  # fmt: skip
        read_only_fields = [name for name in fields if name not in ("grid", "first_day")]


class RunSerializer(serializers.ModelSerializer[RuleRun]):
    """One time that the label was brought in line with its rule; with a ``problem`` nothing was changed."""

    class Meta:
        model = RuleRun
        fields = ["at", "given_count", "taken_count", "problem"]


class LabelsWithRules(LabelViewSet):
    """Labels, with their rules and histories."""

    @extend_schema(responses=RuleSerializer)
    @action(detail=True, filterset_fields=None, pagination_class=None)
    def rule(self, request: Request, code: str) -> Response:
        """The rule that the label follows; empty when it follows none."""
        return Response(_rule_of(self.get_object()))

    @extend_schema(request=RuleSerializer, responses=RuleSerializer)
    @rule.mapping.put
    def set_rule(self, request: Request, code: str) -> Response:
        """Let the label follow a rule, from the coming night on."""
        label = self.get_object()
        return Response(_rule_of(set_rule(label, **self._asked(request), by=user_of(request), now=clock())))

    @extend_schema(responses={204: None})
    @rule.mapping.delete
    def drop_rule(self, request: Request, code: str) -> Response:
        """Let the label follow no rule any more; who has it keeps it."""
        drop_rule(self.get_object(), by=user_of(request))
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(request=None, responses={202: None})
    @action(detail=True, methods=["post"], filterset_fields=None, pagination_class=None)
    def follow(self, request: Request, code: str) -> Response:
        """Have the label brought in line with its rule without waiting for the night; ``runs`` tells what that did."""
        label = self.get_object()
        if not label.is_by_rule:
            raise Refused("no_rule", f"{label} has no rule.")
        follow_rule_now.delay_on_commit(label.pk)  # type: ignore[attr-defined]
        return Response(status=status.HTTP_202_ACCEPTED)

    @extend_schema(responses=RunSerializer(many=True))
    @action(detail=True, filterset_fields=None)
    def runs(self, request: Request, code: str) -> Response:
        """When the label was brought in line with its rule, and what that did, the latest first."""
        return paged(self, self.get_object().rule_runs.order_by("-at", "-pk"), RunSerializer)

    @extend_schema(request=RuleSerializer, responses=PreviewSerializer)
    @action(detail=True, methods=["post"], filterset_fields=None, pagination_class=None)
    def preview(self, request: Request, code: str) -> Response:
        """What a rule would do; nothing is written."""
        now = clock()
        return Response(_told(preview(draft_rule(self.get_object(), **self._asked(request), now=now), now=now)))

    @extend_schema(responses=BackfillSerializer(many=True))
    @action(detail=True, filterset_fields=None, pagination_class=None)
    def backfills(self, request: Request, code: str) -> Response:
        """The histories that were asked for."""
        return Response(BackfillSerializer(_backfills(self.get_object()), many=True).data)

    @extend_schema(request=BackfillSerializer, responses={201: BackfillSerializer})
    @backfills.mapping.post
    def ask_backfill(self, request: Request, code: str) -> Response:
        """Have the history worked out from a day on; ask again to see how far it is."""
        wish = BackfillSerializer(data=request.data)
        wish.is_valid(raise_exception=True)
        day, grid = wish.validated_data["first_day"], wish.validated_data.get("grid", Backfill.Grid.MONTH)
        asked = ask_backfill(self.get_object(), first_day=day, grid=grid, by=user_of(request), now=clock())
        work_out_histories.delay_on_commit()  # type: ignore[attr-defined]
        return Response(BackfillSerializer(asked).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=None, responses=BackfillSerializer)
    @action(
        detail=True, methods=["post"], filterset_fields=None, pagination_class=None,
        url_path=r"backfills/(?P<backfill>\d{1,18})/undo",
    )  # fmt: skip
    def undo_backfill(self, request: Request, code: str, backfill: str) -> Response:
        """Take a worked-out history back, or stop one that is busy."""
        mine = _backfills(self.get_object())
        take_back(get_object_or_404(mine, pk=backfill), by=user_of(request), now=clock())
        return Response(BackfillSerializer(mine.get(pk=backfill)).data)

    def _asked(self, request: Request) -> dict[str, Any]:
        wish = RuleSerializer(data=request.data)
        wish.is_valid(raise_exception=True)
        return {name: wish.validated_data.get(name) for name in ("rule", "selection")}


def _rule_of(label: Label) -> dict[str, Any]:
    sentence = describe_stored(label.rule_json) if label.rule_json else ""
    return {"selection": label.selection_id, "rule": label.rule, "sentence": sentence}


def _told(seen: Preview) -> dict[str, Any]:
    return {
        **{name: getattr(seen, name) for name in ("gives", "keeps", "takes", "unpermitted", "held", "first_day")},
        "given_examples": [customer.number for customer in seen.given_examples],
        "taken_examples": [customer.number for customer in seen.taken_examples],
    }


def _backfills(label: Label) -> Any:
    family = family_of(label)
    return Backfill.objects.filter(family=family.code) if family else Backfill.objects.filter(label=label)
