"""Past moments in questions: a day as it ended, or an instant."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request

from common.time import clock, last_of_day, local_date


@extend_schema_field({"type": "string", "example": "2026-05-01", "description": "A day (as it ended) or an instant"})
class MomentField(serializers.Field[dt.datetime, Any, str, Any]):
    """A day (``2026-05-01``, looked at as it ended; today is now) or an instant with its offset."""

    default_error_messages = {"moment": _("Give a day as 2026-05-01, or an instant with its offset.")}

    def to_internal_value(self, data: Any) -> dt.datetime:
        try:
            if len(str(data)) == len("2026-05-01"):
                return _ended(dt.date.fromisoformat(str(data)))
            moment = dt.datetime.fromisoformat(str(data))
            local_date(moment)  # at the ends of the calendar this day is beyond it
        except (ValueError, OverflowError):
            self.fail("moment")
        if moment.tzinfo is None:
            self.fail("moment")
        return moment

    def to_representation(self, value: dt.datetime) -> str:
        return value.isoformat()


def _ended(day: dt.date) -> dt.datetime:
    now = clock()
    return now if day == local_date(now) else last_of_day(day)


class MomentSerializer(serializers.Serializer[Any]):
    """Which moment is asked for; without ``as_of`` it is now.

    ``assume_present`` answers what is not known of a past moment with what holds at present, instead of refusing.
    """

    as_of = MomentField(required=False)
    assume_present = serializers.BooleanField(required=False, default=False)


def asked_moment(request: Request) -> dict[str, Any]:
    """Return ``as_of`` (None: now) and ``assume_present`` from the address."""
    asked = MomentSerializer(data=request.query_params)
    asked.is_valid(raise_exception=True)
    return {"as_of": asked.validated_data.get("as_of"), "assume_present": asked.validated_data["assume_present"]}


MOMENT = [
    OpenApiParameter("as_of", OpenApiTypes.STR, description="A past day (as it ended) or an instant; without it, now."),
    OpenApiParameter(
        "assume_present",
        OpenApiTypes.BOOL,
        description="Answer what is not known of that moment with what holds at present, instead of refusing.",
    ),
]
