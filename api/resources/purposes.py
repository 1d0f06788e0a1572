"""What customers are reached for: on what ground over each channel, and the words to which people say yes now."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db.models import Prefetch, QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from api.resources.fields import SaidField, paged, user_of
from api.resources.histories import HistorySerializer, history_page
from common.time import clock
from customers.actions import purposes as actions
from customers.models import Purpose, PurposeChannel, Wording

CONDITIONS = ["same_entity", "was_informed", "could_refuse", "own_similar"]


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
        validators: list[Any] = []  # a version that is known is changed, or the action says why not
        extra_kwargs: ClassVar[dict[str, Any]] = {"version": {"validators": []}}


class PurposeSerializer(serializers.ModelSerializer[Purpose]):
    channels = PurposeChannelSerializer(many=True, help_text="A channel that is not named needs a yes.")
    wordings = WordingSerializer(source="current", many=True, help_text="The words in use now.")

    class Meta:
        model = Purpose
        fields = ["code", "name", "description", "rule", "is_public", "channels", "wordings"]


class PurposeChangeSerializer(serializers.ModelSerializer[Purpose]):
    """What customers read of a purpose, and whether they can choose it in MijnMenu."""

    is_public = SaidField(required=False)

    class Meta:
        model = Purpose
        fields = ["name", "description", "is_public"]


class NewPurposeSerializer(PurposeChangeSerializer):
    """A purpose with its code and its sort (``rule``), neither of which changes afterwards."""

    code = serializers.SlugField(max_length=40)
    rule = serializers.ChoiceField(choices=Purpose.Rule.choices, default=Purpose.Rule.OPT_IN)

    class Meta(PurposeChangeSerializer.Meta):
        fields = ["code", "rule", *PurposeChangeSerializer.Meta.fields]


class GroundSerializer(serializers.ModelSerializer[PurposeChannel]):
    """On what ground a channel is used. The four conditions belong to the customer relation (Tw 11.7(3)).

    ``effective`` is what holds: a customer relation of which a condition is not confirmed is none.
    """

    class Meta:
        model = PurposeChannel
        fields = ["channel", "basis", *CONDITIONS, "needs_double_opt_in", "effective", "since"]
        read_only_fields = ["channel", "effective", "since"]


class PurposeViewSet(viewsets.ReadOnlyModelViewSet[Any]):
    queryset = Purpose.objects.all()
    serializer_class = PurposeSerializer
    lookup_field = "code"
    rights: ClassVar[dict[str, str]] = dict.fromkeys(
        ["create", "partial_update", "change_channel", "save_wording"], "manage_purposes"
    )

    def get_queryset(self) -> QuerySet[Any]:
        words = Prefetch("wordings", Wording.objects.current(now=clock()), to_attr="current")
        return super().get_queryset().prefetch_related("channels", words)

    @extend_schema(request=NewPurposeSerializer, responses={201: PurposeSerializer})
    def create(self, request: Request) -> Response:
        """Make a purpose, with the channels and grounds that its sort begins with."""
        wish = NewPurposeSerializer(data=request.data)
        wish.is_valid(raise_exception=True)
        made = actions.create_purpose(**wish.validated_data, by=user_of(request))
        return self._answer(made, status.HTTP_201_CREATED)

    @extend_schema(request=PurposeChangeSerializer, responses=PurposeSerializer)
    def partial_update(self, request: Request, code: str) -> Response:
        """Change what customers read of it; what is not given stays."""
        purpose = self.get_object()
        wish = PurposeChangeSerializer(purpose, data=request.data, partial=True)
        wish.is_valid(raise_exception=True)
        known = {name: getattr(purpose, name) for name in PurposeChangeSerializer.Meta.fields}
        return self._answer(actions.change_purpose(purpose, **(known | wish.validated_data), by=user_of(request)))

    @extend_schema(responses=GroundSerializer(many=True))
    @action(detail=True, pagination_class=None)
    def channels(self, request: Request, code: str) -> Response:
        """The ground over each channel that was set, with its conditions, and since when it holds."""
        return Response(GroundSerializer(self.get_object().channels.order_by("channel"), many=True).data)

    @extend_schema(request=GroundSerializer, responses=GroundSerializer)
    @action(detail=True, methods=["patch"], url_path="channels/(?P<channel>[a-z0-9]+)", pagination_class=None)
    def change_channel(self, request: Request, code: str, channel: str) -> Response:
        """Set the ground of a channel; it holds from now on, for mailings that are under way too. A ground that the law
        does not leave open is refused.
        """
        wish = GroundSerializer(data=request.data, partial=True)
        wish.is_valid(raise_exception=True)
        changed = actions.change_channel(
            self.get_object(), channel, by=user_of(request), now=clock(), **wish.validated_data
        )
        return Response(GroundSerializer(changed).data)

    @extend_schema(responses=WordingSerializer(many=True))
    @action(detail=True)
    def wordings(self, request: Request, code: str) -> Response:
        """Every version of the words, the latest first: what somebody said yes to stays readable."""
        return paged(self, self.get_object().wordings.order_by("-valid_from", "-pk"), WordingSerializer)

    @extend_schema(request=WordingSerializer, responses={200: WordingSerializer})
    @wordings.mapping.post
    def save_wording(self, request: Request, code: str) -> Response:
        """Add a version of the words, or change one that nobody answered yet."""
        wish = WordingSerializer(data=request.data)
        wish.is_valid(raise_exception=True)
        saved = actions.save_wording(self.get_object(), **wish.validated_data, by=user_of(request))
        return Response(WordingSerializer(saved).data)

    @extend_schema(responses=HistorySerializer(many=True))
    @action(detail=True)
    def history(self, request: Request, code: str) -> Response:
        """Each change of what customers read of it, the latest first."""
        return history_page(self, self.get_object().events.all())

    @extend_schema(responses=HistorySerializer(many=True))
    @action(detail=True, url_path="channels-history")
    def channels_history(self, request: Request, code: str) -> Response:
        """Each change of a ground, the latest first."""
        events = PurposeChannel.pgh_event_model.objects.filter(purpose_id=self.get_object().pk)  # type: ignore[attr-defined]
        return history_page(self, events)

    def _answer(self, purpose: Purpose, code: int = status.HTTP_200_OK) -> Response:
        return Response(PurposeSerializer(self.get_queryset().get(pk=purpose.pk)).data, status=code)
