"""Kinds of activity over the API: those of the product, and those that an organisation makes; how long each is kept."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import transaction
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from api.pages import Pages
from api.resources.fields import user_of
from api.resources.histories import HistorySerializer, history_page
from common.errors import Refused
from common.time import clock
from customers.actions import kinds as actions
from customers.actions.retention import months_kept
from customers.facts import OWN_ICONS, FactKind, fact_kinds, kinds
from customers.models import KindSetting

SAME = ("code", "icon", "has_amount", "has_duration", "is_own", "importable")  # in a kind and in its description
WORDS = ("name", "verb", "participle", "unit")  # in the language of the caller


class FactKindSerializer(serializers.Serializer[Any]):
    """A kind of activity; ``word`` is what it is called in a file, ``keep_months`` null keeps it with the customer.

    ``verb`` and ``participle`` are how it reads in a timeline and after "customers who have".
    """

    code = serializers.CharField()
    name = serializers.CharField()
    word = serializers.CharField()
    verb = serializers.CharField()
    participle = serializers.CharField()
    icon = serializers.CharField()
    unit = serializers.CharField()
    has_amount = serializers.BooleanField()
    has_duration = serializers.BooleanField()
    is_own = serializers.BooleanField()
    importable = serializers.BooleanField()
    keep_months = serializers.IntegerField(allow_null=True)


class KindWishSerializer(serializers.Serializer[Any]):
    """What an own kind shall be. ``keep_months`` can be set for any kind; null keeps it with the customer."""

    name = serializers.CharField(max_length=60)
    verb = serializers.CharField(max_length=60, help_text="In a timeline: “attended a workshop”")
    participle = serializers.CharField(
        max_length=60, required=False, allow_blank=True, help_text="After “customers who have”"
    )
    icon = serializers.ChoiceField(choices=list(OWN_ICONS.items()), required=False, allow_blank=True)
    unit = serializers.CharField(max_length=30, required=False, allow_blank=True, help_text="What its quantity counts")
    has_amount = serializers.BooleanField(required=False)
    has_duration = serializers.BooleanField(required=False)
    keep_months = serializers.IntegerField(required=False, allow_null=True)
    confirm = serializers.BooleanField(required=False, help_text="Needed to keep them shorter: what is older goes")


def _told(kind: FactKind, kept: dict[str, int]) -> dict[str, Any]:
    same = {name: getattr(kind, name) for name in SAME} | {name: str(getattr(kind, name)) for name in WORDS}
    return same | {"word": kind.dutch or kind.code, "keep_months": kept.get(kind.code)}


def _keep(code: str, months: int | None, **who: Any) -> None:
    """Set a term; what is wrong with it is told by the name that it has here."""
    try:
        actions.set_retention(code, months=months, **who)
    except Refused as refusal:
        raise Refused(refusal.code, refusal.message, field="keep_months" if refusal.field else "") from refusal


def is_shorter(before: int | None, wish: int | None) -> bool:
    """Whether a term removes what was kept before it; None is as long as the customer."""
    return wish is not None and (before is None or wish < before)


def unsure() -> Refused:
    message = _("This removes what is older, from the coming night on, for good. Send “confirm”: true to do it.")
    return Refused("confirm", message, field="confirm")


class FactKindViewSet(viewsets.GenericViewSet[Any]):
    queryset = KindSetting.objects.none()
    serializer_class = FactKindSerializer
    pagination_class = None
    lookup_field = "code"
    lookup_value_regex = "[-a-z0-9_]+"
    rights: ClassVar[dict[str, str]] = dict.fromkeys(["create", "partial_update", "destroy"], "manage_data")

    @extend_schema(responses={200: FactKindSerializer(many=True)})
    def list(self, request: Request) -> Response:
        """What customers can do: the kinds of the product and those of the organisation."""
        kept = months_kept()
        return Response(FactKindSerializer([_told(kind, kept) for kind in kinds()], many=True).data)

    @extend_schema(responses=FactKindSerializer)
    def retrieve(self, request: Request, code: str) -> Response:
        """One kind."""
        return self._answer(self._find(code).code)

    @extend_schema(request=KindWishSerializer, responses={201: FactKindSerializer})
    def create(self, request: Request) -> Response:
        """Make a kind of the organisation's own; its code follows from its name and never changes."""
        fields = self._read(request, partial=False)
        who: dict[str, Any] = {"by": user_of(request), "now": clock()}
        with transaction.atomic():
            fields.pop("confirm", None)  # a new kind has nothing to lose
            months = fields.pop("keep_months", None)
            made = actions.add_kind(**fields, **who)
            if months is not None:
                _keep(made.code, months, **who)
        return self._answer(made.code, status.HTTP_201_CREATED)

    @extend_schema(request=KindWishSerializer, responses=FactKindSerializer)
    def partial_update(self, request: Request, code: str) -> Response:
        """Change an own kind, or how long the facts of any kind are kept (from the coming night on)."""
        kind, fields = self._find(code), self._read(request, partial=True)
        is_sure = fields.pop("confirm", False)
        if is_shorter(months_kept().get(kind.code), fields.get("keep_months")) and not is_sure:
            raise unsure()
        who: dict[str, Any] = {"by": user_of(request), "now": clock()}
        with transaction.atomic():
            if "keep_months" in fields:
                _keep(kind.code, fields.pop("keep_months"), **who)
            if fields:
                actions.change_kind(actions.own_setting(kind.code), **fields, **who)
        return self._answer(kind.code)

    def destroy(self, request: Request, code: str) -> Response:
        """Remove an own kind that nobody ever did."""
        actions.remove_kind(actions.own_setting(self._find(code).code), by=user_of(request), now=clock())
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(responses=HistorySerializer(many=True))
    @action(detail=True, pagination_class=Pages)
    def history(self, request: Request, code: str) -> Response:
        """Each change of what the organisation set for this kind, the latest first."""
        return history_page(self, KindSetting.pgh_event_model.objects.filter(code=self._find(code).code))  # type: ignore[attr-defined]

    def _find(self, code: str) -> FactKind:
        kind = fact_kinds.get(code)
        if kind is None:
            raise NotFound(_("“%s” does not exist.") % code)
        return kind

    def _read(self, request: Request, *, partial: bool) -> dict[str, Any]:
        wish = KindWishSerializer(data=request.data, partial=partial)
        wish.is_valid(raise_exception=True)
        return dict(wish.validated_data)

    def _answer(self, code: str, status_code: int = status.HTTP_200_OK) -> Response:
        return Response(FactKindSerializer(_told(fact_kinds[code], months_kept())).data, status=status_code)
