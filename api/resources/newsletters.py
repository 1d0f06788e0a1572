"""Newsletters over the API: a website's sign-up form subscribes and unsubscribes here."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from api.resources.fields import by_code, customer_field, user_of
from api.resources.reports import WithReport
from common.time import clock
from customers.models import Source
from newsletter import actions
from newsletter.models import Newsletter


class NewsletterSerializer(serializers.ModelSerializer[Newsletter]):
    purpose = by_code()

    class Meta:
        model = Newsletter
        fields = ["id", "name", "description", "purpose", "is_active", "priority", "hold_out_percent"]


class SubscribeSerializer(serializers.Serializer[Any]):
    """Who subscribes or unsubscribes, through which source, and which words he agreed to."""

    customer = customer_field()
    source = by_code(Source.objects.all())
    wording_version = serializers.CharField(required=False, allow_blank=True, max_length=40, default="")


class DoneSerializer(serializers.Serializer[Any]):
    """Whether the customer is subscribed now."""

    subscribed = serializers.BooleanField()


class NewsletterViewSet(WithReport, viewsets.ReadOnlyModelViewSet[Any]):
    queryset = Newsletter.objects.select_related("purpose").order_by("name")
    serializer_class = NewsletterSerializer
    filterset_fields = ["is_active"]

    @extend_schema(request=SubscribeSerializer, responses=DoneSerializer)
    @action(detail=True, methods=["post"], filterset_fields=None)
    def subscribe(self, request: Request, pk: str) -> Response:
        """Subscribe a customer: a granted consent for the newsletter's purpose."""
        self._record(request, actions.subscribe)
        return Response({"subscribed": True})

    @extend_schema(request=SubscribeSerializer, responses=DoneSerializer)
    @action(detail=True, methods=["post"], filterset_fields=None)
    def unsubscribe(self, request: Request, pk: str) -> Response:
        """Unsubscribe a customer: a withdrawn consent for the newsletter's purpose."""
        self._record(request, actions.unsubscribe)
        return Response({"subscribed": False})

    def _record(self, request: Request, record: Any) -> None:
        wish = SubscribeSerializer(data=request.data)
        wish.is_valid(raise_exception=True)
        record(
            wish.validated_data["customer"],
            self.get_object(),
            source_code=wish.validated_data["source"].code,
            actor=user_of(request).get_username(),
            wording_version=wish.validated_data["wording_version"],
            now=clock(),
        )
