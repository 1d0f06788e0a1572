"""What short addresses lead to, and where a provider of text messages reports. Looking changes nothing."""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.decorators import method_decorator
from django.views.decorators.csrf import csrf_exempt

from common.time import clock
from mailings import actions
from mailings.delivery.texts import provider_words
from mailings.links import unsubscribe_url
from mailings.machines import reason_of_click
from mailings.sms.events import read_event
from mailings.sms.short_links import STOP, read_code
from mailings.views import PublicView

MOST_TOLD = 100_000  # bytes of one report


class ShortLinkView(PublicView):
    """Leads on to a link of the message, which counts as a click once it is judged, or to the page to say no."""

    http_method_names = ["get", "head"]

    def get(self, request: HttpRequest, code: str) -> HttpResponse:
        message_id, slot = read_code(code)
        if slot == STOP:
            return HttpResponseRedirect(unsubscribe_url(message_id))
        target = actions.link_target(message_id, slot - 1)
        reason = reason_of_click(request.method or "", request.headers)
        actions.record_hits([actions.Arrival(message_id, slot - 1, clock(), reason)])
        return HttpResponseRedirect(target)


@method_decorator(csrf_exempt, name="dispatch")  # the secret in the address is the proof
class TextEventsView(PublicView):
    """Takes reports and answers by POST, as JSON (one, or a list) or as a form."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest, secret: str) -> HttpResponse:
        known = settings.SMS_WEBHOOK_SECRET
        if not known or not hmac.compare_digest(secret.encode(), known.encode()):
            return HttpResponse(status=404)
        if int(request.headers.get("Content-Length") or 0) > MOST_TOLD:
            return HttpResponse(status=413)  # half of it would be lost, and with it somebody's no
        events = [read_event(one, provider_words()) for one in _told(request)]
        actions.record_text_events([one for one in events if one], now=clock())
        return HttpResponse()


def _told(request: HttpRequest) -> list[Mapping[str, Any]]:
    """Return what was posted, as mappings; what cannot be read is nothing."""
    if request.content_type != "application/json":
        return [request.POST.dict()]
    try:
        told = json.loads(request.read(MOST_TOLD))
    except (ValueError, RecursionError):
        return []
    found = told if isinstance(told, list) else [told]
    return [one for one in found if isinstance(one, dict)]
