"""Whose a selection is, what uses it, and what colleagues remark about it, over the API."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from api.resources.fields import paged, user_of
from api.resources.selection_figures import SelectionFigures
from api.resources.selections import SelectionSerializer
from api.resources.taking_out import TakingOut
from common.time import clock
from selections import actions
from selections.models import Comment
from selections.usages import uses_of


class OwnerSerializer(serializers.Serializer[Any]):
    """Who gets a selection, by the name he signs in with."""

    owner = serializers.SlugRelatedField(slug_field="username", queryset=User.objects.all())


class UseSerializer(serializers.Serializer[Any]):
    """One thing that uses it: what kind of thing, its name, and its id within that kind."""

    kind = serializers.CharField()
    name = serializers.CharField(source="thing")
    id = serializers.CharField(source="thing.pk")


class CommentSerializer(serializers.ModelSerializer[Comment]):
    """A remark about a selection."""

    author = serializers.SlugRelatedField[Any](slug_field="username", read_only=True)

    class Meta:
        model = Comment
        fields = ["id", "author", "text", "written_at"]
        read_only_fields = ["written_at"]


class SelectionKeeping(SelectionFigures, TakingOut):
    """Selections, with owners, uses and comments, and what is made of everybody in one."""

    @extend_schema(request=OwnerSerializer, responses=SelectionSerializer)
    @action(detail=True, methods=["post"], filterset_class=None, pagination_class=None, url_path="hand-over")
    def hand_over(self, request: Request, pk: str) -> Response:
        """Give the selection another owner, who still works here."""
        wish = OwnerSerializer(data=request.data)
        wish.is_valid(raise_exception=True)
        to = wish.validated_data["owner"]
        handed = actions.hand_over(self.get_object(), to=to, by=user_of(request), now=clock())
        return Response(self.get_serializer(handed).data)

    @extend_schema(responses=UseSerializer(many=True))
    @action(detail=True, filterset_class=None, pagination_class=None)
    def uses(self, request: Request, pk: str) -> Response:
        """Everything that uses the selection: as long as there is any, it is not deleted or archived."""
        return Response(UseSerializer(uses_of(self.get_object()), many=True).data)

    @extend_schema(responses=CommentSerializer(many=True))
    @action(detail=True, filterset_class=None)
    def comments(self, request: Request, pk: str) -> Response:
        """What was remarked about the selection, the latest first."""
        return paged(self, self.get_object().comments.select_related("author").order_by("-pk"), CommentSerializer)

    @extend_schema(request=CommentSerializer, responses={201: CommentSerializer})
    @comments.mapping.post
    def write_comment(self, request: Request, pk: str) -> Response:
        """Remark something about the selection."""
        wish = CommentSerializer(data=request.data)
        wish.is_valid(raise_exception=True)
        selection, text = self.get_object(), wish.validated_data["text"]
        written = actions.write_comment(selection, text=text, by=user_of(request), now=clock())
        return Response(CommentSerializer(written).data, status=status.HTTP_201_CREATED)

    @extend_schema(responses={204: None})
    @action(
        detail=True,
        methods=["delete"],
        filterset_class=None,
        pagination_class=None,
        url_path=r"comments/(?P<comment>\d{1,18})",
        url_name="comment",
    )
    def delete_comment(self, request: Request, pk: str, comment: str) -> Response:
        """Take a remark of one's own away."""
        actions.delete_comment(get_object_or_404(self.get_object().comments, pk=comment), by=user_of(request))
        return Response(status=status.HTTP_204_NO_CONTENT)
