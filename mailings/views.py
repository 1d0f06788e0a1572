"""What the addresses in messages lead to. Looking changes nothing: only a POST unsubscribes, and only a click
counts.
"""

from __future__ import annotations

import io
from typing import Any

import segno
from django.contrib.auth.decorators import login_not_required
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views import View
from django.views.decorators.csrf import csrf_exempt

from common.errors import Refused
from common.time import clock
from common.tokens import BadToken, read_token
from customers.consents import PROCESSING
from customers.models import Purpose
from mailings import actions
from mailings.actions.feedback import ALL_COMMERCIAL, EVERYWHERE, KIND, THIS
from mailings.bounces.providers import read_events
from mailings.links import read_click_token, read_id
from mailings.machines import is_machine_opening, reason_of_click
from mailings.models import Bounce, Message, Picture, SendingSettings, UnsubscribeReason

PIXEL = bytes.fromhex("47494638396101000100800000ffffff00000021f90401000000002c00000000010001000002024401003b")
PICTURE_TYPES = {"jpg": "image/jpeg", "png": "image/png", "gif": "image/gif"}


@method_decorator(login_not_required, name="dispatch")
class PublicView(View):
    """Open to whoever holds the token; a token that is not ours, or is about nothing any more, gets a plain page."""

    def dispatch(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        try:
            response = super().dispatch(request, *args, **kwargs)
        except (BadToken, Refused, Message.DoesNotExist):
            response = render(request, "mailings/gone.html", status=404)
        response.headers.setdefault("Cache-Control", "no-store")
        if isinstance(response, HttpResponseRedirect):  # a page keeps what all pages have: without any, browsers hide
            response.headers["Referrer-Policy"] = "no-referrer"  # whence its forms come, which are refused then
        response.headers["X-Robots-Tag"] = "noindex"
        return response


class ClickView(PublicView):
    http_method_names = ["get", "head"]

    def get(self, request: HttpRequest, token: str) -> HttpResponse:
        message_id, position, _mailing = read_click_token(token)
        target = actions.link_target(message_id, position)
        reason = reason_of_click(request.method or "", request.headers)
        actions.record_hits([actions.Arrival(message_id, position, clock(), reason)])
        return HttpResponseRedirect(target)


class OpenView(PublicView):
    http_method_names = ["get", "head"]

    def get(self, request: HttpRequest, token: str) -> HttpResponse:
        if request.method == "GET":
            self._record(token, by_machine=is_machine_opening(request.headers))
        return HttpResponse(PIXEL, content_type="image/gif")

    def _record(self, token: str, *, by_machine: bool) -> None:
        try:
            actions.record_open(read_id("open", token), by_machine=by_machine)
        except BadToken:
            actions.record_own_open(read_id("opened", token), by_machine=by_machine, now=clock())


@method_decorator(csrf_exempt, name="dispatch")  # the token is the proof, and mail programs bring no cookies (RFC 8058)
class UnsubscribeView(PublicView):
    http_method_names = ["get", "head", "post"]

    def get(self, request: HttpRequest, token: str) -> HttpResponse:
        return self._page(request, self._message(token))

    def post(self, request: HttpRequest, token: str) -> HttpResponse:
        message = self._message(token)
        if request.POST.get("List-Unsubscribe") == "One-Click":
            actions.unsubscribe(message, scope=THIS, method="one-click", now=clock())
            return HttpResponse("OK", content_type="text/plain")
        try:
            done = actions.unsubscribe(
                message,
                scope=request.POST.get("scope", ""),
                method="page",
                reason=request.POST.get("reason", ""),
                now=clock(),
            )
        except Refused as refused:
            return self._page(request, message, problem=str(refused), status=422)
        return self._page(request, message, is_done=True, purposes=done)

    def _message(self, token: str) -> Message:
        known = Message.objects.select_related("mailing__purpose")
        message: Message = known.get(pk=read_id("unsubscribe", token))
        return message

    def _page(self, request: HttpRequest, message: Message, *, status: int = 200, **extra: object) -> HttpResponse:
        purpose, is_text = message.mailing.purpose, message.channel == Message.Channel.SMS
        choices = self._choices(purpose, is_text=is_text)
        context = {
            "organisation": SendingSettings.load().organisation,
            "address": mask(message.address),
            "is_text": is_text,
            "purpose": purpose,
            "choices": choices,
            "chosen": request.POST.get("scope", choices[0][0]),
            "reasons": UnsubscribeReason.Reason.choices,
            "reason": request.POST.get("reason", ""),
            **extra,
        }
        return render(request, "mailings/unsubscribe.html", context, status=status)

    def _choices(self, purpose: Purpose, *, is_text: bool) -> list[tuple[str, Any, Any]]:
        """Return what can be stopped, from little to much: (scope, words, explanation)."""
        found: list[tuple[str, Any, Any]] = []
        if purpose.rule != Purpose.Rule.SERVICE:
            found.append((THIS, purpose.name, purpose.description))
            same = Purpose.objects.filter(rule=purpose.rule, is_public=True).exclude(code__in=PROCESSING)
            if others := list(same.exclude(pk=purpose.pk).values_list("name", flat=True)[:8]):
                is_asked = purpose.rule == Purpose.Rule.OPT_IN
                offers = _("All tips and offers by text message") if is_text else _("All tips and offers by e-mail")
                words = _("All newsletters and the like") if is_asked else offers
                found.append((KIND, words, _("Also: %s") % ", ".join(others)))
        all_of_it = _("All newsletters, tips and offers by e-mail")
        found.append((ALL_COMMERCIAL, _("All text messages with tips and offers") if is_text else all_of_it, ""))
        found.append((EVERYWHERE, _("Everything"), _("Also nothing by post, telephone or text message.")))
        return found


def mask(address: str) -> str:
    """Return an address that its owner recognises and nobody else can use: ``f•••••@example.nl``, ``•••••678``."""
    local, at, host = address.partition("@")
    if at:
        return f"{local[:1]}•••••{at}{host}"
    return f"•••••{address[-3:]}" if address else ""


@method_decorator(csrf_exempt, name="dispatch")  # a password or signature is the proof
class ProviderView(PublicView):
    http_method_names = ["head", "post"]

    def head(self, request: HttpRequest, provider: str) -> HttpResponse:
        return HttpResponse()  # some look whether the address exists

    def post(self, request: HttpRequest, provider: str) -> HttpResponse:
        reports = read_events(provider, request)
        if reports is None:
            return HttpResponse(status=404)
        actions.record_reports(reports, source=Bounce.Source.PROVIDER, now=clock())
        return HttpResponse()


class QrView(PublicView):
    http_method_names = ["get", "head"]

    def get(self, request: HttpRequest, token: str) -> HttpResponse:
        drawn = io.BytesIO()
        segno.make(str(read_token("qr", token)), error="m", micro=False).save(drawn, kind="png", scale=8, border=4)
        return HttpResponse(
            drawn.getvalue(), content_type="image/png", headers={"Cache-Control": "private, max-age=86400"}
        )


class PictureView(PublicView):
    http_method_names = ["get", "head"]

    def get(self, request: HttpRequest, key: str) -> FileResponse:
        picture = get_object_or_404(Picture, key=key)
        kind = PICTURE_TYPES[str(picture.file.name).rpartition(".")[2]]
        return FileResponse(
            picture.file.open("rb"), content_type=kind, headers={"Cache-Control": "public, max-age=31536000, immutable"}
        )
