"""Calls of call lists over the API: what came of each, and what a call centre tells of those it made."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, status, viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from api.resources.fields import CustomerField, by_code, user_of
from common.time import clock
from customers.models import Customer
from mailings import actions
from mailings.models import Call, Mailing, Message


class CallSerializer(serializers.ModelSerializer[Call]):
    """``again_on``: the day on which the customer is called again."""

    customer = by_code(key="number", source="message.customer")
    mailing = serializers.IntegerField(source="message.mailing_id")

    class Meta:
        model = Call
        fields = ["id", "mailing", "customer", "outcome", "note", "again_on", "called_at"]


class MadeCallSerializer(serializers.Serializer[Any]):
    """A call that was made: of which mailing (a call list), to whom (customer number), and what came of it."""

    mailing = serializers.PrimaryKeyRelatedField(queryset=Mailing.objects.filter(channels=Mailing.Channels.CALLS))
    customer = CustomerField(slug_field="number", queryset=Customer.objects.all())
    outcome = serializers.ChoiceField(choices=Call.Outcome.choices)
    note = serializers.CharField(max_length=500, allow_blank=True, default="")
    again_on = serializers.DateField(allow_null=True, default=None)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Find the customer on the list."""
        found = Message.objects.filter(mailing=attrs.pop("mailing"), customer=attrs.pop("customer")).first()
        if found is None:
            raise serializers.ValidationError({"customer": "This customer is not on the list."})
        return {**attrs, "message": found}


class CallViewSet(mixins.ListModelMixin, viewsets.GenericViewSet[Any]):
    queryset = Call.objects.select_related("message__customer").order_by("-id")
    serializer_class = CallSerializer
    filterset_fields = {"message__mailing": ["exact"], "outcome": ["exact"], "called_at": ["gte", "lt"]}

    @extend_schema(request=MadeCallSerializer, responses={201: CallSerializer})
    def create(self, request: Request) -> Response:
        """Write down a call that was made elsewhere; a no holds at once."""
        sent = MadeCallSerializer(data=request.data)
        sent.is_valid(raise_exception=True)
        message = sent.validated_data.pop("message")
        call = actions.record_call(message, **sent.validated_data, is_elsewhere=True, by=user_of(request), now=clock())
        return Response(CallSerializer(call).data, status=status.HTTP_201_CREATED)
