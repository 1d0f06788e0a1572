"""What a mailing says, as it was frozen when it started; a second person approves what stands here."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import path, reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.clickjacking import xframe_options_sameorigin

from customers.models import Customer
from customers.numbers import find
from mailings import actions
from mailings.darkness import darkened
from mailings.frozen import audience_keys_of, example_of_mailing, mark_of_mailing, preview_mailing, texts_of
from mailings.models import Arm, Decision, Mailing, Message
from mailings.previewing import Preview
from mailings.rendering import sender_of
from mailings.tasks import send_queued
from workbench.base import ActionView, DetailPage, ObjectMixin, Text, WorkbenchView
from workbench.forms.content import audience_choices
from workbench.forms.previews import PreviewForm
from workbench.tables.mailings import MAILING_TONES
from workbench.views.content.previews import FRAME_POLICY
from workbench.views.reports.tabs import mailing_tabs


class _Frozen(ObjectMixin[Mailing]):
    """The mailing, and as whom the address asks for it: ``?version=3&customer=<number>&audience=label:5&branch=2``."""

    request: HttpRequest

    def get_queryset(self) -> QuerySet[Mailing]:
        return Mailing.objects.select_related("purpose", "content")

    @cached_property
    def arms(self) -> list[Arm]:
        return list(Arm.objects.filter(experiment__mailing=self.object).order_by("position"))

    @cached_property
    def arm(self) -> Arm | None:
        asked = self.request.GET.get("version", "")
        return next((arm for arm in self.arms if str(arm.pk) == asked), self.arms[0] if self.arms else None)

    @cached_property
    def form(self) -> PreviewForm:
        names = {key: name for choice in audience_choices() if choice[0] for key, name in choice[1]}
        audiences = [(key, names.get(key, key)) for key in audience_keys_of(self.object, self.arm)]
        return PreviewForm(self.request.GET or None, audiences=audiences)

    @cached_property
    def customer(self) -> Customer | None:
        number = self.form.cleaned_data["customer"].strip() if self.form.is_valid() else ""
        if number and not (found := find(number)):
            self.form.add_error("customer", gettext("There is no customer with this number."))
        return found if number else None

    def preview(self, now: Any) -> Preview:
        customer, chosen = self.customer, self.form.cleaned_data if self.form.is_valid() else {}
        reader = {"customer": customer, "audience": chosen.get("audience", ""), "branch": chosen.get("branch")}
        return preview_mailing(self.object, arm=self.arm, now=now, **reader)


class MailingPreview(_Frozen, DetailPage[Mailing]):
    permission = "manage_mailings"
    template_name = "workbench/mailings_message.html"

    def get_title(self) -> Text:
        return gettext("The message of “%(name)s”") % {"name": self.object}

    def get_breadcrumb(self) -> list[Any]:
        page = reverse("workbench:mailing_detail", args=[self.object.pk])
        return [(_("Mailings"), reverse("workbench:mailing_list")), (self.object.name, page)]

    def get_context(self, **extra: Any) -> dict[str, Any]:
        mailing = self.object
        awaits = mailing.state == Mailing.State.AWAITS
        may_approve = self.user.has_perm("common.approve_mailings") and not mailing.was_set_going_by(self.user)
        preview, is_text = self.preview(self.now), mailing.channels == Mailing.Channels.SMS
        query = self.request.GET.copy()
        query.pop("version", None)
        version = f"version={self.arm.pk}" if self.arm else ""
        return super().get_context(
            tabs=mailing_tabs(mailing, "preview"),
            tone=MAILING_TONES[mailing.state],
            preview=preview,
            example=example_of_mailing(mailing, customer=self.customer, now=self.now) if is_text else None,
            sender=sender_of(preview.compiled, preview.identity),
            form=self.form,
            texts=texts_of(mailing),
            arm=self.arm,
            version_tabs=self._version_tabs(),
            query="&".join(filter(None, [query.urlencode(), version])),
            is_mail=mailing.channels in (Mailing.Channels.EMAIL, Mailing.Channels.EMAIL_OR_LETTER),
            is_letter=mailing.channels in (Mailing.Channels.LETTER, Mailing.Channels.EMAIL_OR_LETTER),
            awaits=awaits,
            seen=mark_of_mailing(mailing) if awaits and may_approve else "",
            message_count=self._message_count() if awaits else 0,
            **extra,
        )

    def _message_count(self) -> int:
        waiting = self.object.decisions.filter(outcome=Decision.Outcome.WAITS).count()
        return self.object.messages.filter(state=Message.State.QUEUED).count() + waiting

    def _version_tabs(self) -> list[dict[str, Any]]:
        url = reverse("workbench:mailing_preview", args=[self.object.pk])
        return [
            {"label": gettext("Version %s") % arm.letter, "url": f"{url}?version={arm.pk}", "active": arm == self.arm}
            for arm in self.arms
        ]


class MailingFrame(_Frozen, WorkbenchView):
    """The mail alone; with ``?dark=1`` as programs show it in dark mode."""

    permission = "manage_mailings"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        html = self.preview(self.now).html
        response = HttpResponse(darkened(html) if request.GET.get("dark") else html)
        response["Content-Security-Policy"] = FRAME_POLICY
        response["Cache-Control"] = "no-store"
        return response


class MailingLetter(_Frozen, WorkbenchView):
    permission = "manage_mailings"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = HttpResponse(self.preview(self.now).letter(), content_type="application/pdf")
        response["Content-Disposition"] = 'inline; filename="brief.pdf"'
        response["Cache-Control"] = "no-store"
        return response


class MailingApprove(ObjectMixin[Mailing], ActionView):
    permission = "approve_mailings"
    success_message = _("Approved: the mailing is being sent.")

    def get_queryset(self) -> QuerySet[Mailing]:
        return Mailing.objects.all()

    def perform(self) -> str:
        actions.approve(self.object, seen=self.request.POST.get("seen", ""), by=self.user, now=self.now)
        transaction.on_commit(send_queued.delay)
        return reverse("workbench:mailing_detail", args=[self.object.pk])


urlpatterns = [
    path("mailings/<int:pk>/message/", MailingPreview.as_view(), name="mailing_preview"),
    path("mailings/<int:pk>/message/frame/", xframe_options_sameorigin(MailingFrame.as_view()), name="mailing_frame"),
    path("mailings/<int:pk>/message/letter/", MailingLetter.as_view(), name="mailing_letter"),
    path("mailings/<int:pk>/approve/", MailingApprove.as_view(), name="mailing_approve"),
]
