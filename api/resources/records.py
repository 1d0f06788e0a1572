"""What a source says of many customers at once, through the same import as its files."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status, viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from api.resources.fields import by_code, user_of
from api.resources.imports import ImportErrorSerializer, ImportRunSerializer
from common.time import clock
from customers.actions.batches import MOST_ROWS, write_records
from customers.models import ImportRun, Source
from customers.records import FIELDS
from customers.tasks import match_soon, run_waiting_imports


class RecordsSerializer(serializers.Serializer[Any]):
    """A source and what it says: per person ``key`` (its number at the source) and any of the fields of a customer."""

    source = by_code(Source.objects.filter(kind=Source.Kind.SYSTEM))
    records = serializers.ListField(
        child=serializers.DictField(child=serializers.CharField(allow_blank=True)), min_length=1, max_length=MOST_ROWS
    )

    def validate_records(self, records: list[dict[str, str]]) -> list[dict[str, str]]:
        known = {"key", "guardian", *FIELDS}
        for record in records:
            if unknown := sorted(record.keys() - known):
                raise serializers.ValidationError(_("These are no fields of a customer: %s.") % ", ".join(unknown))
            if missing := [name for name in ("key", "kind", "last_name") if name not in record]:
                raise serializers.ValidationError(_("Every record needs: %s.") % ", ".join(missing))
            if record.keys() != records[0].keys():
                raise serializers.ValidationError(_("All records of a batch have the same fields."))
        return records


class RecordsAnswer(serializers.Serializer[Any]):
    """The run, and per refused record what is wrong; ``row_number`` is 2 for the first record."""

    run = ImportRunSerializer()
    errors = ImportErrorSerializer(many=True)  # type: ignore[assignment]


class RecordViewSet(viewsets.GenericViewSet[Any]):
    """Add and change what a source says of customers; precedence decides what shows on them."""

    queryset = ImportRun.objects.none()
    serializer_class = RecordsSerializer
    filterset_class = None
    pagination_class = None

    @extend_schema(request=RecordsSerializer, responses={200: RecordsAnswer, 202: RecordsAnswer})
    def create(self, request: Request) -> Response:
        """Write a batch; 200 when it is done, 202 when it waits behind a file that is being taken in."""
        wish = RecordsSerializer(data=request.data)
        wish.is_valid(raise_exception=True)
        run = write_records(
            wish.validated_data["source"], wish.validated_data["records"], by=user_of(request), now=clock()
        )
        is_done = run.state != ImportRun.State.WAITING
        if not is_done:
            run_waiting_imports.delay_on_commit()  # type: ignore[attr-defined]
        elif run.new_count or run.changed_count:
            transaction.on_commit(match_soon, robust=True)  # who came in may be known already
        answer = {"run": run, "errors": run.errors.all()}
        return Response(RecordsAnswer(answer).data, status=status.HTTP_200_OK if is_done else status.HTTP_202_ACCEPTED)
