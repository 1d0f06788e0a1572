"""What files may hold: the formats with their columns, and ready mappings for the exports that one meets most."""

from __future__ import annotations

from typing import Any

from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from customers.imports import FORMATS
from customers.imports.templates import TEMPLATES


class ColumnSerializer(serializers.Serializer[Any]):
    """A column; with ``required`` the file must have it, with ``filled`` each row has something in it."""

    name = serializers.CharField()
    explanation = serializers.CharField()
    example = serializers.CharField()
    required = serializers.BooleanField()  # type: ignore[assignment]
    filled = serializers.BooleanField()


class TemplateSerializer(serializers.Serializer[Any]):
    """A mapping to begin a delivery with."""

    code = serializers.CharField()
    name = serializers.CharField()
    mapping = serializers.DictField(child=serializers.DictField())
    delimiter = serializers.CharField()
    encoding = serializers.CharField()


class FormatSerializer(serializers.Serializer[Any]):
    """One kind of file, with its own header, a row that is accepted, and templates for exports of other systems."""

    code = serializers.CharField()
    name = serializers.CharField()
    header = serializers.CharField()
    example = serializers.CharField()
    notes = serializers.ListField(child=serializers.CharField())
    columns = ColumnSerializer(many=True)
    templates = serializers.SerializerMethodField()

    @extend_schema(responses=TemplateSerializer(many=True))
    def get_templates(self, format: Any) -> list[dict[str, Any]]:  # noqa: A002 - the domain's word
        """Templates that deliver this format."""
        known = [template for template in TEMPLATES.values() if template.delivers == format.code]
        return [dict(TemplateSerializer(template).data) for template in known]


class FormatViewSet(viewsets.ViewSet):
    """Formats of files: what ``delivers`` of a feed and ``format`` of an import may be."""

    serializer_class = FormatSerializer
    lookup_field = "code"
    lookup_value_regex = "[a-z0-9_]+"

    @extend_schema(responses=FormatSerializer(many=True))
    def list(self, request: Request) -> Response:
        """All formats, in the order in which one imports them."""
        return Response(FormatSerializer(list(FORMATS), many=True).data)

    @extend_schema(responses=FormatSerializer)
    def retrieve(self, request: Request, code: str) -> Response:
        """One format."""
        known = FORMATS.get(code)
        if known is None:
            raise Http404
        return Response(FormatSerializer(known).data)
