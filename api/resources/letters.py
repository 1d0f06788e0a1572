"""Letters on paper over the API: printing what waits, the piles that were printed, and what became of them."""

from __future__ import annotations

import logging
from functools import partial
from typing import Any, ClassVar

from django.db import transaction
from django.http import FileResponse, HttpResponse
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import mixins, renderers, serializers, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.status import HTTP_201_CREATED, HTTP_202_ACCEPTED

from api.resources.fields import user_of
from api.resources.privacy import PdfRenderer
from common.errors import Refused
from common.time import clock
from mailings.actions import check_printable, is_large_pile, post_batch, print_letters, reprint, undo_batch
from mailings.address_labels import PER_SHEET, print_address_labels
from mailings.models import LetterBatch, Mailing
from mailings.piles import LETTERS_PER_PDF, addresses_of, places_of
from mailings.tasks import print_letters_of

log = logging.getLogger("wise.exports")
PDF = {(200, "application/pdf"): OpenApiTypes.BINARY}


class LetterBatchSerializer(serializers.ModelSerializer[LetterBatch]):
    """One pile; ``cents`` is what it cost, 0 when nobody said what a letter costs."""

    cents = serializers.IntegerField(read_only=True)
    has_file = serializers.SerializerMethodField()

    class Meta:
        model = LetterBatch
        fields = [
            "id",
            "mailing",
            "letter_count",
            "cents_each",
            "cents",
            "has_file",
            "reprint_count",
            "created_at",
            "posted_at",
            "undone_at",
        ]
        read_only_fields = [name for name in fields if name != "mailing"]

    def get_has_file(self, batch: LetterBatch) -> bool:
        """Whether its file is still there."""
        return bool(batch.file)


class PrintSerializer(serializers.Serializer[Any]):
    """The mailing (id) of which the waiting letters are printed."""

    mailing = serializers.PrimaryKeyRelatedField(queryset=Mailing.objects.all())


class ReprintSerializer(serializers.Serializer[Any]):
    """From which letter of the pile up to and including which one; at most as many as fit in one PDF."""

    first = serializers.IntegerField(min_value=1, default=1)
    last = serializers.IntegerField(min_value=1, required=False, help_text=f"At most {LETTERS_PER_PDF} at a time.")


class SheetSerializer(serializers.Serializer[Any]):
    """``skip``: how many labels of the first sheet are gone."""

    skip = serializers.IntegerField(min_value=0, max_value=PER_SHEET - 1, default=0)


class LetterBatchViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[Any]):
    """Piles of letters, the newest first; each at most a thousand."""

    queryset = LetterBatch.objects.order_by("-id")
    serializer_class = LetterBatchSerializer
    filterset_fields = {"mailing": ["exact"], "created_at": ["gte", "lt"]}
    rights: ClassVar[dict[str, str]] = dict.fromkeys(
        ["create", "file", "posted", "undo", "reprint", "address_labels"], "manage_mailings"
    )

    @extend_schema(
        request=PrintSerializer,
        responses={201: LetterBatchSerializer, 202: OpenApiResponse(description="Being printed; look in the list.")},
    )
    def create(self, request: Request) -> Response:
        """Print the waiting letters of a mailing: at most a thousand at a time; they count as sent.

        More than a hundred are printed by a worker: the answer is 202 and empty, and the pile is in this list, by
        `mailing`, in a minute.
        """
        asked = PrintSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        mailing = asked.validated_data["mailing"]
        if is_large_pile(mailing):
            check_printable(mailing)
            transaction.on_commit(partial(print_letters_of.delay, mailing.pk, user_of(request).pk))
            return Response(status=HTTP_202_ACCEPTED)
        batch = print_letters(mailing, by=user_of(request), now=clock())
        return Response(self.get_serializer(batch).data, status=HTTP_201_CREATED)

    @extend_schema(
        responses={(200, "application/pdf"): OpenApiTypes.BINARY, (200, "application/zip"): OpenApiTypes.BINARY}
    )
    @action(detail=True, filterset_fields=None)
    def file(self, request: Request, pk: str) -> FileResponse:
        """The letters in the order in which they are posted: a PDF, or of more than a hundred a ZIP of several."""
        batch = self.get_object()
        if not batch.file:
            raise NotFound
        headers = {"Cache-Control": "no-store, private"}  # names and addresses
        return FileResponse(batch.file.open("rb"), content_type=batch.file_type, headers=headers)

    @extend_schema(request=None, responses=LetterBatchSerializer)
    @action(detail=True, methods=["post"], filterset_fields=None)
    def posted(self, request: Request, pk: str) -> Response:
        """Note that the pile was brought to the post; it cannot be undone any more."""
        batch = post_batch(self.get_object(), by=user_of(request), now=clock())
        return Response(self.get_serializer(batch).data)

    @extend_schema(request=None, responses=LetterBatchSerializer)
    @action(detail=True, methods=["post"], filterset_fields=None)
    def undo(self, request: Request, pk: str) -> Response:
        """Let the letters of a pile that was not posted wait again; throw away what is on paper."""
        undo_batch(self.get_object(), by=user_of(request), now=clock())
        return Response(self.get_serializer(self.get_object()).data)

    @extend_schema(request=ReprintSerializer, responses=PDF)
    @action(
        detail=True, methods=["post"], filterset_fields=None, renderer_classes=[PdfRenderer, renderers.JSONRenderer]
    )
    def reprint(self, request: Request, pk: str) -> HttpResponse:
        """Letters of the pile once more, to where people live now; nothing counts as sent again, and who objected since
        is left out.
        """
        wish = ReprintSerializer(data=request.data)
        wish.is_valid(raise_exception=True)
        batch, by = self.get_object(), user_of(request)
        pdf = reprint(batch, **wish.validated_data, by=by, now=clock())
        log.info("reprint through the API: letter_batch=%d user=%d", batch.pk, by.pk)
        return _private(pdf)

    @extend_schema(request=SheetSerializer, responses=PDF)
    @action(
        detail=True,
        methods=["post"],
        url_path="address-labels",
        filterset_fields=None,
        renderer_classes=[PdfRenderer, renderers.JSONRenderer],
    )
    def address_labels(self, request: Request, pk: str) -> HttpResponse:
        """Sheets of address labels for the envelopes of the pile, in its order, without who objected since."""
        wish = SheetSerializer(data=request.data)
        wish.is_valid(raise_exception=True)
        batch = self.get_object()
        found = addresses_of(batch, places_of(batch, now=clock()))
        if not found:
            raise Refused("nobody", _("None of these people may be written any more."))
        told = (batch.pk, user_of(request).pk, len(found))
        log.info("address labels through the API: letter_batch=%d user=%d rows=%d", *told)
        return _private(print_address_labels(found, skip=wish.validated_data["skip"]))


def _private(pdf: bytes) -> HttpResponse:
    return HttpResponse(pdf, content_type="application/pdf", headers={"Cache-Control": "no-store, private"})
