"""Campaigns over the API: what runs, and letting customers in and out."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from api.resources.fields import user_of
from campaigns.actions import enrol, leave
from campaigns.models import Campaign, Step
from common.time import clock
from customers.models import Customer
from customers.numbers import resolve


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


class CustomerNumbersSerializer(serializers.Serializer[Any]):
    """Up to a thousand customers by number."""

    customers = serializers.ListField(child=serializers.CharField(max_length=40), min_length=1, max_length=1000)
    reason = serializers.CharField(required=False, allow_blank=True, max_length=200, default="")

    def validate_customers(self, numbers: list[str]) -> list[str]:
        known = resolve(numbers)
        if unknown := [number for number in numbers if number not in known]:
            raise serializers.ValidationError(_("Unknown customer numbers: %s") % ", ".join(unknown[:20]))
        return numbers


class MovedSerializer(serializers.Serializer[Any]):
    """How many customers it concerned; the others were in (or out) already."""

    count = serializers.IntegerField()


class CampaignViewSet(viewsets.ReadOnlyModelViewSet[Any]):
    queryset = Campaign.objects.prefetch_related("steps__action").order_by("name")
    serializer_class = CampaignSerializer
    filterset_fields = ["kind", "state"]

    @extend_schema(request=CustomerNumbersSerializer, responses=MovedSerializer)
    @action(detail=True, methods=["post"], filterset_fields=None)
    def enrol(self, request: Request, pk: str) -> Response:
        """Let customers into the campaign; who takes part already stays as he is."""
        wish = self._wish(request)
        customers = Customer.objects.filter(pk__in=resolve(wish["customers"]).values())
        count = enrol(self.get_object(), customers, by=user_of(request).get_username(), now=clock())
        return Response({"count": count})

    @extend_schema(request=CustomerNumbersSerializer, responses=MovedSerializer)
    @action(detail=True, methods=["post"], filterset_fields=None)
    def leave(self, request: Request, pk: str) -> Response:
        """Let customers out of the campaign; they get no further step of it."""
        wish = self._wish(request)
        customers = Customer.objects.filter(pk__in=resolve(wish["customers"]).values())
        reason = wish["reason"] or f"API: {user_of(request).get_username()}"
        return Response({"count": leave(self.get_object(), customers, reason=reason, now=clock())})

    def _wish(self, request: Request) -> dict[str, Any]:
        wish = CustomerNumbersSerializer(data=request.data)
        wish.is_valid(raise_exception=True)
        return dict(wish.validated_data)
