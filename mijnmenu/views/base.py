"""What every page of MijnMenu is built from: public to the staff's sign-in, closed without a customer's session."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.views import View

from common.errors import Refused
from common.time import clock
from customers.models import Customer
from mailings.models import SendingSettings
from mijnmenu import session
from mijnmenu.actions import wards_of


@method_decorator(login_not_required, name="dispatch")
class PublicView(View):
    """A page for anybody; nothing of it is kept by browsers or proxies."""

    template_name = ""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        response = super().dispatch(request, *args, **kwargs)
        response.headers.setdefault("Cache-Control", "no-store, private")
        return response

    @cached_property
    def now(self) -> dt.datetime:
        return clock()

    def show(self, status: int = 200, **context: Any) -> HttpResponse:
        known = {"organisation": SendingSettings.load().organisation}
        return render(self.request, self.template_name, {**known, **context}, status=status)


@method_decorator(login_not_required, name="dispatch")  # it has a dispatch of its own
class CustomerView(PublicView):
    """A page of one customer, ``self.customer``; whoever has no session is asked for a link."""

    part = ""  # name of the address of the part in the menu
    customer: Customer

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        customer = session.current_customer(request, now=clock())
        if customer is None:
            return redirect("mijnmenu:link")
        self.customer = customer
        try:
            return super().dispatch(request, *args, **kwargs)
        except Refused as refused:
            messages.error(request, str(refused))
            return redirect("mijnmenu:index")

    def show(self, status: int = 200, **context: Any) -> HttpResponse:
        return super().show(status, customer=self.customer, parts=self.parts(), **context)

    def parts(self) -> list[dict[str, Any]]:
        """The menu."""
        names = [
            ("index", _("Overview")),
            ("preferences", _("Preferences")),
            ("newsletters", _("Newsletters")),
            ("interests", _("Interests")),
            ("vouchers", _("Vouchers")),
            ("details", _("Details")),
            ("privacy", _("Privacy")),
        ]
        if wards_of(self.customer, now=self.now).exists():
            names.insert(3, ("children", _("For my child")))
        return [
            {"label": label, "url": reverse(f"mijnmenu:{name}"), "active": name == self.part} for name, label in names
        ]
