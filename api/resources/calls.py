"""Calls of call lists over the API: what came of each, and what a call centre tells of those it made."""

from __future__ import annotations

from typing import Any, ClassVar

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import mixins, serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from api.resources.fields import CustomerField, by_code, paged, user_of
from common.time import clock
from customers.models import Customer
from mailings import actions
from mailings.calling import in_hand, script_of, still_to_call
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


class CallListSerializer(serializers.Serializer[Any]):
    """A mailing (id) that is a call list."""

    mailing = serializers.PrimaryKeyRelatedField(queryset=Mailing.objects.filter(channels=Mailing.Channels.CALLS))


class InHandSerializer(serializers.ModelSerializer[Message]):
    """Whom you are calling: number of the customer, telephone number, what to say, and until when he is yours."""

    customer = by_code(key="number")
    phone = serializers.CharField(source="address")
    script = serializers.SerializerMethodField()

    class Meta:
        model = Message
        fields = ["mailing", "customer", "phone", "script", "lease_until"]

    def get_script(self, message: Message) -> str:
        return script_of(message, now=clock())


class StillToCallSerializer(serializers.ModelSerializer[Customer]):
    """Who may still be called: customer number."""

    class Meta:
        model = Customer
        fields = ["number"]


class CallViewSet(mixins.ListModelMixin, viewsets.GenericViewSet[Any]):
    queryset = Call.objects.select_related("message__customer").order_by("-id")
    serializer_class = CallSerializer
    filterset_fields = {"message__mailing": ["exact"], "outcome": ["exact"], "called_at": ["gte", "lt"]}
    rights: ClassVar[dict[str, str]] = dict.fromkeys(["take_call", "put_back"], "manage_mailings")

    @extend_schema(request=MadeCallSerializer, responses={201: CallSerializer})
    def create(self, request: Request) -> Response:
        """Write down a call that was made elsewhere, or to whom you took in hand; a no holds at once."""
        sent = MadeCallSerializer(data=request.data)
        sent.is_valid(raise_exception=True)
        message = sent.validated_data.pop("message")
        call = actions.record_call(message, **sent.validated_data, is_elsewhere=True, by=user_of(request), now=clock())
        return Response(CallSerializer(call).data, status=status.HTTP_201_CREATED)

    @extend_schema(parameters=[CallListSerializer], responses=StillToCallSerializer(many=True))
    @action(detail=False, url_path="still-to-call", filterset_fields=None)
    def still_to_call(self, request: Request) -> Response:
        """Who on a list may still be called: permission, number and blocks are asked again."""
        found = still_to_call(_list_in(request.query_params), now=clock()).order_by("pk")
        return paged(self, found, StillToCallSerializer)

    @extend_schema(
        request=CallListSerializer,
        responses={200: InHandSerializer, 204: OpenApiResponse(description="Nobody is left to call for now.")},
    )
    @action(detail=False, methods=["post"], url_path="take", filterset_fields=None, pagination_class=None)
    def take_call(self, request: Request) -> Response:
        """Take the next customer of a list in hand for half an hour, so that nobody else calls him; who has one in hand
        keeps him. Tell what came of it as a call.
        """
        message = actions.take_call(_list_in(request.data), by=user_of(request), now=clock())
        if message is None:
            return Response(status=status.HTTP_204_NO_CONTENT)
        return Response(InHandSerializer(message).data)

    @extend_schema(request=CallListSerializer, responses={204: None})
    @action(detail=False, methods=["post"], url_path="put-back", filterset_fields=None, pagination_class=None)
    def put_back(self, request: Request) -> Response:
        """Let somebody else call the customer you have in hand; without one nothing happens."""
        by = user_of(request)
        if message := in_hand(_list_in(request.data), by):
            actions.put_back_call(message, by=by, now=clock())
        return Response(status=status.HTTP_204_NO_CONTENT)


def _list_in(told: Any) -> Mailing:
    asked = CallListSerializer(data=told)
    asked.is_valid(raise_exception=True)
    found: Mailing = asked.validated_data["mailing"]
    return found
