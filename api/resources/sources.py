"""Sources and their deliveries over the API."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, parsers, serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from api.resources.fields import by_code
from common.errors import Refused
from common.time import clock
from customers.actions.feeds import is_absent, save_feed
from customers.actions.sources import save_source
from customers.imports import FORMATS
from customers.imports.reading import glimpse
from customers.imports.templates import guess
from customers.models import Feed, Source
from customers.records import ADDRESS, FIELDS
from customers.tasks import run_waiting_imports


class SourceSerializer(serializers.ModelSerializer[Source]):
    ranks = serializers.SerializerMethodField()

    class Meta:
        model = Source
        fields = ["code", "name", "kind", "rank", "number_prefix", "ranks"]

    def get_ranks(self, source: Source) -> dict[str, int]:
        """Exceptions to the rank, per field."""
        return {one.field: one.rank for one in source.field_ranks.all()}


class SourceWishSerializer(serializers.Serializer[Any]):
    """What a source shall be. ``ranks`` are all its exceptions, per field of a customer or for ``address`` as a whole;
    left out, they stay as they are.
    """

    name = serializers.CharField(max_length=100)
    kind = serializers.ChoiceField(
        choices=[choice for choice in Source.Kind.choices if choice[0] != Source.Kind.PRODUCT], required=False
    )
    rank = serializers.IntegerField(min_value=1, max_value=99, required=False)
    number_prefix = serializers.CharField(max_length=8, required=False, allow_blank=True)
    ranks = serializers.DictField(child=serializers.IntegerField(min_value=1, max_value=99), required=False)

    def validate_ranks(self, ranks: dict[str, int]) -> dict[str, int]:
        parts = set(ranks) & set(ADDRESS)
        if unknown := sorted(set(ranks) - {*FIELDS, "address"} | parts):
            raise serializers.ValidationError(
                _("These have no rank of their own: %s. An address has one as a whole.") % ", ".join(unknown)
            )
        return {field: rank for code, rank in ranks.items() for field in (ADDRESS if code == "address" else (code,))}


class SourceViewSet(viewsets.ReadOnlyModelViewSet[Any]):
    """Sources: where data comes from, and whom we believe about what."""

    queryset = Source.objects.prefetch_related("field_ranks").order_by("code")
    serializer_class = SourceSerializer
    lookup_field = "code"

    @extend_schema(request=SourceWishSerializer, responses={201: SourceSerializer})
    def create(self, request: Request) -> Response:
        """Make a source; its code follows from its name."""
        wish = SourceWishSerializer(data=request.data)
        wish.is_valid(raise_exception=True)
        usual = {"kind": Source.Kind.SYSTEM, "rank": 20, "number_prefix": "", "ranks": {}}
        return self._save(None, usual | wish.validated_data, status.HTTP_201_CREATED)

    @extend_schema(request=SourceWishSerializer, responses=SourceSerializer)
    def partial_update(self, request: Request, code: str) -> Response:
        """Change a source; customers follow a new precedence within minutes."""
        told = self.get_object()
        if told.kind == Source.Kind.PRODUCT:
            raise Refused("ours", _("This source is the product itself."))
        wish = SourceWishSerializer(data=request.data, partial=True)
        wish.is_valid(raise_exception=True)
        known = {name: getattr(told, name) for name in ("name", "kind", "rank", "number_prefix")}
        ranks = {one.field: one.rank for one in told.field_ranks.all()}
        return self._save(told, known | {"ranks": ranks} | wish.validated_data)

    def _save(self, known: Source | None, fields: dict[str, Any], code: int = status.HTTP_200_OK) -> Response:
        told = save_source(known, **fields, now=clock())
        return Response(SourceSerializer(Source.objects.get(pk=told.pk)).data, status=code)


class FeedSerializer(serializers.ModelSerializer[Feed]):
    source = by_code(Source.objects.filter(kind=Source.Kind.SYSTEM))
    delivers = serializers.CharField(max_length=16, help_text="A format of an import, such as customers or facts.")
    mapping = serializers.DictField(child=serializers.DictField(), required=False)
    is_folder_absent = serializers.SerializerMethodField()

    class Meta:
        model = Feed
        fields = [
            "id", "source", "name", "delivers", "mapping", "delimiter", "encoding", "matching", "folder", "pattern",
            "schedule", "at", "needs_approval", "is_whole", "is_active", "next_look_at",
            "is_folder_absent",
        ]  # fmt: skip
        read_only_fields = ["next_look_at"]
        validators: list[Any] = []  # the action says it in words

    def get_is_folder_absent(self, feed: Feed) -> bool:
        """Whether the folder is not there (yet), so that no file can come in by it."""
        return is_absent(feed)


class ExampleSerializer(serializers.Serializer[Any]):
    """A file to look at; with ``delivers`` its columns are guessed too."""

    file = serializers.FileField()
    delivers = serializers.CharField(max_length=16, required=False, default="")
    delimiter = serializers.CharField(max_length=1, required=False, default="", trim_whitespace=False)
    encoding = serializers.CharField(max_length=10, required=False, default="")


class GlimpseSerializer(serializers.Serializer[Any]):
    """How a file would be read: its columns, first rows, and a mapping to begin with."""

    encoding = serializers.CharField()
    delimiter = serializers.CharField()
    header = serializers.ListField(child=serializers.CharField())
    rows = serializers.ListField(child=serializers.ListField(child=serializers.CharField()))
    mapping = serializers.DictField(child=serializers.DictField())


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
        """A file that waits for a yes is tried anew when it would be read otherwise."""
        serializer.instance = save_feed(serializer.instance, **serializer.validated_data, now=clock())
        run_waiting_imports.delay_on_commit()  # type: ignore[attr-defined]

    @extend_schema(request=ExampleSerializer, responses=GlimpseSerializer)
    @action(
        detail=False, methods=["post"], parser_classes=[parsers.MultiPartParser], filterset_fields=None,
        pagination_class=None,
    )  # fmt: skip
    def look(self, request: Request) -> Response:
        """Look at the head of a file, to say how its columns are called; nothing of it is kept."""
        wish = ExampleSerializer(data=request.data)
        wish.is_valid(raise_exception=True)
        told = wish.validated_data
        seen = glimpse(told["file"].file, delimiter=told["delimiter"], encoding=told["encoding"])
        known = FORMATS.get(told["delivers"])
        mapping = guess(known, seen.header) if known else {}
        answer = {
            "encoding": seen.encoding, "delimiter": seen.delimiter, "header": seen.header, "rows": seen.rows,
            "mapping": mapping,
        }  # fmt: skip
        return Response(GlimpseSerializer(answer).data)
