"""How a message looks to whom, before anybody gets it."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import path, reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.clickjacking import xframe_options_sameorigin

from common.errors import Refused
from customers.models import Customer
from customers.numbers import find
from mailings.delivery import Envelope, send_test
from mailings.models import Content, Message
from mailings.previewing import Preview, audience_keys, preview_content
from workbench.base import ActionView, DetailPage, Text, WorkbenchView
from workbench.forms.content import PreviewForm, audience_choices
from workbench.views.content.base import Contents

# What a mail may do in a preview: show itself and our own pictures, nothing else.
FRAME_POLICY = "default-src 'none'; img-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'self'; sandbox"


class _Previews(Contents):
    """The preview that the address asks for: ``?customer=<number>&audience=selection:3``."""

    request: HttpRequest

    @cached_property
    def form(self) -> PreviewForm:
        names = {key: name for choice in audience_choices() if choice[0] for key, name in choice[1]}
        audiences = [(key, names.get(key, key)) for key in audience_keys(self.object)]
        return PreviewForm(self.request.GET or None, audiences=audiences)

    @cached_property
    def customer(self) -> Customer | None:
        number = self.form.cleaned_data["customer"].strip() if self.form.is_valid() else ""
        if not number:
            return None
        if found := find(number):
            return found
        self.form.add_error("customer", gettext("There is no customer with this number."))
        return None

    def preview(self, now: Any) -> Preview:
        customer = self.customer
        audience = self.form.cleaned_data.get("audience", "") if self.form.is_valid() else ""
        return preview_content(self.object, purpose=self.purpose, customer=customer, audience=audience, now=now)


class PreviewPage(_Previews, DetailPage[Content]):
    permission = "manage_mailings"
    template_name = "workbench/content_preview.html"
    parts = (("html", _("E-mail")), ("text", _("Plain text")), ("letter", _("Letter")))

    def get_title(self) -> Text:
        return gettext("Preview of “%(name)s”") % {"name": self.object}

    def get_breadcrumb(self) -> list[Any]:
        own = [] if self.is_written_by_edition else [(gettext("Content"), self.page_url)]
        return [*super().get_breadcrumb(), *own]

    def get_context(self, **extra: Any) -> dict[str, Any]:
        chosen = self.request.GET.get("part", "html")
        query = self.request.GET.copy()
        url = reverse("workbench:content_preview", args=[self.object.pk])
        tabs = []
        for code, label in self.parts:
            query["part"] = code
            tabs.append({"label": label, "url": f"{url}?{query.urlencode()}", "active": code == chosen})
        query.pop("part", None)
        return super().get_context(
            preview=self.preview(self.now), form=self.form, part=chosen, tabs=tabs, query=query.urlencode(), **extra
        )


class PreviewFrame(_Previews, WorkbenchView):
    permission = "manage_mailings"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = HttpResponse(self.preview(self.now).html)
        response["Content-Security-Policy"] = FRAME_POLICY
        response["Cache-Control"] = "no-store"
        return response


class PreviewLetter(_Previews, WorkbenchView):
    permission = "manage_mailings"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = HttpResponse(self.preview(self.now).letter(), content_type="application/pdf")
        response["Content-Disposition"] = 'inline; filename="voorbeeld.pdf"'
        response["Cache-Control"] = "no-store"
        return response


class ContentTest(_Previews, ActionView):
    """Send it to one's own address: as the customer or audience that the page shows, without counting anything."""

    permission = "manage_mailings"

    @cached_property
    def form(self) -> PreviewForm:
        names = {key: key for key in audience_keys(self.object)}
        return PreviewForm(self.request.POST, audiences=list(names.items()))

    def perform(self) -> str:
        address = self.user.email
        if not address:
            raise Refused(
                "no_address", gettext("Your account has no e-mail address. Ask an administrator to fill it in.")
            )
        preview = self.preview(self.now)
        body = preview.mail(address=address, purpose=self.purpose)
        outcome = send_test(Envelope(0, preview.identity.sender_email, address, body))
        if outcome.state != Message.State.SENT:
            words = gettext("The test could not be sent. The mail server says: %(reply)s")
            raise Refused("test_failed", words % {"reply": outcome.reply})
        messages.success(self.request, gettext("A test is on its way to %(address)s.") % {"address": address})
        return self.came_from()


urlpatterns = [
    path("content/<int:pk>/preview/", PreviewPage.as_view(), name="content_preview"),
    path("content/<int:pk>/preview/frame/", xframe_options_sameorigin(PreviewFrame.as_view()), name="content_frame"),
    path("content/<int:pk>/preview/letter/", PreviewLetter.as_view(), name="content_letter"),
    path("content/<int:pk>/test/", ContentTest.as_view(), name="content_test"),
]
