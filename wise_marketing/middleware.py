"""What happens around every request."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import translation
from django.utils.cache import patch_vary_headers

Handler = Callable[[HttpRequest], HttpResponse]


class ChosenLanguageMiddleware:
    """Speak Dutch unless the visitor chose otherwise: with the switch, or a program with its Accept-Language.

    Django's own would follow the browser, and many a Dutch computer has an English one.
    """

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        is_program = request.path.startswith("/api/")
        chosen = _accepted(request) if is_program else request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME)
        language = chosen if chosen in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE
        with translation.override(language):
            request.LANGUAGE_CODE = language
            response = self.get_response(request)
        patch_vary_headers(response, ["Accept-Language" if is_program else "Cookie"])
        response.headers.setdefault("Content-Language", language)
        return response


def _accepted(request: HttpRequest) -> str:
    """Return the first language of the Accept-Language header, ``en`` for ``en-GB;q=0.9``."""
    return (
        request.headers.get("Accept-Language", "").partition(",")[0].partition(";")[0].partition("-")[0].strip().lower()
    )
