"""One mapping from refusals to HTTP, and one shape for all: ``{"code", "message", "field", "errors"}``."""

from __future__ import annotations

import logging
from typing import Any

from django.db import IntegrityError
from django.db.models import ProtectedError
from django.http import Http404
from django.utils.translation import gettext as _
from psycopg2.errors import UniqueViolation
from rest_framework import status
from rest_framework.exceptions import ErrorDetail, NotFound
from rest_framework.response import Response
from rest_framework.settings import api_settings
from rest_framework.views import exception_handler as default_handler

from common.errors import Refused

log = logging.getLogger(__name__)

#: Refusals that mean "the state of things forbids it", as opposed to "what you sent is not right".
CONFLICTS = frozenset(
    {
        "already_blocked", "already_reversed", "answered", "blocked", "busy", "campaign_finished", "campaign_over",
        "campaign_started", "campaign_state", "closed", "confirm", "conflict", "definition_closed", "definition_paused",
        "edition_sent", "edition_writes", "erased", "expired", "import_running", "import_values", "in_use", "inactive",
        "key_reused", "letters", "limit", "message_under_way", "newsletter_stopped", "not_active", "not_restricted",
        "not_yet_valid", "other_customer", "restricted", "used", "wrong_branch", "wrong_state",
    }
)  # fmt: skip
TOO_MANY = "too_many_attempts"
NOT_FOUND = frozenset({"unknown", "not_found", "gone"})


def exception_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """Turn ``Refused`` into 404, 409, 422 or 429, and what the framework refuses into the same shape.

    ``field`` is there when one is wrong; ``errors`` has all of them, field -> messages, when a body is not right.
    """
    if isinstance(error, ProtectedError):
        error = Refused("in_use", _("In use elsewhere, so it cannot be removed."))
    if isinstance(error, IntegrityError) and isinstance(error.__cause__, UniqueViolation):
        log.warning("two equal requests at once: %s", error.__cause__.diag.constraint_name)
        error = Refused(
            "conflict", _("Somebody did the same at this very moment. Look what is there now, and try again.")
        )
    if isinstance(error, Http404):
        error = NotFound()  # whose words are translated; Django's name a class of ours in English
    if not isinstance(error, Refused):
        return _in_our_shape(default_handler(error, context))
    body = {"code": error.code, "message": str(error.message)}
    if error.field:
        body["field"] = error.field
    return Response(body, status=_status_of(error.code))


def _in_our_shape(answer: Response | None) -> Response | None:
    if answer is None:
        return None
    told = answer.data
    if isinstance(told, dict) and isinstance(told.get("detail"), ErrorDetail):
        answer.data = {"code": told["detail"].code, "message": str(told["detail"])}
        return answer
    field = next(iter(told), "") if isinstance(told, dict) else ""
    answer.data = {"code": "invalid", "message": _first_message(told), "errors": told}
    if field and isinstance(field, str) and field != api_settings.NON_FIELD_ERRORS_KEY:  # a row has a number
        answer.data["field"] = field
    return answer


def _first_message(told: Any) -> str:
    """Return the first text in errors of whatever depth."""
    while told and isinstance(told, dict | list):
        told = next(iter(told.values())) if isinstance(told, dict) else next((one for one in told if one), "")
    return str(told)


def _status_of(code: str) -> int:
    if code in NOT_FOUND:
        return status.HTTP_404_NOT_FOUND
    if code == TOO_MANY:
        return status.HTTP_429_TOO_MANY_REQUESTS
    return status.HTTP_409_CONFLICT if code in CONFLICTS else status.HTTP_422_UNPROCESSABLE_ENTITY
