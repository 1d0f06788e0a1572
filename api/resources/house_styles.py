"""House styles and pictures over the API: how mails and letters look, of the organisation and of branches."""

from __future__ import annotations

from typing import Any, ClassVar

from django.http import Http404
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins, parsers, serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from api.resources.fields import by_code, user_of
from common.time import clock
from customers.models import Branch
from mailings import actions
from mailings.links import picture_url
from mailings.models import HouseStyle, Picture

BRANCH = OpenApiParameter("branch", str, OpenApiParameter.PATH, description="Code of a branch")


class PictureSerializer(serializers.ModelSerializer[Picture]):
    """A picture of the library; blocks and house styles name it by its id."""

    url = serializers.SerializerMethodField()

    class Meta:
        model = Picture
        fields = ["id", "alt", "width", "height", "url", "created_at"]

    def get_url(self, picture: Picture) -> str:
        return picture_url(picture.key)


class NewPictureSerializer(serializers.Serializer[Any]):
    """A JPEG, PNG or GIF of at most 5 MB, and what there is to see."""

    file = serializers.FileField()
    alt = serializers.CharField(max_length=200)


class PictureViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[Any]):
    queryset = Picture.objects.order_by("-id")
    serializer_class = PictureSerializer
    parser_classes = [parsers.MultiPartParser]
    rights: ClassVar[dict[str, str]] = {"create": "manage_mailings"}

    @extend_schema(request=NewPictureSerializer, responses={201: PictureSerializer})
    def create(self, request: Request) -> Response:
        """Put a picture into the library: drawn anew, at most 1200 pixels wide."""
        sent = NewPictureSerializer(data=request.data)
        sent.is_valid(raise_exception=True)
        picture = actions.add_picture(**sent.validated_data, by=user_of(request), now=clock())
        return Response(PictureSerializer(picture).data, status=status.HTTP_201_CREATED)


class HouseStyleSerializer(serializers.ModelSerializer[HouseStyle]):
    """The style of a branch (code), or of the organisation (null). What is empty in a branch's own is as the
    organisation's. ``social``: network -> address.
    """

    branch = by_code()
    logo = serializers.PrimaryKeyRelatedField(queryset=Picture.objects.all(), allow_null=True, required=False)
    social = serializers.DictField(child=serializers.URLField(max_length=1000), required=False)

    class Meta:
        model = HouseStyle
        fields = ["branch", "logo", "accent", "font", "sender_name", "sender_email", "social"]


class HouseStyleViewSet(mixins.ListModelMixin, viewsets.GenericViewSet[Any]):
    queryset = HouseStyle.objects.select_related("branch").order_by("branch__name", "id")
    serializer_class = HouseStyleSerializer
    rights: ClassVar[dict[str, str]] = dict.fromkeys(
        ["change_organisation", "change_of_branch", "remove_of_branch"], "manage_sending"
    )

    @extend_schema(responses=HouseStyleSerializer)
    @action(detail=False, pagination_class=None)
    def organisation(self, request: Request) -> Response:
        """The style of the organisation."""
        return self._answer(None)

    @extend_schema(request=HouseStyleSerializer, responses=HouseStyleSerializer)
    @organisation.mapping.patch
    def change_organisation(self, request: Request) -> Response:
        """Change some fields of it; mailings that started keep theirs."""
        return self._change(request, None)

    @extend_schema(parameters=[BRANCH], responses=HouseStyleSerializer)
    @action(detail=False, url_path="branches/(?P<branch>[^/]+)", pagination_class=None)
    def of_branch(self, request: Request, branch: str) -> Response:
        """The style of a branch that has one of its own."""
        return self._answer(get_object_or_404(Branch, code=branch))

    @extend_schema(parameters=[BRANCH], request=HouseStyleSerializer, responses=HouseStyleSerializer)
    @of_branch.mapping.patch
    def change_of_branch(self, request: Request, branch: str) -> Response:
        """Give a branch a style of its own, or change some fields of it."""
        return self._change(request, get_object_or_404(Branch, code=branch))

    @extend_schema(parameters=[BRANCH], responses={204: None})
    @of_branch.mapping.delete
    def remove_of_branch(self, request: Request, branch: str) -> Response:
        """Let a branch look as the organisation again."""
        actions.remove_style(get_object_or_404(Branch, code=branch), by=user_of(request))
        return Response(status=status.HTTP_204_NO_CONTENT)

    def _answer(self, branch: Branch | None) -> Response:
        style = self.get_queryset().filter(branch=branch).first()
        if style is None and branch is not None:
            raise Http404
        return Response(HouseStyleSerializer(style or HouseStyle()).data)

    def _change(self, request: Request, branch: Branch | None) -> Response:
        sent = HouseStyleSerializer(data=request.data, partial=True)
        sent.is_valid(raise_exception=True)
        style = actions.save_style(branch, **sent.validated_data, by=user_of(request))
        return Response(HouseStyleSerializer(style).data)
