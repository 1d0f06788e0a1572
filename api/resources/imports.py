"""Imports over the API: the same files through the same import that staff use in the workbench."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import mixins, parsers, serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from api.resources.fields import by_code, paged, user_of
from common.time import clock
from customers.actions import upload_import
from customers.models import ImportError, ImportRun, Source  # noqa: A004 - a row of an import
from customers.tasks import run_waiting_imports


class ImportRunSerializer(serializers.ModelSerializer[ImportRun]):
    source = by_code()

    class Meta:
        model = ImportRun
        fields = [
            "id", "format", "source", "file_name", "state", "refusal", "row_count", "new_count", "changed_count",
            "same_count", "refused_count", "created_at", "finished_at",
        ]  # fmt: skip


class ImportFileSerializer(serializers.Serializer[Any]):
    """A file and what is in it."""

    format = serializers.ChoiceField(choices=ImportRun.Format.choices)
    source = by_code(Source.objects.all())
    file = serializers.FileField()


class ImportErrorSerializer(serializers.ModelSerializer[ImportError]):
    class Meta:
        model = ImportError
        fields = ["row_number", "column", "value", "code", "remedy"]


class ImportViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[Any]):
    queryset = ImportRun.objects.select_related("source").order_by("-id")
    serializer_class = ImportRunSerializer
    filterset_fields = ["format", "state"]
    parser_classes = [parsers.MultiPartParser]

    @extend_schema(request=ImportFileSerializer, responses={202: ImportRunSerializer})
    def create(self, request: Request) -> Response:
        """Hand in a file; it is taken in shortly after. Poll the run until its state is ``done`` or ``refused``."""
        wish = ImportFileSerializer(data=request.data)
        wish.is_valid(raise_exception=True)
        upload = wish.validated_data["file"]
        run = upload_import(
            format=wish.validated_data["format"],
            source_code=wish.validated_data["source"].code,
            file=upload,
            file_name=upload.name,
            by=user_of(request),
            now=clock(),
        )
        run_waiting_imports.delay_on_commit()  # type: ignore[attr-defined]
        return Response(ImportRunSerializer(run).data, status=status.HTTP_202_ACCEPTED)

    @extend_schema(responses=ImportErrorSerializer(many=True))
    @action(detail=True, filterset_fields=None)
    def errors(self, request: Request, pk: str) -> Response:
        """The refused rows: row number, column, value and what to do."""
        return paged(self, self.get_object().errors.all(), ImportErrorSerializer)
