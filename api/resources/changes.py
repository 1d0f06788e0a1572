"""What people changed here, page by page, for the system from which the customers came."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from api.resources.fields import by_code
from common.time import clock
from customers.handover import changes_after
from customers.models import CustomerChange, Source

MOST = 1000


class ChangeSerializer(serializers.Serializer[Any]):
    """A field of a customer that was changed; ``source`` is through which: mijnmenu, counter, phone, workbench."""

    id = serializers.IntegerField()
    customer = serializers.CharField(source="number")
    field = serializers.CharField()
    old = serializers.CharField()
    new = serializers.CharField()
    at = serializers.DateTimeField()
    source = serializers.CharField()  # type: ignore[assignment]
    by_customer = serializers.BooleanField()


class ChangesSerializer(serializers.Serializer[Any]):
    """A page. ``after`` is what to ask on with, also when nothing was found: keep it."""

    results = ChangeSerializer(many=True)
    after = serializers.IntegerField()
    more = serializers.BooleanField()


class ChangesAskedSerializer(serializers.Serializer[Any]):
    after = serializers.IntegerField(required=False, default=0, min_value=0, max_value=2**62)
    limit = serializers.IntegerField(required=False, default=MOST, min_value=1, max_value=MOST)
    since = serializers.DateTimeField(required=False, default=None)
    source = by_code(Source.objects.all(), required=False, default=None)


class ChangeViewSet(viewsets.GenericViewSet[Any]):
    """Changes by people, in the order in which they were made; a change appears within a minute."""

    queryset = CustomerChange.objects.none()
    serializer_class = ChangesSerializer
    filterset_class = None
    pagination_class = None

    @extend_schema(
        parameters=[
            OpenApiParameter("after", int, description="The id of the last change that was seen; 0 begins."),
            OpenApiParameter("limit", int), OpenApiParameter("since", str),
            OpenApiParameter("source", str, description="Only through this source."),
        ],
        responses=ChangesSerializer,
    )  # fmt: skip
    def list(self, request: Request) -> Response:
        """Name, address, e-mail and the like as people changed them: customer, field, old, new, when, through what."""
        asked = ChangesAskedSerializer(data=request.query_params)
        asked.is_valid(raise_exception=True)
        wish = asked.validated_data
        sources = [wish["source"].code] if wish["source"] else []
        found, after = changes_after(
            wish["after"], limit=wish["limit"], since=wish["since"], sources=sources, now=clock()
        )
        more = len({row["id"] for row in found}) == wish["limit"]
        return Response(ChangesSerializer({"results": found, "after": after, "more": more}).data)
