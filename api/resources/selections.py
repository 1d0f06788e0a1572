"""Selections over the API: make, change and delete them, how many there are in one and who, now or then."""

from __future__ import annotations

from typing import Any

import django_filters
from django.db import transaction
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from api.resources.fields import paged, user_of
from api.resources.labels import MemberSerializer
from api.resources.moments import MOMENT, asked_moment
from common.errors import Refused
from common.time import clock
from selections import actions
from selections.asking import who_are_in
from selections.explain import describe
from selections.figures import time_limit
from selections.models import Folder, Selection
from selections.rules import parse_rule


class SelectionSerializer(serializers.ModelSerializer[Selection]):
    """A selection. ``rule`` is a tree as ``/selections/schema/`` describes it; when it is refused, ``field`` of the
    answer is the JSON pointer of the faulty part. ``folder`` is the name of one that is there.
    """

    rule = serializers.JSONField(help_text="See /selections/schema/")
    sentence = serializers.SerializerMethodField(help_text="The rule in words; empty when it can no longer be read")
    folder = serializers.SlugRelatedField(
        slug_field="name", queryset=Folder.objects.all(), required=False, allow_null=True
    )
    owner = serializers.SlugRelatedField[Any](slug_field="username", read_only=True)

    class Meta:
        model = Selection
        fields = [
            "id", "name", "description", "folder", "owner", "rule", "sentence", "last_count", "counted_at",
            "archived_at", "created_at", "updated_at",
        ]  # fmt: skip
        read_only_fields = ["last_count", "counted_at", "archived_at", "created_at", "updated_at"]
        # The action refuses a name in use, in the words that the workbench has for it.
        extra_kwargs = {"name": {"validators": []}, "description": {"max_length": 2000}}

    def get_sentence(self, selection: Selection) -> str:
        try:
            return describe(parse_rule(selection.rule))
        except Refused:
            return ""


class SizeSerializer(serializers.Serializer[Any]):
    """How many customers a selection holds."""

    count = serializers.IntegerField()


class SelectionFilter(django_filters.FilterSet):
    is_archived = django_filters.BooleanFilter(field_name="archived_at", lookup_expr="isnull", exclude=True)
    folder = django_filters.CharFilter(field_name="folder__name")
    owner = django_filters.CharFilter(field_name="owner__username")

    class Meta:
        model = Selection
        fields = ["name"]


class SelectionViewSet(viewsets.ReadOnlyModelViewSet[Any]):
    queryset = Selection.objects.select_related("folder", "owner").order_by("name")
    serializer_class = SelectionSerializer
    filterset_class = SelectionFilter

    @extend_schema(request=SelectionSerializer, responses={201: SelectionSerializer})
    def create(self, request: Request) -> Response:
        """Make a selection."""
        wish = self.get_serializer(data=request.data)
        wish.is_valid(raise_exception=True)
        made = actions.create_selection(**wish.validated_data, by=user_of(request), now=clock())
        return Response(self.get_serializer(made).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=SelectionSerializer, responses=SelectionSerializer)
    def update(self, request: Request, pk: str) -> Response:
        """Change a selection: its name and rule, and what else is given."""
        return self._change(request, partial=False)

    @extend_schema(request=SelectionSerializer, responses=SelectionSerializer)
    def partial_update(self, request: Request, pk: str) -> Response:
        """Change what is given."""
        return self._change(request, partial=True)

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, pk: str) -> Response:
        """Delete a selection that nothing uses."""
        actions.delete_selection(self.get_object(), by=user_of(request))
        return Response(status=status.HTTP_204_NO_CONTENT)

    def _change(self, request: Request, *, partial: bool) -> Response:
        selection = self.get_object()
        wish = self.get_serializer(selection, data=request.data, partial=partial)
        wish.is_valid(raise_exception=True)
        fields = dict(wish.validated_data)
        with transaction.atomic():  # a rule that is refused leaves it in its folder, too
            if "folder" in fields:
                folder = fields.pop("folder")
                selection = actions.move_selection(selection, folder=folder, by=user_of(request), now=clock())
            if fields:
                selection = actions.change_selection(selection, **fields, by=user_of(request), now=clock())
        return Response(self.get_serializer(selection).data)

    @extend_schema(request=None, responses=SelectionSerializer)
    @action(detail=True, methods=["post"], filterset_class=None)
    def archive(self, request: Request, pk: str) -> Response:
        """Take a selection that nothing uses out of the lists."""
        done = actions.archive_selection(self.get_object(), by=user_of(request), now=clock())
        return Response(self.get_serializer(done).data)

    @extend_schema(request=None, responses=SelectionSerializer)
    @action(detail=True, methods=["post"], filterset_class=None)
    def unarchive(self, request: Request, pk: str) -> Response:
        """Put an archived selection back in the lists."""
        return Response(self.get_serializer(actions.unarchive_selection(self.get_object(), by=user_of(request))).data)

    @extend_schema(parameters=MOMENT, responses=MemberSerializer(many=True))
    @action(detail=True, filterset_class=None)
    def customers(self, request: Request, pk: str) -> Response:
        """The customers in the selection at this moment, or at a past one."""
        return paged(self, self._found(request).order_by("number"), MemberSerializer)

    @extend_schema(parameters=MOMENT, responses=SizeSerializer)
    @action(detail=True, filterset_class=None, pagination_class=None)
    def count(self, request: Request, pk: str) -> Response:
        """How many are in it at this moment, or were at a past one; nothing is remembered."""
        found = self._found(request)
        with time_limit(rule=parse_rule(self.get_object().rule), now=asked_moment(request)["as_of"] or clock()):
            return Response({"count": found.count()})

    @extend_schema(request=None, responses=SizeSerializer)
    @count.mapping.post
    def remember_count(self, request: Request, pk: str) -> Response:
        """Count the selection now and remember the size."""
        return Response({"count": actions.count_selection(self.get_object(), now=clock())})

    def _found(self, request: Request) -> QuerySet[Any]:
        return who_are_in(self.get_object(), **asked_moment(request), now=clock())
