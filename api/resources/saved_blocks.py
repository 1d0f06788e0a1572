"""Saved blocks over the API: kept from a content under a name, and copied into others."""

from __future__ import annotations

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from api.resources.content_versions import editable
from api.resources.fields import user_of
from common.time import clock
from mailings import actions
from mailings.models import Content, SavedBlock


class SavedBlockSerializer(serializers.ModelSerializer[SavedBlock]):
    """``type`` and ``data`` as of the blocks of a content."""

    class Meta:
        model = SavedBlock
        fields = ["id", "name", "type", "data", "created_at"]
        read_only_fields = ["type", "data", "created_at"]
        # the action says in words that the name is taken
        extra_kwargs: ClassVar[dict[str, Any]] = {"name": {"validators": []}}


class KeepBlockSerializer(serializers.Serializer[Any]):
    """Of which content (id) which block (its id there), and under which name."""

    content = serializers.PrimaryKeyRelatedField(queryset=Content.objects.all())
    block = serializers.CharField(max_length=60)
    name = serializers.CharField(max_length=80)


class UseBlockSerializer(serializers.Serializer[Any]):
    """In which content (id); ``into``: the id of a column there, else it comes at the end."""

    content = serializers.PrimaryKeyRelatedField(queryset=Content.objects.all())
    into = serializers.CharField(max_length=60, required=False, allow_blank=True, default="")


class UsedBlockSerializer(serializers.Serializer[Any]):
    """The id of the copy."""

    block = serializers.CharField()


class SavedBlockViewSet(
    mixins.ListModelMixin, mixins.RetrieveModelMixin, mixins.DestroyModelMixin, viewsets.GenericViewSet[Any]
):
    """Blocks that were kept, by name."""

    queryset = SavedBlock.objects.order_by("name")
    serializer_class = SavedBlockSerializer
    filterset_fields = {"name": ["exact"], "type": ["exact"]}
    rights: ClassVar[dict[str, str]] = dict.fromkeys(["create", "partial_update", "destroy", "use"], "manage_mailings")

    @extend_schema(request=KeepBlockSerializer, responses={201: SavedBlockSerializer})
    def create(self, request: Request) -> Response:
        """Keep a block of a content, without its audience."""
        wish = KeepBlockSerializer(data=request.data)
        wish.is_valid(raise_exception=True)
        told = wish.validated_data
        saved = actions.keep_block(told["content"], told["block"], name=told["name"], by=user_of(request), now=clock())
        return Response(SavedBlockSerializer(saved).data, status=status.HTTP_201_CREATED)

    def partial_update(self, request: Request, pk: str) -> Response:
        """Give it another name."""
        saved = self.get_object()
        wish = SavedBlockSerializer(saved, data=request.data, partial=True)
        wish.is_valid(raise_exception=True)
        if "name" in wish.validated_data:
            actions.rename_saved_block(saved, name=wish.validated_data["name"], by=user_of(request))
        return Response(SavedBlockSerializer(saved).data)

    def perform_destroy(self, instance: SavedBlock) -> None:
        actions.remove_saved_block(instance, by=user_of(self.request))

    @extend_schema(request=UseBlockSerializer, responses=UsedBlockSerializer)
    @action(detail=True, methods=["post"], filterset_fields=None, pagination_class=None)
    def use(self, request: Request, pk: str) -> Response:
        """Put a copy into a content; changing one changes nothing in the other."""
        wish = UseBlockSerializer(data=request.data)
        wish.is_valid(raise_exception=True)
        told = wish.validated_data
        block = actions.use_saved_block(
            editable(told["content"]), self.get_object(), into=told["into"], by=user_of(request), now=clock()
        )
        return Response({"block": block})
