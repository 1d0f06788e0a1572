"""The daily lists of who may be reached, page by page, for mail tools that are not ours."""

from __future__ import annotations

import datetime as dt
from typing import Any, ClassVar

from django.http import FileResponse, Http404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import renderers, serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from api.resources.fields import SaidField, by_code, user_of
from api.resources.imports import CsvRenderer
from common.time import clock
from customers.consents import ALLOWED, reaching_purposes, verdicts_sql
from mailings import actions
from mailings.models import Publication, PublicationRun
from mailings.publishing import COLUMNS, people

MOST = 1000
SETTABLE = [
    "name", "purpose", "channel", "recipient", "columns", "has_file", "webhook_url", "daily_at", "is_active",
]  # fmt: skip
USUAL: dict[str, Any] = {
    "channel": "email", "has_file": True, "webhook_url": "", "daily_at": dt.time(5, 0), "is_active": True,
}  # fmt: skip


class PublicationSerializer(serializers.ModelSerializer[Publication]):
    """A list of each day, for a purpose (code); ``webhook_url`` is told when it is ready, without a person in it."""

    purpose = by_code(reaching_purposes())
    columns = serializers.ListField(child=serializers.ChoiceField(choices=list(COLUMNS)), min_length=1)
    recipient = serializers.CharField(max_length=120, help_text="Who gets it, for the register of processing")
    webhook_url = serializers.URLField(max_length=300, required=False, allow_blank=True)
    has_file = SaidField(required=False)
    is_active = SaidField(required=False)

    class Meta:
        model = Publication
        fields = [
            "id", "name", "purpose", "channel", "recipient", "columns", "has_file", "webhook_url", "daily_at",
            "is_active", "next_at",
        ]  # fmt: skip
        read_only_fields = ["next_at"]
        extra_kwargs: ClassVar[dict[str, Any]] = {"name": {"validators": []}}


class PublicationRunSerializer(serializers.ModelSerializer[PublicationRun]):
    class Meta:
        model = PublicationRun
        fields = [
            "id",
            "day",
            "finished_at",
            "people_count",
            "counts",
            "file_name",
            "error",
            "webhook",
            "webhook_reply",
        ]


class PeopleSerializer(serializers.Serializer[Any]):
    """A page of the latest list. ``next`` is ``after`` of the page that follows; null: this is the last."""

    results = serializers.ListField(child=serializers.DictField(child=serializers.CharField()))
    next = serializers.IntegerField(allow_null=True)


class PageSerializer(serializers.Serializer[Any]):
    after = serializers.IntegerField(required=False, default=0, min_value=0)
    limit = serializers.IntegerField(required=False, default=MOST, min_value=1, max_value=MOST)


class PublicationViewSet(viewsets.ReadOnlyModelViewSet[Any]):
    queryset = Publication.objects.select_related("purpose").order_by("pk")
    serializer_class = PublicationSerializer
    filterset_fields = ["is_active"]
    rights: ClassVar[dict[str, str]] = dict.fromkeys(["create", "partial_update", "run", "file"], "export_customers")

    @extend_schema(request=PublicationSerializer, responses={201: PublicationSerializer})
    def create(self, request: Request) -> Response:
        """Make a publication; its first list comes at ``daily_at``, or at once by ``run``."""
        wish = PublicationSerializer(data=request.data)
        wish.is_valid(raise_exception=True)
        return Response(self._save(None, request, USUAL | wish.validated_data), status=status.HTTP_201_CREATED)

    @extend_schema(request=PublicationSerializer, responses=PublicationSerializer)
    def partial_update(self, request: Request, pk: str) -> Response:
        """Change what is given."""
        publication = self.get_object()
        wish = PublicationSerializer(publication, data=request.data, partial=True)
        wish.is_valid(raise_exception=True)
        known = {name: getattr(publication, name) for name in SETTABLE}
        return Response(self._save(publication, request, known | wish.validated_data))

    @extend_schema(request=None, responses=PublicationRunSerializer)
    @action(detail=True, methods=["post"], filterset_fields=None, pagination_class=None)
    def run(self, request: Request, pk: str) -> Response:
        """Write the list of today now; one that was there already is replaced."""
        return Response(PublicationRunSerializer(actions.run_publication(self.get_object(), now=clock())).data)

    @extend_schema(responses={(200, "text/csv"): OpenApiTypes.BINARY})
    @action(
        detail=True, url_path="files/(?P<run>[0-9]{1,18})", filterset_fields=None, pagination_class=None,
        renderer_classes=[CsvRenderer, renderers.JSONRenderer],
    )  # fmt: skip
    def file(self, request: Request, pk: str, run: str) -> FileResponse:
        """The file of a run (``id`` of a run); the last seven are kept."""
        found = self.get_object().runs.filter(pk=run).exclude(file_name="").first()
        path = actions.path_of(found.file_name) if found else None
        if path is None or not path.is_file():
            raise Http404
        answer = FileResponse(path.open("rb"), as_attachment=True, filename=path.name, content_type="text/csv")
        answer.headers["Cache-Control"] = "no-store, private"
        return answer

    def _save(self, publication: Publication | None, request: Request, fields: dict[str, Any]) -> Any:
        told = {name: fields[name] for name in SETTABLE}
        saved = actions.save_publication(publication, **told, by=user_of(request), now=clock())
        return PublicationSerializer(saved).data

    @extend_schema(
        parameters=[OpenApiParameter("after", int), OpenApiParameter("limit", int)], responses=PeopleSerializer
    )
    @action(detail=True, filterset_fields=None, pagination_class=None)
    def people(self, request: Request, pk: str) -> Response:
        """Who may be reached. Who said no since the list was made is left out, so a page may be shorter than asked."""
        publication = self.get_object()
        page = PageSerializer(data=request.query_params)
        page.is_valid(raise_exception=True)
        verdicts = verdicts_sql(
            "SELECT unnest(%(ids)s::bigint[])", purpose=publication.purpose, channel=publication.channel, as_of=clock()
        )
        allowed = f"SELECT customer_id FROM ({verdicts}) AS judged WHERE verdict = '{ALLOWED}'"  # noqa: S608
        found, following = people(publication.pk, publication.columns, allowed_sql=allowed, **page.validated_data)
        return Response({"results": found, "next": following})

    @extend_schema(responses=PublicationRunSerializer(many=True))
    @action(detail=True, filterset_fields=None, pagination_class=None)
    def runs(self, request: Request, pk: str) -> Response:
        """The last thirty days: how many people, and why the others are not on the list."""
        return Response(PublicationRunSerializer(self.get_object().runs.all()[:30], many=True).data)
