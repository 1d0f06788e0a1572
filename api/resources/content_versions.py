"""Versions of a content over the API: what was saved, by whom, and putting it back."""

from __future__ import annotations

from typing import Any, cast

from django.contrib.auth.models import User
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from api.resources.fields import user_of
from common.errors import Refused
from common.time import clock
from mailings import actions
from mailings.models import Content
from mailings.versions import Version, version_of, versions_of

NUMBER = OpenApiParameter("number", int, OpenApiParameter.PATH)


class ContentVersionSerializer(serializers.Serializer[Any]):
    """A version as it was saved: when, by whom (user name, or null), and in words what changed."""

    number = serializers.IntegerField()
    at = serializers.DateTimeField()
    by = serializers.SerializerMethodField()
    changes = serializers.ListField(child=serializers.CharField())
    is_current = serializers.BooleanField()

    def get_by(self, version: Version) -> str | None:
        return cast("dict[int, str]", self.context["names"]).get(version.user_id or 0)


class WholeContentVersionSerializer(ContentVersionSerializer):
    """A version with what it said."""

    subject = serializers.CharField(source="content.subject")
    preheader = serializers.CharField(source="content.preheader")
    blocks = serializers.JSONField(source="content.blocks")


def editable(content: Content) -> Content:
    """Return a content that may be changed here; raises Refused when its edition writes it."""
    if hasattr(content, "edition"):
        raise Refused("edition_writes", _("An edition of a newsletter writes this content. Change its items."))
    return content


def _names(*versions: Version) -> dict[str, Any]:
    users = User.objects.filter(pk__in=[one.user_id for one in versions if one.user_id])
    return {"names": dict(users.values_list("pk", "username"))}


class VersionsOfContents:
    """The part of the contents that is about their versions."""

    get_object: Any

    @extend_schema(responses=ContentVersionSerializer(many=True))
    @action(detail=True, filterset_fields=None, pagination_class=None)
    def versions(self, request: Request, pk: str) -> Response:
        """The newest hundred versions, latest first."""
        found = versions_of(self.get_object())
        return Response(ContentVersionSerializer(found, many=True, context=_names(*found)).data)

    @extend_schema(parameters=[NUMBER], responses=WholeContentVersionSerializer)
    @action(detail=True, url_path=r"versions/(?P<number>\d+)", filterset_fields=None, pagination_class=None)
    def version(self, request: Request, pk: str, number: str) -> Response:
        """One version, with what it said."""
        found = version_of(self.get_object(), int(number))
        if found is None:
            raise Refused("not_found", _("There is no such version."))
        return Response(WholeContentVersionSerializer(found, context=_names(found)).data)

    @extend_schema(parameters=[NUMBER], request=None, responses=WholeContentVersionSerializer)
    @action(detail=True, methods=["post"], url_path=r"versions/(?P<number>\d+)/restore", filterset_fields=None)
    def restore(self, request: Request, pk: str, number: str) -> Response:
        """Make a new version that says what this one said; answers with the new one."""
        content = editable(self.get_object())
        actions.restore_version(content, int(number), by=user_of(request), now=clock())
        content.refresh_from_db()
        made = cast(Version, version_of(content, content.version))
        return Response(WholeContentVersionSerializer(made, context=_names(made)).data)
