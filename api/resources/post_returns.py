"""Letters that came back, over the API: noting one, and taking a slip back."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, viewsets
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.status import HTTP_201_CREATED

from api.resources.fields import by_code, user_of
from common.time import clock
from mailings.actions import record_return, undo_return
from mailings.models import PostReturn


class PostReturnSerializer(serializers.ModelSerializer[PostReturn]):
    """A letter to one customer that came back; ``mailing`` is empty when it was noted by his number."""

    customer = by_code(key="number")
    mailing = serializers.IntegerField(source="message.mailing_id", read_only=True, default=None)

    class Meta:
        model = PostReturn
        fields = ["id", "customer", "mailing", "reason", "was_old_address", "recorded_at"]


class ReturnedSerializer(serializers.Serializer[Any]):
    """``code`` is the one on the letter, else a customer number or card number."""

    code = serializers.CharField(max_length=60)
    reason = serializers.ChoiceField(choices=PostReturn.Reason.choices)


class PostReturnViewSet(
    mixins.ListModelMixin, mixins.RetrieveModelMixin, mixins.DestroyModelMixin, viewsets.GenericViewSet[Any]
):
    """Letters that came back, the last noted first; taking one away is for what was noted by mistake."""

    queryset = PostReturn.objects.select_related("customer", "message").order_by("-recorded_at", "-id")
    serializer_class = PostReturnSerializer
    filterset_fields = {"reason": ["exact"], "recorded_at": ["gte", "lt"]}

    @extend_schema(request=ReturnedSerializer, responses={201: PostReturnSerializer(many=True)})
    def create(self, request: Request) -> Response:
        """Note that a letter came back: one row for each who shares it, and no more post to that address."""
        asked = ReturnedSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        noted = record_return(**asked.validated_data, by=user_of(request), now=clock())
        return Response(self.get_serializer(noted, many=True).data, status=HTTP_201_CREATED)

    def perform_destroy(self, instance: PostReturn) -> None:
        undo_return(instance, by=user_of(self.request), now=clock())
