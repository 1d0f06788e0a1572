"""Sources and their deliveries over the API."""

from __future__ import annotations

from typing import Any

from rest_framework import mixins, serializers, viewsets

from api.resources.fields import by_code
from common.time import clock
from customers.actions.feeds import save_feed
from customers.models import Feed, Source


class SourceSerializer(serializers.ModelSerializer[Source]):
    ranks = serializers.SerializerMethodField()

    class Meta:
        model = Source
        fields = ["code", "name", "kind", "rank", "number_prefix", "ranks"]

    def get_ranks(self, source: Source) -> dict[str, int]:
        """Exceptions to the rank, per field."""
        return {one.field: one.rank for one in source.field_ranks.all()}


class SourceViewSet(viewsets.ReadOnlyModelViewSet[Any]):
    queryset = Source.objects.prefetch_related("field_ranks").order_by("code")
    serializer_class = SourceSerializer
    lookup_field = "code"


class FeedSerializer(serializers.ModelSerializer[Feed]):
    source = by_code(Source.objects.filter(kind=Source.Kind.SYSTEM))
    delivers = serializers.CharField(max_length=16, help_text="A format of an import, such as customers or facts.")
    mapping = serializers.DictField(child=serializers.DictField(), required=False)

    class Meta:
        model = Feed
        fields = [
            "id", "source", "name", "delivers", "mapping", "delimiter", "encoding", "matching", "folder", "pattern",
            "schedule", "at", "needs_approval", "is_whole", "is_active", "next_look_at",
        ]  # fmt: skip
        read_only_fields = ["next_look_at"]
        validators: list[Any] = []  # the action says it in words


class FeedViewSet(
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    mixins.CreateModelMixin,
    mixins.UpdateModelMixin,
    viewsets.GenericViewSet[Any],
):
    """Deliveries: what the files of a source hold, how their columns are called, and when they come."""

    queryset = Feed.objects.select_related("source").order_by("id")
    serializer_class = FeedSerializer
    filterset_fields = ["delivers", "is_active"]

    def perform_create(self, serializer: Any) -> None:
        serializer.instance = save_feed(None, **serializer.validated_data, now=clock())

    def perform_update(self, serializer: Any) -> None:
        serializer.instance = save_feed(serializer.instance, **serializer.validated_data, now=clock())
