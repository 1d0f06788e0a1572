"""What happens around every request."""

import logging
from collections.abc import Callable

from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import translation
from django.utils.cache import patch_vary_headers

log = logging.getLogger(__name__)
Handler = Callable[[HttpRequest], HttpResponse]


class ChosenLanguageMiddleware:
    """Speak Dutch unless the visitor chose otherwise with the switch.

    Django's own would follow the browser, and many a Dutch computer has an English one.
    """

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        chosen = request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME)
        language = chosen if chosen in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE
        with translation.override(language):
            request.LANGUAGE_CODE = language
            response = self.get_response(request)
        patch_vary_headers(response, ["Cookie"])
        response.headers.setdefault("Content-Language", language)
        return response


class DatabaseAwayMiddleware:
    """Answer 503 with a page of its own while the database is away, instead of a bare error."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        try:
            return self.get_response(request)
        except (OperationalError, InterfaceError):
            return unavailable(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        return unavailable(request) if isinstance(exception, OperationalError | InterfaceError) else None


def unavailable(request: HttpRequest) -> HttpResponse:
    """Render 503 without asking the database anything, so without a request context."""
    log.error("database is away")
    if request.path.startswith("/api/"):
        response: HttpResponse = HttpResponse(b'{"code": "unavailable"}', status=503, content_type="application/json")
    else:
        response = render(None, "503.html", status=503)
    response.headers["Retry-After"] = "10"
    return response
