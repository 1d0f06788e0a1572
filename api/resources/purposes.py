"""What customers are reached for: on what ground over each channel, and the words to which people say yes now."""

from __future__ import annotations

from typing import Any

from django.db.models import Prefetch, QuerySet
from rest_framework import serializers, viewsets

from common.time import clock
from customers.models import Purpose, PurposeChannel, Wording


class PurposeChannelSerializer(serializers.ModelSerializer[PurposeChannel]):
    """The ground that really holds: a customer relation of which the conditions were not confirmed is none."""

    basis = serializers.ChoiceField(source="effective", choices=PurposeChannel.Basis.choices)

    class Meta:
        model = PurposeChannel
        fields = ["channel", "basis", "needs_double_opt_in"]


class WordingSerializer(serializers.ModelSerializer[Wording]):
    class Meta:
        model = Wording
        fields = ["version", "text", "valid_from"]


class PurposeSerializer(serializers.ModelSerializer[Purpose]):
    channels = PurposeChannelSerializer(many=True, help_text="A channel that is not named needs a yes.")
    wordings = WordingSerializer(source="current", many=True, help_text="The words in use now.")

    class Meta:
        model = Purpose
        fields = ["code", "name", "description", "rule", "is_public", "channels", "wordings"]


class PurposeViewSet(viewsets.ReadOnlyModelViewSet[Any]):
    queryset = Purpose.objects.all()
    serializer_class = PurposeSerializer
    lookup_field = "code"

    def get_queryset(self) -> QuerySet[Any]:
        words = Prefetch("wordings", Wording.objects.current(now=clock()), to_attr="current")
        return super().get_queryset().prefetch_related("channels", words)
