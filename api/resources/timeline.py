"""Everything that happened to one customer, from all sources, latest first: as the workbench shows it."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from api.resources.fields import by_code
from common.time import end_of_day, start_of_day
from customers.facts import fact_kinds
from customers.models import Source, World
from customers.timeline import INBOUND, OUTBOUND, Key, Timeline, Wish, all_parts

USUAL, MOST = 25, 200


class AboutSerializer(serializers.Serializer[Any]):
    """What a moment is about: the noun of something and its id."""

    noun = serializers.CharField()
    id = serializers.IntegerField(source="pk")


class TimelineMomentSerializer(serializers.Serializer[Any]):
    """A moment in words. ``kind`` is a kind of fact, or what else it is; with ``day_only`` the hour is not known.

    ``key`` is its place in the line.
    """

    key = serializers.CharField()
    kind = serializers.CharField()
    when = serializers.DateTimeField()
    day_only = serializers.BooleanField()
    title = serializers.CharField()
    text = serializers.CharField(allow_blank=True)
    about = AboutSerializer(allow_null=True)


class TimelineSerializer(serializers.Serializer[Any]):
    """A stretch of the line; ``next`` is ``before`` of the stretch that follows, null at the end."""

    next = serializers.CharField(allow_null=True)
    results = TimelineMomentSerializer(many=True)


class TimelineWishSerializer(serializers.Serializer[Any]):
    """What to tell, and where to go on."""

    kind = serializers.CharField(
        required=False,
        help_text="A code of /api/v1/kinds/, “fact” for all of those, another kind of moment, "
        "or all that went “inbound” (from the customer) or “outbound” (to the customer)",
    )
    source = by_code(Source.objects.all(), required=False, help_text="Code of a source")
    world = by_code(World.objects.all(), required=False, help_text="Code of a world; only facts have one")
    start = serializers.DateField(required=False, help_text="From this day on")
    end = serializers.DateField(required=False, help_text="Up to and including this day")
    before = serializers.CharField(required=False, help_text="“next” of the stretch before this one")
    page_size = serializers.IntegerField(required=False, default=USUAL, min_value=1, max_value=MOST)

    def validate_kind(self, value: str) -> str:
        if value not in fact_kinds and value not in {INBOUND, OUTBOUND, *(part.kind for part in all_parts())}:
            raise serializers.ValidationError(_("“%s” does not exist.") % value)
        return value

    def validate_before(self, value: str) -> Key:
        key = Key.read(value)
        if key is None:
            raise serializers.ValidationError(_("This is no key of this list."))
        return key

    @property
    def wish(self) -> Wish:
        """What was asked for."""
        told = self.validated_data
        source, world, start, end = (told.get(name) for name in ("source", "world", "start", "end"))
        return Wish(
            kind=told.get("kind", ""),
            source=source.code if source else "",
            world=world.code if world else "",
            start=start_of_day(start) if start else None,
            end=end_of_day(end) if end else None,
        )


class TimelineOfCustomer(viewsets.GenericViewSet[Any]):
    """Belongs to the resource of customers, which finds the customer by his number."""

    @extend_schema(parameters=[TimelineWishSerializer], responses=TimelineSerializer)
    @action(detail=True, pagination_class=None, filterset_class=None)
    def timeline(self, request: Request, number: str) -> Response:
        """What the customer did, got, said and was, in one line, the latest first; stretches go on from a key."""
        asked = TimelineWishSerializer(data=request.query_params)
        asked.is_valid(raise_exception=True)
        line, told = Timeline(self.get_object(), asked.wish), asked.validated_data
        page = line.page(told["page_size"], told.get("before"))
        rows = [
            {
                "key": str(key), "kind": one.kind or line.parts[key.table].kind, "when": one.when, "title": one.title,
                "text": one.text, "day_only": one.day_only, "about": one.about,
            }
            for key, one in zip(page.keys, page.moments, strict=True)
        ]  # fmt: skip
        return Response(TimelineSerializer({"next": str(page.next) if page.next else None, "results": rows}).data)
