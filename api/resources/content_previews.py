"""How a content reads for whom, over the API, and tests of it to colleagues."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.http import HttpResponse
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from api.resources.fields import branch_field, by_code, customer_field, paged, user_of
from common.actions import STAFF_ROLES
from common.errors import Refused
from common.time import clock
from customers.models import Purpose
from mailings import actions
from mailings.models import Content, SentTest
from mailings.previewing import Preview, audience_keys, preview_content
from mailings.rendering import sender_of


class ReaderSerializer(serializers.Serializer[Any]):
    """As whom it is read: a customer (number), or a member of an audience (``selection:3``) in the house style of a
    branch (code); without all of these nobody in particular.
    """

    customer = customer_field()
    audience = serializers.CharField(max_length=40, required=False, default="")
    branch = branch_field()

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["customer"].required = False


class ContentPreviewSerializer(serializers.Serializer[Preview]):
    """The message of one reader. Its links lead straight to their targets, its vouchers are worth nothing."""

    subject = serializers.CharField()
    sender_name = serializers.SerializerMethodField()
    sender_email = serializers.SerializerMethodField()
    html = serializers.CharField()
    text = serializers.CharField()

    def get_sender_name(self, preview: Preview) -> str:
        return sender_of(preview.compiled, preview.identity).name

    def get_sender_email(self, preview: Preview) -> str:
        return sender_of(preview.compiled, preview.identity).address


class ContentTestSerializer(serializers.ModelSerializer[SentTest]):
    """A test that went to a colleague, and what the mail server said. ``version``: the letter of one in an A/B test;
    ``number_ending``: of a text message, how the number ends it went to.
    """

    recipient = by_code(key="username")
    sent_by = by_code(key="username")
    version = serializers.CharField(source="arm.letter", read_only=True, default="")

    class Meta:
        model = SentTest
        fields = [
            "recipient", "sent_by", "version", "number_ending", "subject", "audience", "as_customer", "state", "reply",
            "sent_at",
        ]  # fmt: skip


def colleagues_field() -> serializers.ManyRelatedField:
    """Return a field of user names of staff with an e-mail address."""
    people = User.objects.filter(groups__name__in=STAFF_ROLES, is_active=True).exclude(email="").distinct()
    return serializers.SlugRelatedField(many=True, slug_field="username", queryset=people)  # type: ignore[return-value]


class SendTestSerializer(ReaderSerializer):
    """To which colleagues (user names; with an e-mail address), and as whom it is read."""

    recipients = colleagues_field()


def purpose_of(content: Content) -> Purpose:
    """Return for what a content is sent, as its action or newsletter says."""
    if action := getattr(content, "action", None):
        return action.purpose  # type: ignore[no-any-return]
    edition = getattr(content, "edition", None)
    return edition.newsletter.purpose if edition else Purpose.objects.get(code="marketing")


def _reader(content: Content, asked: dict[str, Any]) -> dict[str, Any]:
    """Return the reader that was asked for; raises Refused at an audience that sees nothing of its own here."""
    audience = asked.get("audience", "")
    if audience and audience not in (known := audience_keys(content)):
        words = _("No block of this message is for “%(audience)s”. There are: %(known)s.")
        told = {"audience": audience, "known": ", ".join(known) or "–"}
        raise Refused("audience", words % told, field="audience")
    return {"customer": asked.get("customer"), "audience": audience, "branch": asked.get("branch")}


class PreviewsOfContents:
    """The part of the contents that is about how they read."""

    get_object: Any

    @extend_schema(parameters=[ReaderSerializer], responses=ContentPreviewSerializer)
    @action(detail=True, filterset_fields=None, pagination_class=None)
    def preview(self, request: Request, pk: str) -> Response:
        """The mail as somebody would read it; nothing is sent or kept."""
        return Response(ContentPreviewSerializer(self._preview(request)).data)

    @extend_schema(parameters=[ReaderSerializer], responses={(200, "application/pdf"): OpenApiTypes.BINARY})
    @action(detail=True, filterset_fields=None, pagination_class=None)
    def letter(self, request: Request, pk: str) -> HttpResponse:
        """The letter as somebody would read it, as PDF."""
        return HttpResponse(self._preview(request).letter(), content_type="application/pdf")

    def _preview(self, request: Request) -> Preview:
        content, asked = self.get_object(), ReaderSerializer(data=request.query_params)
        asked.is_valid(raise_exception=True)
        reader = _reader(content, asked.validated_data)
        return preview_content(content, purpose=purpose_of(content), now=clock(), **reader)

    @extend_schema(responses=ContentTestSerializer(many=True))
    @action(detail=True, filterset_fields=None)
    def tests(self, request: Request, pk: str) -> Response:
        """The tests that were sent, the last one first."""
        found = self.get_object().tests.select_related("recipient", "sent_by", "arm").order_by("-sent_at", "-pk")
        return paged(self, found, ContentTestSerializer)  # type: ignore[arg-type]

    @extend_schema(request=SendTestSerializer, responses=ContentTestSerializer(many=True))
    @action(detail=True, methods=["post"], url_path="send-test", filterset_fields=None, pagination_class=None)
    def send_test(self, request: Request, pk: str) -> Response:
        """Send it to colleagues; nothing is counted, and its vouchers are worth nothing."""
        content, wish = self.get_object(), SendTestSerializer(data=request.data)
        wish.is_valid(raise_exception=True)
        told = wish.validated_data
        sent = actions.send_tests(
            content,
            recipients=list(told["recipients"]),
            purpose=purpose_of(content),
            by=user_of(request),
            now=clock(),
            **_reader(content, told),
        )
        return Response(ContentTestSerializer(sent, many=True).data)
