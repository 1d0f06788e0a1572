"""Everybody in a selection or a result set as a file: columns of choice, a call list, sheets of address labels.

Each is a POST, since it is written down who took how many out; a GET of the last two tells how many may be reached.
A token takes nothing out unless an administrator let it.
"""

from __future__ import annotations

import logging
from typing import Any, ClassVar

from django.db.models import TextChoices
from django.http import FileResponse, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import renderers, serializers, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from api.resources.fields import user_of
from api.resources.imports import CsvRenderer
from api.resources.privacy import PdfRenderer
from common.time import clock
from common.values import values
from customers.consents import reaching_purposes
from customers.models import Channel
from labels.exports import COLUMNS, MOST_EXTRA, WORKBOOK, Extra, csv_lines, file_name, workbook
from labels.models import Label
from mailings.address_labels import PER_SHEET, print_address_labels
from mailings.models import Decision
from mailings.reaching import addresses, call_list, look, parts_of
from selections.actions import record_export
from selections.asking import people_of
from selections.models import Export

log = logging.getLogger("wise.exports")


class FileFormat(TextChoices):
    """The kinds of file."""

    CSV = "csv"
    XLSX = "xlsx"


class TakeOutSerializer(serializers.Serializer[Any]):
    """What a file tells of each customer: columns, whether he has these labels (codes), and computed values (codes)."""

    columns = serializers.MultipleChoiceField(choices=[(one.code, one.label) for one in COLUMNS])
    labels = serializers.SlugRelatedField(
        slug_field="code", queryset=Label.objects.filter(is_active=True), many=True, required=False
    )
    values = serializers.ListField(child=serializers.CharField(max_length=60), required=False)
    format = serializers.ChoiceField(choices=FileFormat.choices, default=FileFormat.CSV)

    def validate_columns(self, codes: set[str]) -> list[str]:
        if not codes:
            raise serializers.ValidationError(_("Choose at least one column."))
        return [column.code for column in COLUMNS if column.code in codes]

    def validate_values(self, codes: list[str]) -> list[str]:
        if unknown := [code for code in codes if code not in values]:
            raise serializers.ValidationError(_("There is no value “%s”.") % unknown[0])
        return codes

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if len(attrs.get("labels", [])) + len(attrs.get("values", [])) > MOST_EXTRA:
            raise serializers.ValidationError(_("At most %d labels and values fit in one file.") % MOST_EXTRA)
        return attrs


class PurposeSerializer(serializers.Serializer[Any]):
    """What they are called or written for (code): without a purpose nobody may be."""

    purpose = serializers.SlugRelatedField(slug_field="code", queryset=reaching_purposes())


class AddressesSerializer(PurposeSerializer):
    """Address labels: of whom, whether one per household (the oldest), and which sheets.

    ``part`` is one of the parts that the GET tells; ``skip`` the places already used on the first sheet of the first.
    """

    one_per_household = serializers.BooleanField(default=False)
    part = serializers.IntegerField(default=1, min_value=1, max_value=10_000)
    skip = serializers.IntegerField(default=0, min_value=0, max_value=PER_SHEET - 1)


class ReachedPartSerializer(serializers.Serializer[Any]):
    """One file of address labels: its number, and which of them it holds."""

    number = serializers.IntegerField()
    first = serializers.IntegerField()
    last = serializers.IntegerField()


class MayBeReachedSerializer(serializers.Serializer[Any]):
    """What the gate says of them: outcome -> customers, how many a list would hold, and in which parts it comes."""

    total = serializers.IntegerField()
    usable = serializers.IntegerField()
    decisions = serializers.DictField(child=serializers.IntegerField(), help_text=", ".join(Decision.Outcome.values))
    parts = ReachedPartSerializer(many=True)


class WorkbookRenderer(CsvRenderer):
    """Lets a caller ask for an Excel workbook."""

    media_type = WORKBOOK
    format = "xlsx"


FILES = [CsvRenderer, WorkbookRenderer, renderers.JSONRenderer]
LISTS: dict[str, Any] = {"detail": True, "filterset_class": None, "filterset_fields": None, "pagination_class": None}


class TakingOut(viewsets.GenericViewSet[Any]):
    """Belongs to the resources of selections and of result sets, behind what those say themselves."""

    filterset_class: Any = None
    filterset_fields: Any = None
    rights: ClassVar[dict[str, str]] = dict.fromkeys(
        ["export", "make_call_list", "make_address_labels"], "export_customers"
    )

    @extend_schema(
        request=TakeOutSerializer,
        responses={(200, "text/csv"): OpenApiTypes.STR, (200, WORKBOOK): OpenApiTypes.BINARY},
    )
    @action(methods=["post"], renderer_classes=FILES, **LISTS)
    def export(self, request: Request, pk: str) -> HttpResponseBase:
        """The customers as a CSV file or an Excel workbook; who took how many of which columns is written down."""
        wish = TakeOutSerializer(data=request.data)
        wish.is_valid(raise_exception=True)
        asked, thing, now = wish.validated_data, self.get_object(), clock()
        extra = Extra(asked.get("labels", []), [values[code] for code in asked.get("values", [])], now)
        found, columns = people_of(thing, now=now), asked["columns"]
        count, is_workbook = found.count(), asked["format"] == FileFormat.XLSX
        body: Any = csv_lines(found, columns, extra)
        if is_workbook:
            body = workbook(found, columns, extra, sheet=thing.name, count=count)
        _keep(request, thing, Export.Kind.FILE, [*columns, *extra.codes], count)
        answer = StreamingHttpResponse(body, content_type=WORKBOOK if is_workbook else "text/csv; charset=utf-8")
        name = file_name(thing, now=now, suffix=asked["format"])
        answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
        return _private(answer)

    @extend_schema(parameters=[PurposeSerializer], responses=MayBeReachedSerializer)
    @action(url_path="call-list", renderer_classes=[renderers.JSONRenderer, CsvRenderer], **LISTS)
    def call_list(self, request: Request, pk: str) -> HttpResponseBase:
        """How many of them may be called for a purpose, and why others may not."""
        return self._look(request, PurposeSerializer, Channel.PHONE)

    @extend_schema(request=PurposeSerializer, responses={(200, "text/csv"): OpenApiTypes.STR})
    @call_list.mapping.post
    def make_call_list(self, request: Request, pk: str) -> HttpResponseBase:
        """Who may be called for a purpose, as a CSV file with room for what was said; who took it is written down."""
        wish = PurposeSerializer(data=request.data)
        wish.is_valid(raise_exception=True)
        purpose, thing, now = wish.validated_data["purpose"], self.get_object(), clock()
        file, count = call_list(people_of(thing, now=now), purpose=purpose, now=now)
        _keep(request, thing, Export.Kind.CALLS, [f"purpose:{purpose.code}"], count)
        name = file_name(thing, now=now, suffix="csv", what="bellijst")
        return _private(FileResponse(file, as_attachment=True, filename=name, content_type="text/csv; charset=utf-8"))

    @extend_schema(parameters=[AddressesSerializer], responses=MayBeReachedSerializer)
    @action(url_path="address-labels", renderer_classes=[renderers.JSONRenderer, PdfRenderer], **LISTS)
    def address_labels(self, request: Request, pk: str) -> HttpResponseBase:
        """How many of them may be written by post for a purpose, why others may not, and in which parts they come."""
        return self._look(request, AddressesSerializer, Channel.POST)

    @extend_schema(request=AddressesSerializer, responses={(200, "application/pdf"): OpenApiTypes.BINARY})
    @address_labels.mapping.post
    def make_address_labels(self, request: Request, pk: str) -> HttpResponseBase:
        """One part of the address labels of who may be written, as a PDF; it is written down who took it."""
        wish = AddressesSerializer(data=request.data)
        wish.is_valid(raise_exception=True)
        asked, thing, now = wish.validated_data, self.get_object(), clock()
        told = {name: asked[name] for name in ("purpose", "one_per_household", "part")}
        lines = addresses(people_of(thing, now=now), **told, now=now)
        pdf = print_address_labels(lines, skip=asked["skip"] if asked["part"] == 1 else 0)
        _keep(request, thing, Export.Kind.ADDRESSES, [f"purpose:{asked['purpose'].code}"], len(lines))
        answer = HttpResponse(pdf, content_type="application/pdf")
        name = file_name(thing, now=now, suffix="pdf", what=f"etiketten-{asked['part']}")
        answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
        return _private(answer)

    def _look(self, request: Request, serializer: type[PurposeSerializer], channel: Channel) -> Response:
        question = serializer(data=request.query_params)
        question.is_valid(raise_exception=True)
        asked, thing, now = question.validated_data, self.get_object(), clock()
        homes = bool(asked.get("one_per_household"))
        found = people_of(thing, now=now)
        reached = look(found, purpose=asked["purpose"], channel=channel, one_per_household=homes, now=now)
        parts = parts_of(reached.usable) if channel == Channel.POST else []
        told = {
            "total": reached.total, "usable": reached.usable, "decisions": reached.counts, "parts": parts
        }  # fmt: skip
        return Response(MayBeReachedSerializer(told).data)


def _keep(request: Request, thing: Any, kind: str, told: list[str], count: int) -> None:
    """Keep who took how many out, as what; never whom."""
    user = user_of(request)
    record_export(thing, columns=told, row_count=count, kind=kind, by=user, now=clock())
    shown = (kind, thing._meta.model_name, thing.pk, user.pk, count, ",".join(told))
    log.info("export through the API: %s of %s=%d user=%d rows=%d told=%s", *shown)


def _private(answer: HttpResponseBase) -> HttpResponseBase:
    answer.headers["Cache-Control"] = "no-store, private"
    return answer
