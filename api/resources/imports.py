"""Imports over the API: the same files through the same import that staff use in the workbench."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import StreamingHttpResponse
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, parsers, renderers, serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from api.parsers import BoundedJSONParser
from api.resources.fields import by_code, paged, user_of
from common.time import clock
from customers.actions import approve_import, cancel_import, retry_import, undo_import, upload_import
from customers.imports import FORMATS
from customers.imports.report import refused_lines, refused_name
from customers.models import Feed, ImportError, ImportRun, Source  # noqa: A004 - a row of an import
from customers.tasks import run_waiting_imports


class ImportRunSerializer(serializers.ModelSerializer[ImportRun]):
    source = by_code()
    feed = serializers.PrimaryKeyRelatedField[Feed](read_only=True)

    class Meta:
        model = ImportRun
        fields = [
            "id", "format", "source", "feed", "file_name", "state", "percent", "refusal", "needs_approval",
            "approved_by", "row_count", "new_count", "changed_count", "same_count", "refused_count", "remarks",
            "preview", "undo_counts", "created_at", "finished_at", "undone_by", "undone_at",
        ]  # fmt: skip


class ImportListSerializer(ImportRunSerializer):
    """A run in a list: without its samples."""

    class Meta(ImportRunSerializer.Meta):
        fields = [name for name in ImportRunSerializer.Meta.fields if name != "preview"]


class ImportFileSerializer(serializers.Serializer[Any]):
    """A file and what is in it: of a delivery, or of a format and a source."""

    feed = serializers.PrimaryKeyRelatedField(queryset=Feed.objects.filter(is_active=True), required=False)
    format = serializers.ChoiceField(choices=[], required=False)
    source = by_code(Source.objects.filter(kind=Source.Kind.SYSTEM), required=False)
    file = serializers.FileField()
    # A form that leaves a box out says no by it; this one says nothing, and then the delivery decides.
    needs_approval = serializers.BooleanField(required=False, allow_null=True, default=None)

    def get_fields(self) -> dict[str, Any]:
        fields = super().get_fields()
        fields["format"] = serializers.ChoiceField(
            choices=[(each.code, str(each.name)) for each in FORMATS], required=False
        )
        return fields

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if not attrs.get("feed"):
            missing = {name: _("Say this, or name a delivery.") for name in ("format", "source") if not attrs.get(name)}
            if missing:
                raise serializers.ValidationError(missing)
        return attrs


class ImportErrorSerializer(serializers.ModelSerializer[ImportError]):
    class Meta:
        model = ImportError
        fields = ["row_number", "column", "value", "code", "remedy"]


class CsvRenderer(renderers.BaseRenderer):
    """Lets a caller ask for text/csv; the answer itself is streamed past it, errors are JSON."""

    media_type = "text/csv"
    format = "csv"

    def render(self, data: Any, accepted_media_type: Any = None, renderer_context: Any = None) -> bytes:
        return renderers.JSONRenderer().render(data)


class ImportViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[Any]):
    queryset = ImportRun.objects.select_related("source", "feed").order_by("-id")
    serializer_class = ImportRunSerializer
    filterset_fields = ["format", "state", "feed"]
    parser_classes = [parsers.MultiPartParser, BoundedJSONParser]

    def get_queryset(self) -> QuerySet[ImportRun]:
        return super().get_queryset().defer("preview") if self.action == "list" else super().get_queryset()

    def get_serializer_class(self) -> Any:
        return ImportListSerializer if self.action == "list" else ImportRunSerializer

    @extend_schema(request=ImportFileSerializer, responses={202: ImportRunSerializer})
    def create(self, request: Request) -> Response:
        """Hand in a file; it is taken in shortly after. Poll the run until its state is ``done`` or ``refused``, or
        ``previewed`` when it waits for approval.
        """
        wish = ImportFileSerializer(data=request.data)
        wish.is_valid(raise_exception=True)
        told = wish.validated_data
        upload, feed, needs_approval = told["file"], told.get("feed"), told["needs_approval"]
        run = upload_import(
            format=feed.delivers if feed else told["format"],
            source_code=feed.source.code if feed else told["source"].code,
            file=upload,
            file_name=upload.name,
            by=user_of(request),
            now=clock(),
            feed=feed,
            needs_approval=bool(feed and feed.needs_approval) if needs_approval is None else needs_approval,
        )
        run_waiting_imports.delay_on_commit()  # type: ignore[attr-defined]
        return Response(ImportRunSerializer(run).data, status=status.HTTP_202_ACCEPTED)

    @extend_schema(responses=ImportErrorSerializer(many=True))
    @action(detail=True, filterset_fields=None)
    def errors(self, request: Request, pk: str) -> Response:
        """The refused rows: row number, column, value and what to do."""
        return paged(self, self.get_object().errors.all(), ImportErrorSerializer)

    @extend_schema(responses={(200, "text/csv"): OpenApiTypes.STR})
    @action(
        detail=True,
        url_path="errors/csv",
        filterset_fields=None,
        pagination_class=None,
        renderer_classes=[CsvRenderer, renderers.JSONRenderer],
    )
    def errors_csv(self, request: Request, pk: str) -> StreamingHttpResponse:
        """The refused rows as a file for a spreadsheet, as the workbench gives it."""
        run = self.get_object()
        answer = StreamingHttpResponse(refused_lines(run), content_type="text/csv; charset=utf-8")
        answer["Content-Disposition"] = f'attachment; filename="{refused_name(run)}"'
        return answer

    @extend_schema(request=None, responses={202: ImportRunSerializer})
    @action(detail=True, methods=["post"])
    def approve(self, request: Request, pk: str) -> Response:
        """Write a run that was shown first; it happens shortly after."""
        return self._in_line(approve_import(self.get_object(), by=user_of(request), now=clock()))

    @extend_schema(request=None, responses=ImportRunSerializer)
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: str) -> Response:
        """Leave a run that was shown first unwritten."""
        run = cancel_import(self.get_object(), by=user_of(request), now=clock())
        return Response(ImportRunSerializer(run).data)

    @extend_schema(request=None, responses={202: ImportRunSerializer})
    @action(detail=True, methods=["post"])
    def retry(self, request: Request, pk: str) -> Response:
        """Try a refused file again, for instance after its delivery was mended."""
        return self._in_line(retry_import(self.get_object(), by=user_of(request), now=clock()))

    @extend_schema(request=None, responses={202: ImportRunSerializer})
    @action(detail=True, methods=["post"])
    def undo(self, request: Request, pk: str) -> Response:
        """Take back what a run wrote; poll it until its state is ``undone``."""
        return self._in_line(undo_import(self.get_object(), by=user_of(request), now=clock()))

    def _in_line(self, run: ImportRun) -> Response:
        run_waiting_imports.delay_on_commit()  # type: ignore[attr-defined]
        return Response(ImportRunSerializer(run).data, status=status.HTTP_202_ACCEPTED)
