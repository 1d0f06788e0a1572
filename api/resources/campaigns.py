"""Campaigns over the API: what runs, and letting customers in and out."""

from __future__ import annotations

import datetime as dt
from typing import Any, ClassVar

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from api.resources.fields import user_of
from api.resources.reports import WithReport
from campaigns.actions import enrol, leave
from campaigns.models import Campaign, Step
from common.errors import Refused
from common.time import clock
from customers.models import Customer
from customers.numbers import resolve
from selections.asking import people_of
from selections.models import ResultSet, Selection


class StepSerializer(serializers.ModelSerializer[Step]):
    action = serializers.CharField(source="action.name")

    class Meta:
        model = Step
        fields = ["day", "action"]


class CampaignSerializer(serializers.ModelSerializer[Campaign]):
    steps = StepSerializer(many=True, read_only=True)

    class Meta:
        model = Campaign
        fields = ["id", "name", "goal", "kind", "state", "starts_on", "ends_on", "steps"]


class WhomSerializer(serializers.Serializer[Any]):
    """Up to a thousand customers by number; or everybody in a selection at this moment, or in a result set. One of the
    three.
    """

    customers = serializers.ListField(
        child=serializers.CharField(max_length=40), min_length=1, max_length=1000, required=False
    )
    selection = serializers.PrimaryKeyRelatedField(queryset=Selection.objects.in_use(), required=False)
    result_set = serializers.PrimaryKeyRelatedField(queryset=ResultSet.objects.all(), required=False)
    reason = serializers.CharField(required=False, allow_blank=True, max_length=200, default="")

    def validate_customers(self, numbers: list[str]) -> list[str]:
        known = resolve(numbers)
        if unknown := [number for number in numbers if number not in known]:
            raise serializers.ValidationError(_("Unknown customer numbers: %s") % ", ".join(unknown[:20]))
        return numbers

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if sum(name in attrs for name in ("customers", "selection", "result_set")) != 1:
            raise Refused("whom", _("Give either customers, a selection or a result set."), field="customers")
        return attrs


class MovedSerializer(serializers.Serializer[Any]):
    """How many customers it concerned; the others were in (or out) already."""

    count = serializers.IntegerField()


class CampaignViewSet(WithReport, viewsets.ReadOnlyModelViewSet[Any]):
    queryset = Campaign.objects.prefetch_related("steps__action").order_by("name")
    serializer_class = CampaignSerializer
    filterset_fields = ["kind", "state"]
    rights: ClassVar[dict[str, str]] = dict.fromkeys(["enrol", "leave"], "manage_campaigns")

    @extend_schema(request=WhomSerializer, responses=MovedSerializer)
    @action(detail=True, methods=["post"], filterset_fields=None)
    def enrol(self, request: Request, pk: str) -> Response:
        """Let customers into the campaign; who takes part already stays as he is."""
        wish = self._wish(request)
        now = clock()
        count = enrol(self.get_object(), _whom(wish, now=now), by=user_of(request).get_username(), now=now)
        return Response({"count": count})

    @extend_schema(request=WhomSerializer, responses=MovedSerializer)
    @action(detail=True, methods=["post"], filterset_fields=None)
    def leave(self, request: Request, pk: str) -> Response:
        """Let customers out of the campaign; they get no further step of it."""
        wish = self._wish(request)
        now, reason = clock(), wish["reason"] or f"API: {user_of(request).get_username()}"
        return Response({"count": leave(self.get_object(), _whom(wish, now=now), reason=reason, now=now)})

    def _wish(self, request: Request) -> dict[str, Any]:
        wish = WhomSerializer(data=request.data)
        wish.is_valid(raise_exception=True)
        return dict(wish.validated_data)


def _whom(wish: dict[str, Any], *, now: dt.datetime) -> QuerySet[Customer]:
    if "customers" in wish:
        return Customer.objects.filter(pk__in=resolve(wish["customers"]).values())
    return people_of(wish["selection"] if "selection" in wish else wish["result_set"], now=now)
