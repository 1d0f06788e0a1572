"""What customers do about their own data: put them right, take a copy, object, ask to be erased."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.timezone import localtime
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from common.errors import Refused
from common.templatetags.ui import phone
from customers.actions import change_customer
from customers.actions import privacy as actions
from customers.consents import states_of
from customers.models import AccessRequest
from customers.models.privacy import ErasureRequest
from customers.names import is_postal_code
from customers.privacy.rectifying import closed_fields
from customers.tasks import make_copies
from labels.actions import take_profiling_labels
from mijnmenu import session
from mijnmenu.forms import ErasureForm, RectifyForm
from mijnmenu.views.base import CustomerView

CONTENT_TYPES = {"pdf": "application/pdf", "json": "application/json"}


class _FreshView(CustomerView):
    """Only for who came by a link of today: an old link may lie in somebody else's mailbox."""

    part = "privacy"

    def needs_fresh_link(self) -> HttpResponse | None:
        if session.came_by_fresh_link(self.request):
            return None
        messages.info(self.request, _("To keep your data safe we ask for a link of today first."))
        return redirect("mijnmenu:privacy")


class Privacy(CustomerView):
    part = "privacy"
    template_name = "mijnmenu/privacy.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        profiling = [state for state in states_of(self.customer, now=self.now) if state.purpose.code == "profiling"]
        requests = ErasureRequest.objects.filter(customer=self.customer)
        return self.show(
            is_fresh=session.came_by_fresh_link(request),
            copy=AccessRequest.objects.filter(customer=self.customer).order_by("-pk").first(),
            profiling=profiling[0] if profiling else None,
            open_request=requests.filter(state=ErasureRequest.State.OPEN).first(),
            refused=requests.filter(state=ErasureRequest.State.REFUSED).first(),
            form=ErasureForm(),
        )


class Rectify(_FreshView):
    part = "details"
    template_name = "mijnmenu/rectify.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.needs_fresh_link() or self.page(self.form())

    def post(self, request: HttpRequest) -> HttpResponse:
        if answer := self.needs_fresh_link():
            return answer
        form = self.form(request.POST)
        if not form.is_valid():
            return self.page(form, status=422)
        try:
            change_customer(self.customer, by="customer", now=self.now, source_code="mijnmenu", **form.cleaned_data)
        except Refused as refused:
            form.add_error(refused.field if refused.field in form.fields else None, str(refused))
            return self.page(form, status=409)
        messages.success(request, _("Thank you: your details have been changed."))
        return redirect("mijnmenu:details")

    def form(self, data: Any = None) -> RectifyForm:
        closed = closed_fields(self.customer, list(RectifyForm.base_fields), source_code="mijnmenu")
        points = self.customer.contact_points.filter(channel="phone", is_primary=True)
        known = {name: getattr(self.customer, name, "") for name in RectifyForm.base_fields}
        known["phone"] = phone(points.values_list("value", flat=True).first())
        if is_postal_code(code := self.customer.postal_code):
            known["postal_code"] = f"{code[:4]} {code[4:]}"
        return RectifyForm(data, initial=known, closed=closed)

    def page(self, form: RectifyForm, status: int = 200) -> HttpResponse:
        return self.show(status, form=form)


class CopyAsk(_FreshView):
    http_method_names = ["post"]

    def post(self, request: HttpRequest) -> HttpResponse:
        if answer := self.needs_fresh_link():
            return answer
        actions.request_access(self.customer, by="customer", now=self.now, language=get_language() or "nl")
        transaction.on_commit(make_copies.delay, robust=True)
        messages.success(request, _("Your copy is being made. Look here again in a few minutes."))
        return redirect("mijnmenu:privacy")


class CopyTake(_FreshView):
    def get(self, request: HttpRequest, pk: int, kind: str) -> HttpResponse | FileResponse:
        if answer := self.needs_fresh_link():
            return answer
        own = AccessRequest.objects.filter(customer=self.customer, state=AccessRequest.State.READY)
        copy = get_object_or_404(own, pk=pk)
        if kind not in CONTENT_TYPES or (copy.expires_at and copy.expires_at <= self.now):
            raise Http404
        file = copy.pdf if kind == "pdf" else copy.json
        name = f"mijn-gegevens-{localtime(copy.ready_at):%Y-%m-%d}.{kind}"
        return FileResponse(file.open("rb"), as_attachment=True, filename=name, content_type=CONTENT_TYPES[kind])


class ProfilingObjection(CustomerView):
    part = "privacy"
    http_method_names = ["post"]

    def post(self, request: HttpRequest) -> HttpResponse:
        actions.object_to_profiling(self.customer, by="customer", source_code="mijnmenu", now=self.now)
        take_profiling_labels(self.customer, now=self.now)
        messages.success(request, _("We no longer look at what you do to give you tips."))
        return redirect("mijnmenu:privacy")


class RestrictionAsk(_FreshView):
    http_method_names = ["post"]

    def post(self, request: HttpRequest) -> HttpResponse:
        if answer := self.needs_fresh_link():
            return answer
        actions.restrict(self.customer, reason=_("Asked for in MijnMenu."), by="customer", now=self.now)
        messages.success(request, _("We keep your details, and use them for nothing until you say so."))
        return redirect("mijnmenu:privacy")


class RestrictionEnd(CustomerView):
    part = "privacy"
    http_method_names = ["post"]

    def post(self, request: HttpRequest) -> HttpResponse:
        actions.unrestrict(self.customer, reason=_("Asked for in MijnMenu."), by="customer", now=self.now)
        messages.success(request, _("We use your details again, as you chose under Preferences."))
        return redirect("mijnmenu:privacy")


class ErasureAsk(_FreshView):
    http_method_names = ["post"]

    def post(self, request: HttpRequest) -> HttpResponse:
        if answer := self.needs_fresh_link():
            return answer
        form = ErasureForm(request.POST)
        note = form.cleaned_data["note"] if form.is_valid() else ""
        actions.request_erasure(self.customer, note=note, now=self.now)
        messages.success(request, _("We have your request. You hear from us within a month."))
        return redirect("mijnmenu:privacy")


class ErasureWithdraw(CustomerView):
    part = "privacy"
    http_method_names = ["post"]

    def post(self, request: HttpRequest) -> HttpResponse:
        if actions.withdraw_request(self.customer, now=self.now):
            messages.success(request, _("Your request has been withdrawn: everything stays as it is."))
        return redirect("mijnmenu:privacy")
