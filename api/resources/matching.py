"""From which likelihood customers are shown as possibly one person, and from which they merge by themselves."""

from __future__ import annotations

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import serializers, viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from api.resources.fields import user_of
from customers.actions.matching import change_match_settings
from customers.models import MatchSettings

FIELDS = ["possible_from", "certain_from", "merges_itself"]


class MatchSettingsSerializer(serializers.ModelSerializer[MatchSettings]):
    """Points from 1 to 100; ``matched_at`` is up to when customers were compared."""

    class Meta:
        model = MatchSettings
        fields = [*FIELDS, "matched_at"]
        read_only_fields = ["matched_at"]


class MatchSettingsViewSet(viewsets.GenericViewSet[Any]):
    queryset = MatchSettings.objects.none()
    serializer_class = MatchSettingsSerializer
    filterset_class = None
    pagination_class = None
    rights: ClassVar[dict[str, str]] = {"change": "manage_data"}

    @extend_schema(responses=MatchSettingsSerializer)
    def retrieve(self, request: Request) -> Response:
        """The settings; there is one set of them."""
        return Response(MatchSettingsSerializer(MatchSettings.load()).data)

    @extend_schema(request=MatchSettingsSerializer, responses=MatchSettingsSerializer)
    def change(self, request: Request) -> Response:
        """Change what is given; it holds from the next comparison on."""
        known = MatchSettings.load()
        wish = MatchSettingsSerializer(known, data=request.data, partial=True)
        wish.is_valid(raise_exception=True)
        fields = {name: getattr(known, name) for name in FIELDS} | wish.validated_data
        return Response(MatchSettingsSerializer(change_match_settings(by=user_of(request), **fields)).data)
