"""What mail servers reported, over the API."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers, viewsets

from mailings.models import Bounce


class BounceSerializer(serializers.ModelSerializer[Bounce]):
    """One report; ``customer`` and ``mailing`` are empty when it does not say about which mail."""

    customer = serializers.CharField(source="message.customer.number", read_only=True, default=None)
    mailing = serializers.IntegerField(source="message.mailing_id", read_only=True, default=None)

    class Meta:
        model = Bounce
        fields = ["id", "kind", "status", "detail", "address", "customer", "mailing", "source", "received_at"]


class BounceViewSet(viewsets.ReadOnlyModelViewSet[Any]):
    """Mail that did not arrive, complaints and automatic replies, the newest first."""

    queryset = Bounce.objects.select_related("message__customer").order_by("-received_at", "-id")
    serializer_class = BounceSerializer
    filterset_fields = {"kind": ["exact"], "address": ["exact"], "received_at": ["gte", "lt"]}
