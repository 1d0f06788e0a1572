"""Text messages (SMS) over the API: what a content says in one, what became of each, and what readers answered."""

from __future__ import annotations

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from api.resources.content_previews import ContentTestSerializer, purpose_of
from api.resources.content_versions import editable
from api.resources.fields import by_code, customer_field, user_of
from common.time import clock
from customers.consents import reaching_purposes
from mailings import actions
from mailings.models import Content, SentText, ShortText, TextReply
from mailings.sms.composing import MOST_SIGNS, example
from vouchers.models import Definition


class ShortTextSerializer(serializers.ModelSerializer[ShortText]):
    """``text`` may hold merge fields, and ``{{ voucher }}`` for the reader's own code of ``voucher`` (id)."""

    text = serializers.CharField(max_length=MOST_SIGNS, allow_blank=True, trim_whitespace=False)
    voucher = serializers.PrimaryKeyRelatedField(
        queryset=Definition.objects.exclude(state=Definition.State.CLOSED), allow_null=True, required=False
    )

    class Meta:
        model = ShortText
        fields = ["content", "text", "voucher", "updated_at"]
        read_only_fields = ["content", "updated_at"]


class ExampleQuestionSerializer(serializers.Serializer[Any]):
    """For which purpose (code): all but service messages end with how to say no to more."""

    purpose = by_code(reaching_purposes())


class ExampleSerializer(serializers.Serializer[Any]):
    """The message with examples in its fields; ``units`` are septets or 16-bit units, ``cost_mills`` thousandths of a
    euro.
    """

    text = serializers.CharField()
    encoding = serializers.CharField(source="size.encoding")
    units = serializers.IntegerField(source="size.units")
    parts = serializers.IntegerField(source="size.parts")
    cost_mills = serializers.IntegerField()


class SendTextSerializer(serializers.Serializer[Any]):
    """To which telephone number, and as which customer (number) it is written; with examples when none is named."""

    number = serializers.CharField(max_length=20)
    customer = customer_field()

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["customer"].required = False


class TextViewSet(viewsets.GenericViewSet[Any]):
    """What contents say as a text message; the number in the address is that of the content."""

    queryset = Content.objects.select_related("short_text", "action__purpose", "edition__newsletter__purpose")
    serializer_class = ShortTextSerializer
    rights: ClassVar[dict[str, str]] = {"update": "manage_mailings", "send_test": "manage_mailings"}

    @extend_schema(responses=ShortTextSerializer)
    def retrieve(self, request: Request, pk: str) -> Response:
        """What it says now; empty when nothing was written."""
        return Response(ShortTextSerializer(self._short()).data)

    @extend_schema(request=ShortTextSerializer, responses=ShortTextSerializer)
    def update(self, request: Request, pk: str) -> Response:
        """Write it. Mailings that started keep what they had."""
        content, sent = editable(self.get_object()), ShortTextSerializer(data=request.data)
        sent.is_valid(raise_exception=True)
        short = actions.save_short_text(content, **sent.validated_data, by=user_of(request), now=clock())
        return Response(ShortTextSerializer(short).data)

    @extend_schema(parameters=[ExampleQuestionSerializer], responses=ExampleSerializer)
    @action(detail=True, pagination_class=None)
    def example(self, request: Request, pk: str) -> Response:
        """How it reads, how many parts it takes and what it costs."""
        question = ExampleQuestionSerializer(data=request.query_params)
        question.is_valid(raise_exception=True)
        found = example(self._short(), purpose=question.validated_data["purpose"], now=clock())
        return Response(ExampleSerializer(found).data)

    @extend_schema(request=SendTextSerializer, responses=ContentTestSerializer)
    @action(detail=True, methods=["post"], url_path="send-test", pagination_class=None)
    def send_test(self, request: Request, pk: str) -> Response:
        """Send it to a number of one's own; nothing is counted, and its voucher is worth nothing."""
        content, wish = self.get_object(), SendTextSerializer(data=request.data)
        wish.is_valid(raise_exception=True)
        sent = actions.send_text_test(
            content, **wish.validated_data, purpose=purpose_of(content), by=user_of(request), now=clock()
        )
        return Response(ContentTestSerializer(sent).data)

    def _short(self) -> ShortText:
        content = self.get_object()
        return ShortText.objects.filter(content=content).first() or ShortText(content=content)


class SentTextSerializer(serializers.ModelSerializer[SentText]):
    """``cost_mills``: thousandths of a euro. ``delivery`` is empty until the provider has told."""

    customer = by_code(key="number", source="message.customer")
    mailing = serializers.IntegerField(source="message.mailing_id")

    class Meta:
        model = SentText
        fields = ["message", "mailing", "customer", "parts", "cost_mills", "delivery", "reported_at"]


class SentTextViewSet(mixins.ListModelMixin, viewsets.GenericViewSet[Any]):
    """What became of each text message that left."""

    queryset = SentText.objects.select_related("message__customer").order_by("-message")
    serializer_class = SentTextSerializer
    filterset_fields = {"message__mailing": ["exact"], "delivery": ["exact"], "reported_at": ["gte", "lt"]}


class TextReplySerializer(serializers.ModelSerializer[TextReply]):
    """``is_stop``: taken as a no to text messages, at once."""

    customer = by_code(key="number", source="message.customer")
    mailing = serializers.IntegerField(source="message.mailing_id")

    class Meta:
        model = TextReply
        fields = ["id", "message", "mailing", "customer", "text", "is_stop", "received_at"]


class TextReplyViewSet(mixins.ListModelMixin, viewsets.GenericViewSet[Any]):
    """What readers answered."""

    queryset = TextReply.objects.select_related("message__customer").order_by("-id")
    serializer_class = TextReplySerializer
    filterset_fields = {"message__mailing": ["exact"], "is_stop": ["exact"], "received_at": ["gte", "lt"]}
