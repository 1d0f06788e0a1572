"""One mapping from the product's refusals to HTTP; everything else is Django REST framework's own."""

from __future__ import annotations

from typing import Any

from django.db.models import ProtectedError
from django.utils.translation import gettext as _
from rest_framework import status
from rest_framework.response import Response
from rest_framework.views import exception_handler as default_handler

from common.errors import Refused

#: Refusals that mean "the state of things forbids it", as opposed to "what you sent is not right".
CONFLICTS = frozenset(
    {
        "already_blocked", "already_reversed", "answered", "blocked", "busy", "campaign_finished", "campaign_over",
        "campaign_started", "campaign_state", "closed", "definition_closed", "definition_paused", "edition_sent",
        "erased", "expired", "import_running", "import_values", "in_use", "inactive", "key_reused", "letters",
        "limit", "message_under_way", "newsletter_stopped", "not_active", "not_restricted", "not_yet_valid",
        "other_customer", "restricted", "used", "wrong_branch", "wrong_state",
    }
)  # fmt: skip
TOO_MANY = "too_many_attempts"
NOT_FOUND = frozenset({"unknown", "not_found", "gone"})


def exception_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """Turn ``Refused`` into 404, 409, 422 or 429 with ``{"code", "message", "field"}``; the rest is the framework's."""
    if isinstance(error, ProtectedError):
        error = Refused("in_use", _("In use elsewhere, so it cannot be removed."))
    if not isinstance(error, Refused):
        return default_handler(error, context)
    body = {"code": error.code, "message": str(error.message)}
    if error.field:
        body["field"] = error.field
    return Response(body, status=_status_of(error.code))


def _status_of(code: str) -> int:
    if code in NOT_FOUND:
        return status.HTTP_404_NOT_FOUND
    if code == TOO_MANY:
        return status.HTTP_429_TOO_MANY_REQUESTS
    return status.HTTP_409_CONFLICT if code in CONFLICTS else status.HTTP_422_UNPROCESSABLE_ENTITY
