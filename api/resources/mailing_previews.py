"""What a mailing says, as it was frozen when it started, over the API: who approves looks at this."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from api.resources.content_previews import ContentPreviewSerializer
from api.resources.fields import branch_field, customer_field
from common.errors import Refused
from common.time import clock
from mailings.frozen import Frozen, example_of_mailing, mark_of_mailing, preview_mailing, texts_of
from mailings.models import Mailing
from mailings.previewing import Preview


class MailingReaderSerializer(serializers.Serializer[Any]):
    """As whom it is read: a customer (number), or a branch (code); ``version`` is the letter of one in its test."""

    customer = customer_field()
    branch = branch_field()
    version = serializers.CharField(max_length=1, required=False, default="")

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["customer"].required = False


class FrozenSerializer(serializers.Serializer[Frozen]):
    """One text of a mailing: the ``version`` of its content that goes out, and the ``newest`` one. Behind: somebody
    changed the content after the mailing started, and that does not go out.
    """

    letter = serializers.SerializerMethodField()
    content = serializers.IntegerField(source="content.pk")
    version = serializers.IntegerField()
    newest = serializers.IntegerField()
    is_behind = serializers.BooleanField()

    def get_letter(self, frozen: Frozen) -> str:
        return frozen.arm.letter if frozen.arm else ""


class MailingPreviewSerializer(ContentPreviewSerializer):
    """The message as it goes out or went; ``seen`` is what an approval of it names."""

    seen = serializers.SerializerMethodField()
    texts = serializers.SerializerMethodField()

    def get_seen(self, preview: Preview) -> str:
        return mark_of_mailing(self.context["mailing"])

    def get_texts(self, preview: Preview) -> list[dict[str, Any]]:
        return [FrozenSerializer(one).data for one in texts_of(self.context["mailing"])]

    def to_representation(self, instance: Preview) -> dict[str, Any]:
        told = super().to_representation(instance)
        mailing: Mailing = self.context["mailing"]
        if mailing.channels == Mailing.Channels.SMS:
            told["text"] = example_of_mailing(mailing, customer=instance.customer, now=instance.now).text
        return told


class PreviewsOfMailings:
    """The part of the mailings that is about what they say."""

    get_object: Any

    @extend_schema(parameters=[MailingReaderSerializer], responses=MailingPreviewSerializer)
    @action(detail=True, filterset_fields=None, pagination_class=None)
    def preview(self, request: Request, pk: str) -> Response:
        """The message as it goes out, or went: what was frozen at the start, not what its content says by now."""
        mailing = self.get_object()
        return Response(MailingPreviewSerializer(_preview(mailing, request), context={"mailing": mailing}).data)

    @extend_schema(parameters=[MailingReaderSerializer], responses={(200, "application/pdf"): OpenApiTypes.BINARY})
    @action(detail=True, filterset_fields=None, pagination_class=None)
    def letter(self, request: Request, pk: str) -> HttpResponse:
        """The letter as it goes out, as PDF."""
        return HttpResponse(_preview(self.get_object(), request).letter(), content_type="application/pdf")


def _preview(mailing: Mailing, request: Request) -> Preview:
    asked = MailingReaderSerializer(data=request.query_params)
    asked.is_valid(raise_exception=True)
    reader = asked.validated_data
    letter, arms = reader.get("version", ""), {one.arm.letter: one.arm for one in texts_of(mailing) if one.arm}
    if letter and letter not in arms:
        raise Refused("version", _("This mailing has no version %s.") % letter, field="version")
    return preview_mailing(
        mailing, arm=arms.get(letter), customer=reader.get("customer"), branch=reader.get("branch"), now=clock()
    )
