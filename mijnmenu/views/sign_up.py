"""Signing up for a newsletter without being known, and confirming it by the link in a mail."""

from __future__ import annotations

from django.core.cache import cache
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _

from common.errors import Refused
from customers.actions.purposes import current_wording
from customers.models import Wording
from mailings.actions import ask_confirmation, confirm
from mailings.confirming import confirmation_of
from mailings.models import Confirmation
from mailings.tasks import send_confirmations
from mijnmenu.actions.choices import SOURCE, WORDING
from mijnmenu.forms import SignUpForm
from mijnmenu.views.base import PublicView
from mijnmenu.views.entrance import network_address
from newsletter.models import Newsletter

PER_HOUR = 20  # sign-ups from one network address
KEY = "mijnmenu_confirm"  # in the session: the id of the sign-up


class SignUpList(PublicView):
    template_name = "mijnmenu/sign_up_list.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.show(newsletters=Newsletter.objects.filter(is_active=True).select_related("purpose"))


class SignUp(PublicView):
    template_name = "mijnmenu/sign_up.html"

    @cached_property
    def newsletter(self) -> Newsletter:
        newsletters = Newsletter.objects.filter(is_active=True).select_related("purpose")
        return get_object_or_404(newsletters, purpose__code=self.kwargs["code"])

    @cached_property
    def wording(self) -> Wording | None:
        return current_wording(self.newsletter.purpose, now=self.now)

    def get(self, request: HttpRequest, code: str) -> HttpResponse:
        return self.page(SignUpForm())

    def post(self, request: HttpRequest, code: str) -> HttpResponse:
        form = SignUpForm(request.POST)
        if not form.is_valid():
            return self.page(form, status=422)
        try:
            self.refuse_flood(request)
            self.refuse_other_words(request)
            ask_confirmation(
                self.newsletter.purpose,
                address=form.cleaned_data["email"],
                first_name=form.cleaned_data["first_name"],
                last_name=form.cleaned_data["last_name"],
                source_code=SOURCE,
                wording_version=self.wording.version if self.wording else WORDING,
                network_address=network_address(request),
                now=self.now,
            )
        except Refused as refused:
            form.add_error(refused.field if refused.field in form.fields else None, str(refused))
            return self.page(form, status=422 if refused.field else 429)
        transaction.on_commit(send_confirmations.delay, robust=True)
        return self.page(form, is_asked=True)

    def page(self, form: SignUpForm, status: int = 200, *, is_asked: bool = False) -> HttpResponse:
        return self.show(status, newsletter=self.newsletter, wording=self.wording, form=form, is_asked=is_asked)

    def refuse_other_words(self, request: HttpRequest) -> None:
        """Raise Refused when the words changed after the page was shown: a yes is one to the words that were read."""
        used = self.wording.version if self.wording else ""
        if request.POST.get("read", used) != used:
            raise Refused("words", _("Our text has just changed. Please read it and sign up again."), field="words")

    def refuse_flood(self, request: HttpRequest) -> None:
        key = f"mijnmenu-sign-up:{network_address(request)}"
        asked = cache.get(key, 0)
        if asked >= PER_HOUR:
            raise Refused("busy", _("You signed up many times. Please try again in an hour."))
        cache.set(key, asked + 1, timeout=3600)


class ConfirmLink(PublicView):
    """Takes the token out of the address bar; nothing counts before the button on the next page is pressed."""

    def get(self, request: HttpRequest, token: str) -> HttpResponse:
        confirmation = confirmation_of(token)
        if confirmation is None:
            request.session.pop(KEY, None)
        else:
            request.session[KEY] = confirmation.pk
        response = redirect("mijnmenu:confirm_sign_up")
        response.headers["Referrer-Policy"] = "no-referrer"
        return response


class ConfirmSignUp(PublicView):
    template_name = "mijnmenu/sign_up_confirm.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        confirmation = self.asked()
        if confirmation and confirmation.is_outdated(now=self.now):
            return self.show(410, confirmation=None, again=self.sign_up_url(confirmation))
        return self.show(200 if confirmation else 410, confirmation=confirmation)

    def post(self, request: HttpRequest) -> HttpResponse:
        confirmation = self.asked()
        if confirmation is None:
            return self.show(410, confirmation=None)
        try:
            confirm(confirmation, network_address=network_address(request), now=self.now)
        except Refused as refused:
            again = self.sign_up_url(confirmation) if refused.code == "outdated" else ""
            problem = "" if refused.code == "outdated" else str(refused)  # the page says the same, and how to go on
            return self.show(410 if again else 409, confirmation=None, problem=problem, again=again)
        return self.show(confirmation=confirmation, is_done=True)

    def sign_up_url(self, confirmation: Confirmation) -> str:
        """Return where to sign up for the same again; of all newsletters when this one is there no more."""
        newsletter = Newsletter.objects.filter(is_active=True, purpose=confirmation.purpose).first()
        if newsletter is None:
            return reverse("mijnmenu:sign_up_list")
        return reverse("mijnmenu:sign_up", args=[newsletter.purpose.code])

    def asked(self) -> Confirmation | None:
        waiting = Confirmation.objects.select_related("purpose", "source", "branch")
        return waiting.filter(pk=self.request.session.get(KEY, 0)).first()
