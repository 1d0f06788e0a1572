"""What mail servers reported, and which addresses are blocked, over the API."""

from __future__ import annotations

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from api.resources.fields import user_of
from common.time import clock
from mailings import actions
from mailings.models import Bounce, Suppression


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


class SuppressionSerializer(serializers.ModelSerializer[Suppression]):
    """An address that no message goes to; ``released_at`` is empty while that is so."""

    class Meta:
        model = Suppression
        fields = ["id", "address", "reason", "detail", "since", "released_at", "released_by"]
        read_only_fields = ["reason", "since", "released_at", "released_by"]
        # one that is blocked already stays as it is, and one that was released is blocked again
        extra_kwargs: ClassVar[dict[str, Any]] = {"address": {"validators": []}}


class SuppressionViewSet(viewsets.ReadOnlyModelViewSet[Any]):
    """Blocked addresses, and those that were released, the latest block first."""

    queryset = Suppression.objects.order_by("-since", "-id")
    serializer_class = SuppressionSerializer
    filterset_fields = {"address": ["iexact"], "reason": ["exact"], "released_at": ["isnull"], "since": ["gte", "lt"]}
    rights: ClassVar[dict[str, str]] = {"create": "manage_mailings", "release": "manage_mailings"}

    @extend_schema(request=SuppressionSerializer, responses={201: SuppressionSerializer})
    def create(self, request: Request) -> Response:
        """Block an address: nothing leaves for it until it is released. A block that is in force stays as it is."""
        asked = self.get_serializer(data=request.data)
        asked.is_valid(raise_exception=True)
        made = actions.suppress_address(**asked.validated_data, by=user_of(request), now=clock())
        return Response(self.get_serializer(made).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=None, responses=SuppressionSerializer)
    @action(detail=True, methods=["post"])
    def release(self, request: Request, pk: str) -> Response:
        """Let the address be used again."""
        known = self.get_object()
        actions.release_suppression(known, by=user_of(request), now=clock())
        known.refresh_from_db()
        return Response(self.get_serializer(known).data)
