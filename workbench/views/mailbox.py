"""The mailbox of the demo: every mail that the demo's own mail server took, as its receiver would see it.

`demo.mailbox` keeps each mail as NNNNNN.eml and a line about it in `index.jsonl`; these pages only read.
Outside the demo they do not exist.
"""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default as default_policy
from pathlib import Path
from typing import Any

from django import forms
from django.conf import settings
from django.core.paginator import Paginator
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.urls import path, reverse
from django.utils.functional import cached_property
from django.utils.html import escape
from django.utils.translation import gettext_lazy as _
from django.views.decorators.clickjacking import xframe_options_sameorigin

from workbench.base import ROWS_PER_PAGE, TemplatePage, Text, WorkbenchView

# What a mail may do while it is read: show itself and our own pictures, and open its links in a new tab.
MAIL_POLICY = (
    "default-src 'none'; img-src 'self' data:; style-src 'unsafe-inline'; font-src 'self' data:; "
    "frame-ancestors 'self'; sandbox allow-popups allow-popups-to-escape-sandbox"
)


@dataclass(frozen=True)
class Line:
    """One line of the index."""

    number: int
    arrived_at: dt.datetime
    sender: str
    recipients: list[str]
    subject: str

    def mentions(self, words: str) -> bool:
        """Whether the words stand in the subject or in an address."""
        return words.lower() in " ".join([self.subject, self.sender, *self.recipients]).lower()


def mailbox_folder() -> Path:
    """Return where the demo's mail server keeps its mails."""
    return Path(settings.STATE_DIR) / "mailbox"


def read_index(folder: Path) -> list[Line]:
    """Return the index, newest first; a last line that is still being written is left out."""
    try:
        text = (folder / "index.jsonl").read_text(encoding="utf-8")
    except FileNotFoundError:
        return []
    found = [json.loads(line) for line in text[: text.rfind("\n") + 1].splitlines()]
    return [
        Line(one["n"], dt.datetime.fromisoformat(one["arrived_at"]), one["from"], one["to"], one["subject"])
        for one in reversed(found)
    ]


def mail_file(number: int) -> Path:
    """Return the file of a mail. Raises Http404 when there is none."""
    file = mailbox_folder() / f"{number:06d}.eml"
    if not file.is_file():
        raise Http404
    return file


def body_of(mail: EmailMessage, kind: str) -> str:
    """Return the body of a mail as "html" or "plain", empty when it has none of that kind."""
    part = mail.get_body((kind,))
    return str(part.get_content()) if part is not None else ""


class SearchForm(forms.Form):
    q = forms.CharField(label=_("Address or subject"), required=False, max_length=200)


class DemoOnly(WorkbenchView):
    """Exists in the demo only."""

    abstract = True
    permission = "view_workbench"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not settings.DEMO:
            raise Http404
        return super().dispatch(request, *args, **kwargs)

    @cached_property
    def mail(self) -> EmailMessage:
        """The mail that the address names."""
        content = mail_file(self.kwargs["number"]).read_bytes()
        return message_from_bytes(content, policy=default_policy)


class MailList(DemoOnly, TemplatePage):
    permission = "view_workbench"
    page_title = _("Demo mailbox")
    template_name = "workbench/mailbox.html"
    partial_name = "workbench/_mailbox_table.html"

    def get_context(self, **extra: Any) -> dict[str, Any]:
        form = SearchForm(self.request.GET)
        words = form.cleaned_data["q"] if form.is_valid() else ""
        lines = [line for line in read_index(mailbox_folder()) if line.mentions(words)]
        page = Paginator(lines, ROWS_PER_PAGE).get_page(self.request.GET.get("page"))
        return super().get_context(form=form, page=page, total=len(lines), words=words, **extra)


class MailPage(DemoOnly, TemplatePage):
    permission = "view_workbench"
    template_name = "workbench/mailbox_mail.html"
    parts = (
        ("html", _("As the reader sees it")),
        ("plain", _("Plain text")),
        ("headers", _("Headers")),
    )

    def get_title(self) -> Text:
        return str(self.mail["subject"] or _("(no subject)"))

    def get_breadcrumb(self) -> list[tuple[Text, str]]:
        return [(_("Demo mailbox"), reverse("workbench:mailbox"))]

    def get_context(self, **extra: Any) -> dict[str, Any]:
        chosen = self.request.GET.get("part", "html")
        number = self.kwargs["number"]
        url = reverse("workbench:mailbox_mail", args=[number])
        tabs = [{"label": text, "url": f"{url}?part={code}", "active": code == chosen} for code, text in self.parts]
        context = super().get_context(mail=self.mail, number=number, part=chosen, tabs=tabs, **extra)
        if chosen == "plain":
            context["plain"] = body_of(self.mail, "plain")
        elif chosen == "headers":
            context["headers"] = [(name, str(value)) for name, value in self.mail.items()]
        return context


class MailBody(DemoOnly):
    permission = "view_workbench"

    def get(self, request: HttpRequest, number: int) -> HttpResponse:
        html = body_of(self.mail, "html") or f"<pre>{escape(body_of(self.mail, 'plain'))}</pre>"
        response = HttpResponse(_with_links_in_new_tab(html))
        response["Content-Security-Policy"] = MAIL_POLICY
        return response


class MailSource(DemoOnly):
    permission = "view_workbench"

    def get(self, request: HttpRequest, number: int) -> FileResponse:
        file = mail_file(number)
        return FileResponse(file.open("rb"), as_attachment=True, filename=file.name, content_type="message/rfc822")


def _with_links_in_new_tab(html: str) -> str:
    base = '<base target="_blank">'
    head, found, rest = html.partition("<head>")
    return f"{head}{found}{base}{rest}" if found else base + html


urlpatterns = [
    path("mailbox/", MailList.as_view(), name="mailbox"),
    path("mailbox/<int:number>/", MailPage.as_view(), name="mailbox_mail"),
    path("mailbox/<int:number>/html/", xframe_options_sameorigin(MailBody.as_view()), name="mailbox_body"),
    path("mailbox/<int:number>/source/", MailSource.as_view(), name="mailbox_source"),
]
