"""How the organisation sends, over the API: settings, limits on messages and closing days, each with its history."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.apps import apps
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.generics import GenericAPIView, ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from api.permissions import MayManageSending
from api.resources.fields import branch_field, by_code, paged, user_of
from customers.consents import reaching_purposes
from mailings import actions
from mailings.models import CallSettings, CapRule, ClosingDay, SendingSettings, TextSettings

_OWN_FIELDS = {"pgh_id", "pgh_created_at", "pgh_label", "pgh_obj", "pgh_context"}


def _events(model: str) -> QuerySet[Any]:
    events: QuerySet[Any] = apps.get_model("mailings", model).objects.all()
    return events.select_related("pgh_context").order_by("-pgh_id")


class SettingChangeSerializer(serializers.Serializer[Any]):
    """One change: when, by whom ("system" for a program), what (insert, update, delete), and all values since."""

    at = serializers.DateTimeField(source="pgh_created_at")
    by = serializers.SerializerMethodField()
    change = serializers.CharField(source="pgh_label")
    values = serializers.SerializerMethodField()

    def get_by(self, event: Any) -> str:
        return str(event.pgh_context.metadata.get("by", "system")) if event.pgh_context else "system"

    def get_values(self, event: Any) -> dict[str, Any]:
        fields = [field for field in event._meta.fields if field.name not in _OWN_FIELDS]
        return {field.attname: getattr(event, field.attname) for field in fields}


class SendingSettingsSerializer(serializers.ModelSerializer[SendingSettings]):
    """Identity, hours and days of sending, control group, approval and the brake (limits in per mille, 0 is never)."""

    class Meta:
        model = SendingSettings
        exclude = ["id"]


class CallSettingsSerializer(serializers.ModelSerializer[CallSettings]):
    """Between which hours customers are called, how many a day (0: no limit) and how often one is tried."""

    class Meta:
        model = CallSettings
        exclude = ["id"]


class TextSettingsSerializer(serializers.ModelSerializer[TextSettings]):
    """From whom text messages come, at what price (thousandths of a euro per part), of how many parts at most, when."""

    class Meta:
        model = TextSettings
        exclude = ["id"]


class _SettingsView(GenericAPIView[Any]):
    """One set of settings, changed by an action of ours."""

    permission_classes = [MayManageSending]
    serializer_class: Any
    pagination_class = None
    change: Callable[..., Any]

    def get(self, request: Request) -> Response:
        """All settings."""
        return Response(self.get_serializer(self._load()).data)

    def patch(self, request: Request) -> Response:
        """Change what is given."""
        sent = self.get_serializer(self._load(), data=request.data, partial=True)
        sent.is_valid(raise_exception=True)
        changed = type(self).change(by=user_of(request), **sent.validated_data)
        return Response(self.get_serializer(changed).data)

    def _load(self) -> Any:
        return self.serializer_class.Meta.model.load()


class SendingSettingsView(_SettingsView):
    """The settings of sending; a change holds for mailings that start from then on."""

    serializer_class = SendingSettingsSerializer
    change = staticmethod(actions.change_sending_settings)


class CallSettingsView(_SettingsView):
    """How customers are called; a change holds from the next call on."""

    serializer_class = CallSettingsSerializer
    change = staticmethod(actions.change_call_settings)


class TextSettingsView(_SettingsView):
    """How text messages are sent; a change holds from the next message on."""

    serializer_class = TextSettingsSerializer
    change = staticmethod(actions.change_text_settings)


class _HistoryView(ListAPIView[Any]):
    permission_classes = [MayManageSending]
    serializer_class = SettingChangeSerializer
    event_model = ""

    def get_queryset(self) -> QuerySet[Any]:
        return _events(self.event_model)


class SendingHistoryView(_HistoryView):
    """Each change of the settings of sending, the latest first."""

    event_model = "SendingSettingsEvent"


class CallHistoryView(_HistoryView):
    """Each change of how customers are called, the latest first."""

    event_model = "CallSettingsEvent"


class TextHistoryView(_HistoryView):
    """Each change of how text messages are sent, the latest first."""

    event_model = "TextSettingsEvent"


class Kept(mixins.ListModelMixin, mixins.RetrieveModelMixin, mixins.DestroyModelMixin, viewsets.GenericViewSet[Any]):
    """What is made, changed and removed by an action of ours each, and whose history stays."""

    permission_classes = [MayManageSending]
    serializer_class: Any
    filterset_fields: Any = []
    event_model = ""

    def save(self, known: Any, values: dict[str, Any], request: Request) -> Any:
        raise NotImplementedError

    def create(self, request: Request) -> Response:
        """Make one; it holds for what is decided from now on."""
        sent = self.get_serializer(data=request.data)
        sent.is_valid(raise_exception=True)
        made = self.save(None, sent.validated_data, request)
        return Response(self.get_serializer(made).data, status=status.HTTP_201_CREATED)

    def partial_update(self, request: Request, pk: str) -> Response:
        """Change what is given."""
        known = self.get_object()
        sent = self.get_serializer(known, data=request.data, partial=True)
        sent.is_valid(raise_exception=True)
        before = {name: getattr(known, name) for name in self.serializer_class.Meta.fields if name != "id"}
        return Response(self.get_serializer(self.save(known, {**before, **sent.validated_data}, request)).data)

    @extend_schema(responses=SettingChangeSerializer(many=True))
    @action(detail=False, filterset_fields=None)
    def history(self, request: Request) -> Response:
        """Each change, also of those that were removed, the latest first."""
        return paged(self, _events(self.event_model), SettingChangeSerializer)


class MessageLimitSerializer(serializers.ModelSerializer[CapRule]):
    """At most ``messages`` to a customer in ``days`` days, of a purpose (code) and channel or of all."""

    purpose = by_code(reaching_purposes(), required=False, allow_null=True)

    class Meta:
        model = CapRule
        fields = ["id", "messages", "days", "purpose", "channel"]
        validators: list[Any] = []  # the action says in words that there is one of this kind


class MessageLimitViewSet(Kept):
    queryset = CapRule.objects.select_related("purpose").order_by("days", "id")
    serializer_class = MessageLimitSerializer
    event_model = "CapRuleEvent"

    def save(self, known: CapRule | None, values: dict[str, Any], request: Request) -> CapRule:
        return actions.save_cap_rule(known, **values, by=user_of(request))

    def perform_destroy(self, instance: CapRule) -> None:
        actions.remove_cap_rule(instance, by=user_of(self.request))


class ClosingDaySerializer(serializers.ModelSerializer[ClosingDay]):
    """Days, the last included, on which only service messages leave: of a branch (code) or of the organisation."""

    branch = branch_field()

    class Meta:
        model = ClosingDay
        fields = ["id", "name", "branch", "first_day", "last_day"]


class ClosingDayViewSet(Kept):
    queryset = ClosingDay.objects.select_related("branch").order_by("first_day", "id")
    serializer_class = ClosingDaySerializer
    filterset_fields = {"last_day": ["gte"], "branch__code": ["exact"]}
    event_model = "ClosingDayEvent"

    def save(self, known: ClosingDay | None, values: dict[str, Any], request: Request) -> ClosingDay:
        return actions.save_closing_day(known, **values, by=user_of(request))

    def perform_destroy(self, instance: ClosingDay) -> None:
        actions.remove_closing_day(instance, by=user_of(self.request))
