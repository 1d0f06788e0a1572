"""Addresses that belong to the installation and to no face."""

import logging
import sys

import redis
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError, InterfaceError, OperationalError, connection
from django.http import FileResponse, HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.views import defaults
from django.views.decorators.cache import cache_control, never_cache
from django.views.decorators.http import require_safe
from redis.backoff import NoBackoff
from redis.retry import Retry

log = logging.getLogger(__name__)


@login_not_required
@never_cache
@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok\n", content_type="text/plain")


@login_not_required
@never_cache
@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        once = Retry(NoBackoff(), 0)
        redis.Redis.from_url(settings.REDIS_URL, socket_connect_timeout=2, socket_timeout=2, retry=once).ping()
    except (DatabaseError, redis.RedisError) as error:
        log.error("not ready: %s", type(error).__name__)
        return HttpResponse("not ready\n", status=503, content_type="text/plain")
    return HttpResponse("ready\n", content_type="text/plain")


@login_not_required
@require_safe
@cache_control(max_age=86400, public=True)
def favicon(request: HttpRequest) -> FileResponse:
    return FileResponse((settings.BASE_DIR / "static" / "img" / "favicon.ico").open("rb"))


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    if request.path.startswith("/api/"):
        return JsonResponse({"detail": _("There is nothing at this address.")}, status=404)
    return defaults.page_not_found(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    # An exception ends here from wherever it was raised, also from a middleware that asks who the user is.
    if isinstance(sys.exc_info()[1], OperationalError | InterfaceError):
        return unavailable(request)
    return defaults.server_error(request)


def unavailable(request: HttpRequest) -> HttpResponse:
    # Without a request context: that would ask the database who the user is.
    is_api = request.path.startswith("/api/")
    response = HttpResponse(
        b'{"code": "unavailable"}' if is_api else render_to_string("503.html"),
        status=503,
        content_type="application/json" if is_api else None,
    )
    response.headers["Retry-After"] = "10"
    return response
