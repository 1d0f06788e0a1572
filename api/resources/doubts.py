"""Messages in doubt over the API: which they are, and what the log of a mail server says of them."""

from __future__ import annotations

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from api.resources.fields import by_code, user_of
from common.time import clock
from mailings.actions import settle_doubts
from mailings.models import Message

MOST = 1000


class DoubtSerializer(serializers.ModelSerializer[Message]):
    customer = by_code(key="number")

    class Meta:
        model = Message
        fields = ["id", "mailing", "customer", "channel", "state_at", "relay", "reply"]


class SettlingSerializer(serializers.Serializer[Any]):
    """Ids of messages, and what happened to all of them: they were sent, or they were not and are dropped."""

    messages = serializers.ListField(child=serializers.IntegerField(min_value=1), min_length=1, max_length=MOST)
    decision = serializers.ChoiceField(choices=["sent", "dropped"])


class SettledSerializer(serializers.Serializer[Any]):
    """How many of them were in doubt, and are not any more."""

    settled = serializers.IntegerField()


class DoubtViewSet(mixins.ListModelMixin, viewsets.GenericViewSet[Any]):
    queryset = Message.objects.in_doubt().select_related("customer").order_by("id")
    serializer_class = DoubtSerializer
    filterset_fields = {"mailing": ["exact"], "relay": ["exact"]}
    rights: ClassVar[dict[str, str]] = {"settle": "manage_mailings"}

    @extend_schema(request=SettlingSerializer, responses=SettledSerializer)
    @action(detail=False, methods=["post"], filterset_fields=None, pagination_class=None)
    def settle(self, request: Request) -> Response:
        """Say what happened to messages in doubt. Sending one again is for people, in the workbench."""
        asked = SettlingSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        found = Message.objects.filter(pk__in=asked.validated_data["messages"])
        decision = asked.validated_data["decision"]
        return Response({"settled": settle_doubts(found, decision=decision, by=user_of(request), now=clock())})
