"""How a message looks to whom, before anybody gets it."""

from __future__ import annotations

from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.urls import path, reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.clickjacking import xframe_options_sameorigin

from common.errors import Refused
from customers.models import Customer
from customers.numbers import find
from mailings import actions
from mailings.darkness import darkened
from mailings.models import Content, SentTest
from mailings.previewing import Preview, audience_keys, preview_content
from workbench.base import ActionView, DetailPage, Text, WorkbenchView
from workbench.forms.content import audience_choices
from workbench.forms.previews import PreviewForm, RecipientsForm
from workbench.views.content.base import Contents

TESTS_SHOWN = 20

# What a mail may do in a preview: show itself and our own pictures, nothing else.
FRAME_POLICY = "default-src 'none'; img-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'self'; sandbox"


class _Previews(Contents):
    """The preview that the address asks for: ``?customer=<number>&audience=selection:3&branch=2``."""

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

    @property
    def reader(self) -> dict[str, Any]:
        """As whom the message is written."""
        customer, chosen = self.customer, self.form.cleaned_data if self.form.is_valid() else {}
        return {"customer": customer, "audience": chosen.get("audience", ""), "branch": chosen.get("branch")}

    def preview(self, now: Any) -> Preview:
        return preview_content(self.object, purpose=self.purpose, now=now, **self.reader)


class PreviewPage(_Previews, DetailPage[Content]):
    permission = "manage_mailings"
    template_name = "workbench/content_preview.html"
    parts = (
        ("all", _("Together")),
        ("html", _("Computer")),
        ("phone", _("Phone")),
        ("dark", _("Dark mode")),
        ("text", _("Plain text")),
        ("letter", _("Letter")),
    )

    def get_title(self) -> Text:
        return gettext("Preview of “%(name)s”") % {"name": self.object}

    def get_breadcrumb(self) -> list[Any]:
        own = [] if self.is_written_by_edition else [(gettext("Content"), self.page_url)]
        return [*super().get_breadcrumb(), *own]

    def get_context(self, **extra: Any) -> dict[str, Any]:
        chosen = self.request.GET.get("part", "all")
        query = self.request.GET.copy()
        url = reverse("workbench:content_preview", args=[self.object.pk])
        tabs = []
        for code, label in self.parts:
            query["part"] = code
            tabs.append({"label": label, "url": f"{url}?{query.urlencode()}", "active": code == chosen})
        query.pop("part", None)
        tests = self.object.tests.select_related("recipient", "sent_by", "arm").order_by("-sent_at", "-pk")
        return super().get_context(
            preview=self.preview(self.now),
            form=self.form,
            recipients=RecipientsForm(initial={"recipients": [self.user.pk]}),
            tests=tests[:TESTS_SHOWN],
            part=chosen,
            tabs=tabs,
            query=query.urlencode(),
            **extra,
        )


class PreviewFrame(_Previews, WorkbenchView):
    """The mail alone; with ``?dark=1`` as programs show it in dark mode."""

    permission = "manage_mailings"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        html = self.preview(self.now).html
        response = HttpResponse(darkened(html) if request.GET.get("dark") else html)
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
    """Send it to colleagues, or to oneself when none is chosen, as the reader that the page shows."""

    permission = "manage_mailings"

    @cached_property
    def form(self) -> PreviewForm:
        names = {key: key for key in audience_keys(self.object)}
        return PreviewForm(self.request.POST, audiences=list(names.items()))

    def perform(self) -> str:
        people = chosen_colleagues(self.request)
        told = actions.send_tests(
            self.object, recipients=people, purpose=self.purpose, by=self.user, now=self.now, **self.reader
        )
        tell_of_tests(self.request, told)
        return self.came_from()


def chosen_colleagues(request: HttpRequest) -> list[User]:
    """Return the colleagues that the form of a test names, or whoever is logged in."""
    form = RecipientsForm(request.POST)
    if not form.is_valid():
        raise Refused("recipients", gettext("Choose colleagues out of the list."))
    return list(form.cleaned_data["recipients"]) or [cast(User, request.user)]


def tell_of_tests(request: HttpRequest, tests: list[SentTest]) -> None:
    """Say what became of tests that were just sent."""
    failed = [one for one in tests if one.state == one.State.FAILED]
    if failed:
        words = gettext("The test could not be sent. The mail server says: %(reply)s")
        messages.error(request, words % {"reply": failed[0].reply})
    if sent := [one.recipient.email for one in tests if one not in failed]:
        words = gettext("A test is on its way to %(address)s.")
        messages.success(request, words % {"address": ", ".join(sent)})


urlpatterns = [
    path("content/<int:pk>/preview/", PreviewPage.as_view(), name="content_preview"),
    path("content/<int:pk>/preview/frame/", xframe_options_sameorigin(PreviewFrame.as_view()), name="content_frame"),
    path("content/<int:pk>/preview/letter/", PreviewLetter.as_view(), name="content_letter"),
    path("content/<int:pk>/test/", ContentTest.as_view(), name="content_test"),
]
