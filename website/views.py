"""Where the script on a website sends what a visitor does: one small POST, an empty answer.

What is wrong or unwanted is dropped without a word, so that a page never shows an error because of us; only a site
that is not known, or a page of another domain, is told so.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from common.time import clock
from common.tokens import BadToken
from website import actions
from website.hits import IDENTIFY, BadHit, Sent, is_bot, read_sent
from website.models import Site
from website.sites import Known, find_site
from website.throttle import is_too_much


@csrf_exempt  # it brings no cookies and proves nothing; the site's key and domain are what is checked
@login_not_required
@require_http_methods(["POST", "OPTIONS"])
def hit(request: HttpRequest) -> HttpResponse:
    if request.method == "OPTIONS":
        return _answer(request, 204)
    if is_too_much(_network_address(request)):
        return _answer(request, 429)
    if is_bot(request.headers.get("User-Agent", "")) or _objects(request):
        return _answer(request, 204)
    try:
        sent = read_sent(request.body)
    except BadHit:
        return _answer(request, 400)
    site = find_site(sent.site)
    if site is None or not site.expects(_host(request)):
        return _answer(request, 403)
    _take(sent, site)
    return _answer(request, 204)


def _take(sent: Sent, site: Known) -> None:
    if sent.what != IDENTIFY:
        actions.take_hit(sent, site, now=clock())
        return
    try:
        actions.identify(Site.objects.get(pk=site.pk), sent.visit, proof=sent.proof, now=clock())
    except BadToken:
        return  # a page that stayed open too long: the visit stays anonymous


def _host(request: HttpRequest) -> str:
    return urlsplit(request.headers.get("Origin", "")).netloc.lower()


def _objects(request: HttpRequest) -> bool:
    """The browser says that its owner does not want to be followed."""
    return request.headers.get("DNT") == "1" or request.headers.get("Sec-GPC") == "1"


def _network_address(request: HttpRequest) -> str:
    if settings.BEHIND_PROXY and (forwarded := request.headers.get("X-Forwarded-For")):
        return forwarded.rpartition(",")[2].strip()
    return str(request.META.get("REMOTE_ADDR", ""))


def _answer(request: HttpRequest, status: int) -> HttpResponse:
    response = HttpResponse(status=status)
    # Nothing is given away: the answer is empty, and no cookie is accepted or set.
    response.headers["Access-Control-Allow-Origin"] = request.headers.get("Origin", "*")
    response.headers["Access-Control-Allow-Methods"] = "POST"
    response.headers["Access-Control-Allow-Headers"] = "Content-Type"
    response.headers["Access-Control-Max-Age"] = "86400"
    response.headers["Vary"] = "Origin"
    response.headers["Cache-Control"] = "no-store"
    return response
