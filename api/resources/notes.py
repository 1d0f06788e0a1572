"""Notes and contacts over the API: those of a customer, and new ones from another system, each taken in once."""

from __future__ import annotations

from typing import Any

import django_filters
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, status, viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from api.resources.fields import by_code, customer_field, user_of
from common.time import clock
from customers.actions.notes import write_note
from customers.models import Note, Source
from customers.models.notes import LONGEST
from customers.numbers import find


class NoteSerializer(serializers.ModelSerializer[Note]):
    """A note or the report of a contact. ``(source, external_id)`` makes it unique; sending it again adds nothing."""

    customer = customer_field()
    text = serializers.CharField(max_length=LONGEST)
    happened_at = serializers.DateTimeField(required=False, help_text="When the contact was; now when left out")
    source = by_code(Source.objects.all(), required=False, help_text="Code of the source; api when left out")
    external_id = serializers.CharField(max_length=80, required=False, allow_blank=True, default="")
    author = serializers.CharField(max_length=150, required=False, allow_blank=True, help_text="Who wrote it down")

    class Meta:
        model = Note
        fields = ["id", "customer", "kind", "text", "happened_at", "author", "source", "external_id", "updated_at"]
        read_only_fields = ["id", "updated_at"]
        validators: list[Any] = []  # what was sent before is answered with, not refused


class NoteFilter(django_filters.FilterSet):
    customer = django_filters.CharFilter(method="of_customer", label="customer number")
    since = django_filters.IsoDateTimeFilter(field_name="happened_at", lookup_expr="gte")

    class Meta:
        model = Note
        fields = ["kind"]

    def of_customer(self, queryset: QuerySet[Note], name: str, value: str) -> QuerySet[Note]:
        return queryset.filter(customer=find(value))


class NoteViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[Any]):
    queryset = Note.objects.select_related("customer", "source").order_by("-happened_at", "-id")
    serializer_class = NoteSerializer
    filterset_class = NoteFilter

    @extend_schema(responses={201: NoteSerializer, 200: NoteSerializer})
    def create(self, request: Request) -> Response:
        """Write down a contact with a customer."""
        note = NoteSerializer(data=request.data)
        note.is_valid(raise_exception=True)
        fields = dict(note.validated_data)
        told_by = fields.pop("source", None)
        now = clock()
        written = write_note(
            fields.pop("customer"),
            by=user_of(request),
            now=now,
            source_code=told_by.code if told_by else "api",
            **fields,
        )
        is_new = written.created_at == now
        return Response(NoteSerializer(written).data, status=status.HTTP_201_CREATED if is_new else status.HTTP_200_OK)
