"""Triggers over the API: on a birthday, so many days after something, on a move from one label to another, …"""

from __future__ import annotations

from typing import Any, ClassVar

from django.db.models import QuerySet
from django.forms import Field
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from api.resources.contents import FindingSerializer
from api.resources.fields import user_of
from campaigns import actions
from campaigns.models import Action, Campaign, Trigger
from campaigns.triggers import describe, trigger_kinds
from common.errors import Refused
from common.time import clock
from mailings.checks import Report, check_content
from selections.models import Selection

MOST_CHOICES = 200  # of a setting, as many as are told


class TriggerSerializer(serializers.ModelSerializer[Trigger]):
    """A trigger: for exactly one of ``action`` (it is sent) and ``campaign`` (they are let in), by id.

    ``kind`` and its settings, ``params``, are described by ``/triggers/kinds/``; a cell of the shift matrix is
    ``label_move`` with ``label_group``, ``from_label`` and ``to_label`` (codes; “~none” for none). ``selection``
    narrows whom it concerns. It is off until it is turned on.
    """

    kind = serializers.ChoiceField(choices=[(kind.code, kind.code) for kind in trigger_kinds])
    params = serializers.DictField(required=False, default=dict)
    selection = serializers.PrimaryKeyRelatedField(queryset=Selection.objects.in_use(), required=False, allow_null=True)
    action = serializers.PrimaryKeyRelatedField(queryset=Action.objects.in_use(), required=False, allow_null=True)
    campaign = serializers.PrimaryKeyRelatedField(
        queryset=Campaign.objects.exclude(state="finished"), required=False, allow_null=True
    )
    sentence = serializers.SerializerMethodField(help_text="When it goes off, in words")
    last_due_on = serializers.DateField(read_only=True, allow_null=True, default=None)
    last_count = serializers.IntegerField(read_only=True, allow_null=True, default=None)
    last_error = serializers.CharField(read_only=True, allow_null=True, default=None)

    class Meta:
        model = Trigger
        fields = [
            "id", "name", "kind", "params", "sentence", "selection", "action", "campaign", "is_active", "active_since",
            "created_at", "last_due_on", "last_count", "last_error",
        ]  # fmt: skip
        read_only_fields = ["is_active", "active_since", "created_at"]
        # The action refuses a name in use, in the words that the workbench has for it.
        extra_kwargs: ClassVar[dict[str, Any]] = {"name": {"validators": []}}

    def get_sentence(self, trigger: Trigger) -> str:
        words = self.context.get("words") or describe([trigger])
        return str(words[trigger.pk])


class SettingSerializer(serializers.Serializer[Any]):
    """One setting of a kind: its name, what it is, whether it must be given, its usual value, what is chosen from."""

    name = serializers.CharField()
    words = serializers.CharField()
    is_required = serializers.BooleanField()
    preset = serializers.JSONField(allow_null=True)
    choices = serializers.ListField(child=serializers.CharField())


class KindSerializer(serializers.Serializer[Any]):
    """A kind of trigger with its settings."""

    code = serializers.CharField()
    words = serializers.CharField()
    help = serializers.CharField()
    settings = SettingSerializer(many=True)


class WouldTurnOnSerializer(serializers.Serializer[Any]):
    """What the checks found: an error keeps it off, warnings are confirmed by naming their ``fingerprint``."""

    findings = FindingSerializer(many=True)
    fingerprint = serializers.CharField(allow_blank=True)


class TurnOnSerializer(serializers.Serializer[Any]):
    """``confirmed``: the fingerprint of the warnings that somebody has seen, as the GET tells it."""

    confirmed = serializers.CharField(max_length=40, required=False, allow_blank=True, default="")


class TriggerViewSet(
    mixins.ListModelMixin, mixins.RetrieveModelMixin, mixins.DestroyModelMixin, viewsets.GenericViewSet[Any]
):
    queryset = Trigger.objects.select_related("action__purpose", "action__content", "campaign", "selection").order_by(
        "id"
    )
    serializer_class = TriggerSerializer
    filterset_fields = ["kind", "action", "campaign", "is_active"]
    rights: ClassVar[dict[str, str]] = dict.fromkeys(
        ["create", "partial_update", "destroy", "turn_on", "off"], "manage_campaigns"
    )

    def get_queryset(self) -> QuerySet[Any]:
        return super().get_queryset().with_last_run()  # type: ignore[attr-defined, no-any-return]

    def list(self, request: Request) -> Response:
        page: list[Trigger] = list(self.paginate_queryset(self.filter_queryset(self.get_queryset())) or [])
        told = TriggerSerializer(page, many=True, context={"words": describe(page)})
        return self.get_paginated_response(told.data)

    @extend_schema(request=TriggerSerializer, responses={201: TriggerSerializer})
    def create(self, request: Request) -> Response:
        """Make a trigger; it is still off."""
        wish = TriggerSerializer(data=request.data)
        wish.is_valid(raise_exception=True)
        made = actions.create_trigger(**wish.validated_data, by=user_of(request), now=clock())
        return Response(TriggerSerializer(made).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=TriggerSerializer, responses=TriggerSerializer)
    def partial_update(self, request: Request, pk: str) -> Response:
        """Change name, settings or selection; one that is on counts as turned on anew. What it is of stays."""
        trigger = self.get_object()
        wish = TriggerSerializer(trigger, data=request.data, partial=True)
        wish.is_valid(raise_exception=True)
        told = wish.validated_data
        for name in ("kind", "action", "campaign"):
            if name in told and told[name] != getattr(trigger, name):
                raise Refused("fixed", f"{name} cannot be changed.", field=name)
        fields = {name: told.get(name, getattr(trigger, name)) for name in ("name", "params", "selection")}
        changed = actions.change_trigger(trigger, **fields, by=user_of(request), now=clock())
        return Response(TriggerSerializer(changed).data)

    def perform_destroy(self, instance: Trigger) -> None:
        actions.delete_trigger(instance, by=user_of(self.request))

    @extend_schema(responses=WouldTurnOnSerializer)
    @action(detail=True, filterset_fields=None, pagination_class=None)
    def on(self, request: Request, pk: str) -> Response:
        """What the checks find in the action it would send; nothing is turned on."""
        act = self.get_object().action
        if act is None:  # of a campaign the steps are looked at when that starts
            return Response(WouldTurnOnSerializer(Report()).data)
        report = check_content(act.content, purpose=act.purpose, channels=act.channels, now=clock())
        return Response(WouldTurnOnSerializer(report).data)

    @extend_schema(request=TurnOnSerializer, responses=TriggerSerializer)
    @on.mapping.post
    def turn_on(self, request: Request, pk: str) -> Response:
        """Turn it on, from today. Refused on an error of the checks, and on warnings that are not ``confirmed``."""
        wish = TurnOnSerializer(data=request.data)
        wish.is_valid(raise_exception=True)
        told = wish.validated_data["confirmed"]
        done = actions.activate_trigger(self.get_object(), confirmed=told, by=user_of(request), now=clock())
        return Response(TriggerSerializer(done).data)

    @extend_schema(request=None, responses=TriggerSerializer)
    @action(detail=True, methods=["post"], filterset_fields=None, pagination_class=None)
    def off(self, request: Request, pk: str) -> Response:
        """Turn it off; days that pass meanwhile are not made up for."""
        done = actions.deactivate_trigger(self.get_object(), by=user_of(request), now=clock())
        return Response(TriggerSerializer(done).data)

    @extend_schema(responses=KindSerializer(many=True))
    @action(detail=False, filterset_fields=None, pagination_class=None)
    def kinds(self, request: Request) -> Response:
        """The kinds of trigger there are, and their settings."""
        told = [
            {
                "code": kind.code,
                "words": str(kind.label),
                "help": str(kind.help),
                "settings": [_setting(name, field) for name, field in kind.form().fields.items()],
            }
            for kind in trigger_kinds
        ]
        return Response(KindSerializer(told, many=True).data)


def _setting(name: str, field: Field) -> dict[str, Any]:
    preset = field.initial() if callable(field.initial) else field.initial
    return {
        "name": name,
        "words": str(field.label or name),
        "is_required": field.required,
        "preset": preset,
        "choices": _choices(getattr(field, "choices", [])),
    }


def _choices(choices: Any) -> list[str]:
    """Return the codes to choose from, those under headings too."""
    found: list[str] = []
    for code, words in choices:
        found += [str(inner) for inner, _words in words] if isinstance(words, list | tuple) else [str(code)]
        if len(found) >= MOST_CHOICES:
            break
    return found[:MOST_CHOICES]
