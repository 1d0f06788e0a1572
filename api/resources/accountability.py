"""What the organisation answers for about privacy: its register of processing, and what retention did each night."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from api.pages import Pages
from api.permissions import HasApiPermission, MayManagePrivacy
from api.resources.fields import SaidField, user_of
from api.resources.histories import HistorySerializer, history_page
from api.resources.kinds import is_shorter, unsure
from common.retention import retention_rules
from common.time import clock
from customers.actions.privacy import change_retention, save_register_texts
from customers.models import RetentionRun
from customers.models.privacy import RegisterTexts, RetentionSetting
from customers.privacy.periods import chosen_rules
from customers.privacy.register import register


class BasisSerializer(serializers.Serializer[Any]):
    channel = serializers.CharField()
    basis = serializers.CharField()


class RegisterPurposeSerializer(serializers.Serializer[Any]):
    code = serializers.CharField()
    name = serializers.CharField()
    description = serializers.CharField(allow_blank=True)
    bases = BasisSerializer(many=True)


class RegisterDataSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    columns = serializers.ListField(child=serializers.CharField())


class RegisterRecipientSerializer(serializers.Serializer[Any]):
    """Who gets data, what for, and who that is at this moment."""

    name = serializers.CharField()
    about = serializers.CharField()
    present = serializers.ListField(child=serializers.CharField())


class PeriodSerializer(serializers.Serializer[Any]):
    """How long something is kept: ``period`` in ``unit`` (days or months). Switched off it is kept as long as the
    customer; without a unit each kind of fact has a period of its own.
    """

    code = serializers.CharField()
    name = serializers.CharField()
    about = serializers.CharField(allow_blank=True)
    is_on = serializers.BooleanField()
    period = serializers.IntegerField()
    unit = serializers.CharField(allow_blank=True)


class FactPeriodSerializer(serializers.Serializer[Any]):
    kind = serializers.CharField()
    months = serializers.IntegerField()


class RegisterTextsSerializer(serializers.ModelSerializer[RegisterTexts]):
    class Meta:
        model = RegisterTexts
        fields = ["controller", "officer", "recipients", "transfers", "security", "changed_at"]


class RegisterWishSerializer(serializers.Serializer[Any]):
    """The texts that only the organisation can write; what is left out stays as it is."""

    controller = serializers.CharField(required=False, allow_blank=True)
    officer = serializers.CharField(required=False, allow_blank=True)
    recipients = serializers.CharField(required=False, allow_blank=True)
    transfers = serializers.CharField(required=False, allow_blank=True)
    security = serializers.CharField(required=False, allow_blank=True)


class RegisterSerializer(serializers.Serializer[Any]):
    """The register of processing (AVG 30), as it is on the page of that name."""

    texts = RegisterTextsSerializer()
    purposes = RegisterPurposeSerializer(many=True)
    sources = serializers.ListField(child=serializers.CharField())
    tables = RegisterDataSerializer(many=True)
    kinds = serializers.ListField(child=serializers.CharField())
    recipients = RegisterRecipientSerializer(many=True)
    periods = PeriodSerializer(many=True)
    fact_periods = FactPeriodSerializer(many=True)


class RetentionRunSerializer(serializers.ModelSerializer[RetentionRun]):
    """One night: how many rows each rule took away, by the code of the rule; -1 for a rule that failed."""

    class Meta:
        model = RetentionRun
        fields = ["day", "started_at", "finished_at", "counts"]


def _periods() -> list[dict[str, Any]]:
    return [
        {
            "code": one.rule.code, "name": str(one.rule.name), "about": str(one.rule.about), "is_on": one.is_on,
            "period": one.period, "unit": one.rule.unit,
        }
        for one in chosen_rules()
    ]  # fmt: skip


class RegisterViewSet(viewsets.GenericViewSet[Any]):
    queryset = RegisterTexts.objects.none()
    serializer_class = RegisterSerializer
    permission_classes = [MayManagePrivacy]
    filterset_class = None
    pagination_class = None
    rights: ClassVar[dict[str, str]] = {"texts": "manage_data"}

    @extend_schema(responses=RegisterSerializer)
    def list(self, request: Request) -> Response:
        """The register of processing, drawn up from what the product does at this moment."""
        known = register()
        told = {
            "texts": known["texts"],
            "purposes": [
                {
                    "code": one["purpose"].code, "name": one["purpose"].name, "description": one["purpose"].description,
                    "bases": [{"channel": channel, "basis": basis} for channel, basis in one["bases"]],
                }
                for one in known["purposes"]
            ],
            "sources": [source.name for source in known["sources"]],
            "tables": [{"name": name, "columns": columns} for name, columns in known["tables"]],
            "kinds": [kind.name for kind in known["kinds"]],
            "recipients": [
                {"name": one.name, "about": one.about, "present": present} for one, present in known["recipients"]
            ],
            "periods": _periods(),
            "fact_periods": [{"kind": kind.code, "months": months} for kind, months in known["fact_periods"] if months],
        }  # fmt: skip
        return Response(RegisterSerializer(told).data)

    @extend_schema(request=RegisterWishSerializer, responses=RegisterTextsSerializer)
    @action(detail=False, methods=["patch"], permission_classes=[MayManagePrivacy, HasApiPermission])
    def texts(self, request: Request) -> Response:
        """Change the texts of the register: who we are, the officer, other recipients, transfers and security."""
        wish = RegisterWishSerializer(data=request.data)
        wish.is_valid(raise_exception=True)
        texts = save_register_texts(**wish.validated_data, by=user_of(request), now=clock())
        return Response(RegisterTextsSerializer(texts).data)


class RetentionViewSet(mixins.ListModelMixin, viewsets.GenericViewSet[Any]):
    """What the nights took away because its time was over, the latest first."""

    serializer_class = RetentionRunSerializer
    permission_classes = [MayManagePrivacy]
    filterset_class = None

    def get_queryset(self) -> QuerySet[RetentionRun]:
        return RetentionRun.objects.order_by("-day")


class PeriodWishSerializer(serializers.Serializer[Any]):
    """Whether a rule removes what is older, and after how long."""

    is_on = SaidField(required=False)
    period = serializers.IntegerField(required=False, min_value=1)
    confirm = serializers.BooleanField(required=False, help_text="Needed to keep less: what is older goes")


class RetentionRuleViewSet(viewsets.GenericViewSet[Any]):
    """How long everything is kept that is no fact; a kind of fact has its own period at /api/v1/kinds/."""

    queryset = RetentionRun.objects.none()
    serializer_class = PeriodSerializer
    filterset_class = None
    pagination_class = None
    lookup_field = "code"
    lookup_value_regex = "[-a-z0-9_]+"
    rights: ClassVar[dict[str, str]] = {"partial_update": "manage_data"}

    @extend_schema(responses=PeriodSerializer(many=True))
    def list(self, request: Request) -> Response:
        """All rules, with what the organisation chose."""
        return Response(PeriodSerializer(_periods(), many=True).data)

    @extend_schema(responses=HistorySerializer(many=True))
    @action(detail=True, pagination_class=Pages)
    def history(self, request: Request, code: str) -> Response:
        """Each choice of the organisation for this rule, the latest first."""
        if code not in retention_rules:
            raise NotFound
        events = RetentionSetting.pgh_event_model.objects.filter(code=code)  # type: ignore[attr-defined]
        return history_page(self, events)

    @extend_schema(request=PeriodWishSerializer, responses=PeriodSerializer)
    def partial_update(self, request: Request, code: str) -> Response:
        """Switch a rule or set its period; it holds from the coming night on."""
        known = next((one for one in _periods() if one["code"] == code), None)
        if known is None:
            raise NotFound
        wish = PeriodWishSerializer(data=request.data)
        wish.is_valid(raise_exception=True)
        is_sure = wish.validated_data.pop("confirm", False)
        told = {"is_on": known["is_on"], "period": known["period"]} | wish.validated_data
        before = known["period"] if known["is_on"] else None
        if told["is_on"] and is_shorter(before, told["period"]) and not is_sure:
            raise unsure()
        change_retention(code, **told, by=user_of(request), now=clock())
        return Response(PeriodSerializer(next(one for one in _periods() if one["code"] == code)).data)
