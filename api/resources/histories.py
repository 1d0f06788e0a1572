"""The history that the database keeps of a setting, for several nouns of the API."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.generics import GenericAPIView
from rest_framework.response import Response

_OWN_FIELDS = {"pgh_id", "pgh_created_at", "pgh_label", "pgh_obj", "pgh_context"}


class HistorySerializer(serializers.Serializer[Any]):
    """One change: when, by whom (a user name; "system" for a program), what (insert, update, delete), and all values
    since.
    """

    at = serializers.DateTimeField(source="pgh_created_at")
    by = serializers.SerializerMethodField()
    change = serializers.CharField(source="pgh_label")
    values = serializers.SerializerMethodField()

    def get_by(self, event: Any) -> str:
        told = event.pgh_context.metadata if event.pgh_context else {}
        names: dict[int, str] = self.context["names"]
        return names.get(told.get("user", 0)) or str(told.get("by") or "system")

    def get_values(self, event: Any) -> dict[str, Any]:
        fields = [field for field in event._meta.fields if field.name not in _OWN_FIELDS]
        return {field.attname: getattr(event, field.attname) for field in fields}


def history_page(view: GenericAPIView[Any], events: QuerySet[Any]) -> Response:
    """Answer with one page of changes, the latest first; names of users in one query."""
    rows = view.paginate_queryset(events.select_related("pgh_context").order_by("-pgh_id")) or []
    users = {event.pgh_context.metadata.get("user") for event in rows if event.pgh_context}
    names = dict(User.objects.filter(pk__in=users - {None}).values_list("pk", "username"))
    return view.get_paginated_response(HistorySerializer(rows, many=True, context={"names": names}).data)
