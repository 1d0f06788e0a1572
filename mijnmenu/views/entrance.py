"""Getting in by a link out of a mail, asking for a new one, and leaving."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from common.errors import Refused
from mijnmenu import session
from mijnmenu.actions import ask_for_link
from mijnmenu.forms import LinkForm
from mijnmenu.tasks import ring
from mijnmenu.views.base import PublicView

PER_HOUR = 20  # requests from one network address


class Enter(PublicView):
    """Swaps the token for a session and goes on, so that the token stays in no address bar, history or referrer."""

    def get(self, request: HttpRequest, token: str) -> HttpResponse:
        customer = session.customer_of(token)
        if customer is None:
            response = redirect("mijnmenu:link")
            response["Location"] += "?oud=1"
        else:
            session.open_for(request, customer, fresh=session.is_fresh(token), now=self.now)
            response = redirect("mijnmenu:index")
        response.headers["Referrer-Policy"] = "no-referrer"
        return response


class AskLink(PublicView):
    template_name = "mijnmenu/link.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.show(form=LinkForm(), is_old="oud" in request.GET)

    def post(self, request: HttpRequest) -> HttpResponse:
        form = LinkForm(request.POST)
        if not form.is_valid():
            return self.show(status=422, form=form)
        try:
            self.refuse_flood(request)
            ask_for_link(form.cleaned_data["address"], now=self.now)
        except Refused as refused:
            form.add_error(None, str(refused))
            return self.show(status=429, form=form)
        ring()
        return self.show(is_asked=True, address=form.cleaned_data["address"])

    def refuse_flood(self, request: HttpRequest) -> None:
        key = f"mijnmenu-link:{network_address(request)}"
        asked = cache.get(key, 0)
        if asked >= PER_HOUR:
            raise Refused("busy", _("You asked for a link many times. Please try again in an hour."))
        cache.set(key, asked + 1, timeout=3600)


class Leave(PublicView):
    http_method_names = ["post"]

    def post(self, request: HttpRequest) -> HttpResponse:
        session.close(request)
        messages.success(request, _("You have left your page. See you soon!"))
        return redirect("mijnmenu:link")


def network_address(request: HttpRequest) -> str:
    """Return the visitor's address; behind a proxy the one that the proxy itself saw."""
    if settings.BEHIND_PROXY and (forwarded := request.headers.get("X-Forwarded-For")):
        return forwarded.rpartition(",")[2].strip()
    return str(request.META.get("REMOTE_ADDR", ""))
