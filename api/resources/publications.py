"""The daily lists of who may be reached, page by page, for mail tools that are not ours."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from api.resources.fields import by_code
from common.time import clock
from customers.consents import ALLOWED, verdicts_sql
from mailings.models import Publication, PublicationRun
from mailings.publishing import people

MOST = 1000


class PublicationSerializer(serializers.ModelSerializer[Publication]):
    purpose = by_code()

    class Meta:
        model = Publication
        fields = ["id", "name", "purpose", "channel", "recipient", "columns", "is_active", "next_at"]


class PublicationRunSerializer(serializers.ModelSerializer[PublicationRun]):
    class Meta:
        model = PublicationRun
        fields = ["day", "finished_at", "people_count", "counts", "error"]


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
