"""Versions of import labels over the API: which there are, ending one for everybody, and taking that back."""

from __future__ import annotations

from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from api.resources.fields import user_of
from api.resources.shifts import GroupsWithShifts
from common.time import clock
from labels.actions import end_version, take_version_back
from labels.actions.versions import versions
from labels.models import VersionEnd

ENDS_SHOWN = 100


class LabelVersionSerializer(serializers.Serializer[Any]):
    """A version of a group: how many labels it has, how many have one now, and when they were first and last given."""

    version = serializers.CharField()
    labels = serializers.IntegerField()
    holders = serializers.IntegerField()
    is_active = serializers.BooleanField()
    first_at = serializers.DateTimeField(allow_null=True)
    last_at = serializers.DateTimeField(allow_null=True)


class VersionToEndSerializer(serializers.Serializer[Any]):
    """The version to end."""

    version = serializers.CharField(max_length=20)


class EndedVersionSerializer(serializers.ModelSerializer[VersionEnd]):
    """That a version was ended: how many lost a label by it. ``id`` is needed to take it back."""

    class Meta:
        model = VersionEnd
        fields = ["id", "version", "ended_at", "taken_count", "undone_at"]


class GroupsWithVersions(GroupsWithShifts):
    """Groups of labels, with the versions of those that come by file."""

    @extend_schema(responses=LabelVersionSerializer(many=True))
    @action(detail=True, filterset_fields=None, pagination_class=None)
    def versions(self, request: Request, code: str) -> Response:
        """The versions of the group, the newest first."""
        group = self.get_object()
        return Response(LabelVersionSerializer([one for one in versions() if one.group == group], many=True).data)

    @extend_schema(request=VersionToEndSerializer, responses=EndedVersionSerializer)
    @action(detail=True, methods=["post"], filterset_fields=None, pagination_class=None, url_path="versions/end")
    def end_version(self, request: Request, code: str) -> Response:
        """End a version for everybody who has a label of it."""
        asked = VersionToEndSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        by = user_of(request)
        version = asked.validated_data["version"]
        end = end_version(self.get_object(), version, by=by, name=by.get_username(), now=clock())
        return Response(EndedVersionSerializer(end).data)

    @extend_schema(responses=EndedVersionSerializer(many=True))
    @action(detail=True, filterset_fields=None, pagination_class=None, url_path="versions/ends")
    def version_ends(self, request: Request, code: str) -> Response:
        """The versions that were ended over the API or in the workbench, the latest first."""
        ends = VersionEnd.objects.filter(group=self.get_object())[:ENDS_SHOWN]
        return Response(EndedVersionSerializer(ends, many=True).data)

    @extend_schema(request=None, responses=EndedVersionSerializer)
    @action(
        detail=True, methods=["post"], filterset_fields=None, pagination_class=None,
        url_path=r"versions/ends/(?P<end>\d{1,18})/undo",
    )  # fmt: skip
    def take_version_back(self, request: Request, code: str, end: str) -> Response:
        """Give the labels of an ended version again to who lost them by that."""
        known = get_object_or_404(VersionEnd, group=self.get_object(), pk=end)
        take_version_back(known, by=user_of(request), now=clock())
        return Response(EndedVersionSerializer(VersionEnd.objects.get(pk=known.pk)).data)
