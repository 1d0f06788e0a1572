"""What we know of a customer, and another e-mail address."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from common.errors import Refused
from common.time import local_date
from common.tokens import BadToken, read_token
from customers.models import Subscription
from mijnmenu import actions, mails, session
from mijnmenu.actions.addresses import VALID_DAYS
from mijnmenu.forms import AddressForm
from mijnmenu.models import AddressChange
from mijnmenu.tasks import ring
from mijnmenu.views.base import CustomerView, PublicView
from mijnmenu.views.choices import email_of

MOST_SUBSCRIPTIONS = 10
CONFIRM = "mijnmenu_address"  # in the session: the id of the change and the link version of its token


class Details(CustomerView):
    part = "details"
    template_name = "mijnmenu/details.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.page(AddressForm())

    def post(self, request: HttpRequest) -> HttpResponse:
        if not session.came_by_fresh_link(request):
            return redirect("mijnmenu:details")
        form = AddressForm(request.POST)
        if not form.is_valid():
            return self.page(form, status=422)
        try:
            actions.ask_for_address(self.customer, address=form.cleaned_data["address"], now=self.now)
        except Refused as refused:
            form.add_error(refused.field if refused.field in form.fields else None, str(refused))
            return self.page(form, status=409)
        ring()
        text = _("We have sent a mail to %(address)s. Open the link in it to confirm the address.")
        messages.success(request, text % {"address": form.cleaned_data["address"].lower()})
        return redirect("mijnmenu:details")

    def page(self, form: AddressForm, status: int = 200) -> HttpResponse:
        points = self.customer.contact_points.filter(is_primary=True)
        return self.show(
            status,
            form=form,
            is_fresh=session.came_by_fresh_link(self.request),
            email=email_of(self.customer),
            phone=points.filter(channel="phone").values_list("value", flat=True).first(),
            subscriptions=self.subscriptions(),
        )

    def subscriptions(self) -> list[tuple[Subscription, bool]]:
        """Those there are, and the latest when there are none, each with whether it has ended."""
        today = local_date(self.now)
        own = Subscription.objects.filter(customer=self.customer).order_by("-started_on", "-pk")
        running = own.exclude(ended_on__lt=today)[:MOST_SUBSCRIPTIONS]
        return [(one, one.ended_on is not None and one.ended_on < today) for one in (running or own[:1])]


class FreshLink(CustomerView):
    """Mails a new link to the address we know, for what needs a fresh proof."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest) -> HttpResponse:
        if address := email_of(self.customer):
            actions.ask_for_link(address, now=self.now)
            ring()
            messages.success(request, _("A new link is on its way to your e-mail address."))
        return redirect("mijnmenu:details")


class AddressLink(PublicView):
    """Takes the token out of the address bar; nothing is changed before the button on the next page is pressed."""

    def get(self, request: HttpRequest, token: str) -> HttpResponse:
        try:
            change_id, version = map(int, read_token(mails.PURPOSE, token, max_age_days=VALID_DAYS))
        except (BadToken, TypeError, ValueError):
            request.session.pop(CONFIRM, None)
        else:
            request.session[CONFIRM] = [change_id, version]
        response = redirect("mijnmenu:confirm_address")
        response.headers["Referrer-Policy"] = "no-referrer"
        return response


class ConfirmAddress(PublicView):
    template_name = "mijnmenu/confirm_address.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        change, _version = self.asked()
        return self.show(200 if change else 410, change=change)

    def post(self, request: HttpRequest) -> HttpResponse:
        change, version = self.asked()
        if change is None:
            return self.show(410, change=None)
        was_in = session.current_customer(request, now=self.now)
        try:
            customer = actions.confirm_address(change, link_version=version, now=self.now)
        except Refused as refused:
            return self.show(409, change=None, problem=str(refused))
        del request.session[CONFIRM]
        if was_in == customer:  # the change made the session's link worthless, but it is still the same person
            session.open_for(request, customer, fresh=True, now=self.now)
        ring()
        return self.show(change=change, is_done=True, is_in=was_in == customer)

    def asked(self) -> tuple[AddressChange | None, int]:
        change_id, version = self.request.session.get(CONFIRM, (0, 0))
        return AddressChange.objects.select_related("customer").filter(pk=change_id).first(), version
