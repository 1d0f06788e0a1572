"""Mailings: what was sent, to whom, what the gate decided, what came back; hold, go on, stop, print."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import FileResponse, HttpRequest
from django.shortcuts import get_object_or_404
from django.urls import path, reverse
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from mailings import actions
from mailings.models import Decision, LetterBatch, Mailing, Message
from mailings.tasks import print_letters_of, send_queued
from workbench.base import ActionView, DetailPage, FormPage, ListPage, ObjectMixin, WorkbenchView
from workbench.changes import changes_of
from workbench.filters.mailings import DecisionFilter, MailingFilter, MessageFilter
from workbench.forms.sending import RefuseForm
from workbench.funnel import funnel_of
from workbench.tables.mailings import MAILING_TONES, MESSAGE_TONES, DecisionTable, MailingTable, MessageTable
from workbench.views import content, sending

PRINT_AT_ONCE = 200  # letters; more than a browser should wait for
MANY_HOURS = 48


class _Mailings(ObjectMixin[Mailing]):
    def get_queryset(self) -> QuerySet[Mailing]:
        return Mailing.objects.select_related("purpose", "content", "created_by", "approved_by")

    @property
    def page_url(self) -> str:
        return reverse("workbench:mailing_detail", args=[self.object.pk])

    def get_breadcrumb(self) -> list[Any]:
        return [(_("Mailings"), reverse("workbench:mailing_list")), (self.object.name, self.page_url)]


class MailingList(ListPage):
    permission = "manage_mailings"
    page_title = _("Mailings")
    template_name = "workbench/mailings.html"
    lead = _("Everything that was handed over for sending, by actions, campaigns and newsletters.")
    table_class = MailingTable
    filterset_class = MailingFilter
    empty_icon = "send"
    empty_title = _("No mailings yet")
    empty_text = _("A mailing comes from running an action, from a campaign, or from sending a newsletter.")

    def get_queryset(self) -> QuerySet[Mailing]:
        return Mailing.objects.with_counts().select_related("purpose")


class MailingPage(_Mailings, DetailPage[Mailing]):
    permission = "manage_mailings"
    template_name = "workbench/mailings_page.html"

    def get_breadcrumb(self) -> list[Any]:
        return [(_("Mailings"), reverse("workbench:mailing_list"))]

    def get_context(self, **extra: Any) -> dict[str, Any]:
        mailing = self.object
        decisions, states = mailing.decisions.by_outcome(), mailing.messages.by_state()
        links = list(mailing.links.with_clicks())
        given = mailing.unsubscribe_reasons.all()
        reasons = [{"label": one.get_reason_display(), "value": one.count} for one in given]
        waiting = mailing.messages.filter(channel=Message.Channel.POST, state=Message.State.QUEUED).count()
        return super().get_context(
            tone=MAILING_TONES[mailing.state],
            candidate_count=sum(decisions.values()),
            message_count=sum(states.values()),
            states=states,
            sent_count=states.get(Message.State.SENT, 0),
            funnel=funnel_of(
                decisions, people=reverse("workbench:mailing_decisions", args=[mailing.pk]) + "?", user=self.user
            ),
            state_rows=self._state_rows(states),
            links=links,
            unsubscribe_reasons=reasons,
            unsubscribe_reason_count=sum(row["value"] for row in reasons),
            click_readers=mailing.messages.filter(clicks__isnull=False).distinct().count(),
            chart=self._chart(),
            failures=mailing.messages.failures() if states.get(Message.State.FAILED) else [],
            letters_waiting=waiting,
            batches=mailing.letter_batches.all(),
            history=changes_of(mailing),
            may_approve=self.user.has_perm("common.approve_mailings") and mailing.created_by_id != self.user.pk,
            **extra,
        )

    def _state_rows(self, counts: dict[str, int]) -> list[dict[str, Any]]:
        url = reverse("workbench:mailing_messages", args=[self.object.pk])
        return [
            {
                "label": Message.State(state).label,
                "value": counts[state],
                "url": f"{url}?state={state}",
                "tone": {"info": "brand"}.get(MESSAGE_TONES[state], MESSAGE_TONES[state]),
            }
            for state in Message.State.values
            if state in counts
        ]

    def _chart(self) -> dict[str, Any] | None:
        hours = self.object.messages.sent_by_hour()[:MANY_HOURS]
        if len(hours) < 2:
            return None
        return {
            "labels": [date_format(localtime(row["hour"]), "j b H:i") for row in hours],
            "datasets": [{"label": gettext("Sent"), "data": [row["count"] for row in hours]}],
        }


class MessageList(_Mailings, ListPage):
    permission = "manage_mailings"
    page_title = _("Messages")
    table_class = MessageTable
    filterset_class = MessageFilter
    empty_icon = "send"
    empty_title = _("No messages")
    empty_text = _("The gate let nobody through.")

    def get_title(self) -> str:
        mailing = get_object_or_404(Mailing, pk=self.kwargs["pk"])
        return gettext("Messages of “%(name)s”") % {"name": mailing}

    def get_breadcrumb(self) -> list[Any]:
        mailing = get_object_or_404(Mailing, pk=self.kwargs["pk"])
        page = reverse("workbench:mailing_detail", args=[mailing.pk])
        return [(_("Mailings"), reverse("workbench:mailing_list")), (mailing.name, page)]

    def get_queryset(self) -> QuerySet[Any]:
        return Message.objects.filter(mailing=self.kwargs["pk"]).select_related("customer").order_by("id")


class DecisionList(MessageList):
    permission = "manage_mailings"
    table_class = DecisionTable
    filterset_class = DecisionFilter
    lead = _(
        "What the gate decided for each candidate, and why. Only about those who wait for their turn it decides again."
    )
    empty_title = _("No candidates")
    empty_text = _("There was nobody to decide about.")

    def get_title(self) -> str:
        mailing = get_object_or_404(Mailing, pk=self.kwargs["pk"])
        return gettext("Decisions of “%(name)s”") % {"name": mailing}

    def get_queryset(self) -> QuerySet[Any]:
        return Decision.objects.filter(mailing=self.kwargs["pk"]).select_related("customer").order_by("id")


class MailingPause(_Mailings, ActionView):
    permission = "manage_mailings"
    success_message = _("On pause: nothing more is sent until you go on.")

    def perform(self) -> str:
        actions.pause(self.object, by=self.user, now=self.now)
        return self.page_url


class MailingResume(_Mailings, ActionView):
    permission = "manage_mailings"
    success_message = _("Sending goes on.")

    def perform(self) -> str:
        actions.resume(self.object, by=self.user, now=self.now)
        transaction.on_commit(send_queued.delay)
        return self.page_url


class MailingApprove(_Mailings, ActionView):
    permission = "approve_mailings"
    success_message = _("Approved: the mailing is being sent.")

    def perform(self) -> str:
        actions.approve(self.object, by=self.user, now=self.now)
        transaction.on_commit(send_queued.delay)
        return self.page_url


class MailingRefuse(_Mailings, FormPage[RefuseForm]):
    permission = "approve_mailings"
    form_class = RefuseForm
    page_title = _("Refuse this mailing")
    submit_label = _("Refuse")
    success_message = _("Refused: nothing of it is sent.")

    def perform(self, form: RefuseForm) -> str:
        actions.refuse(self.object, **form.cleaned_data, by=self.user, now=self.now)
        return self.page_url


class MailingCancel(_Mailings, ActionView):
    permission = "manage_mailings"

    def perform(self) -> str:
        count = actions.cancel(self.object, by=self.user, now=self.now)
        words = ngettext(
            "Cancelled: %(count)d message stays unsent.", "Cancelled: %(count)d messages stay unsent.", count
        )
        messages.success(self.request, words % {"count": count})
        return self.page_url


class MailingPrint(_Mailings, ActionView):
    permission = "manage_mailings"

    def perform(self) -> str:
        waiting = self.object.messages.filter(channel=Message.Channel.POST, state=Message.State.QUEUED).count()
        if waiting > PRINT_AT_ONCE:
            transaction.on_commit(partial(print_letters_of.delay, self.object.pk))
            messages.info(self.request, gettext("The letters are being printed. Load this page again in a minute."))
            return self.page_url
        batch = actions.print_letters(self.object, by=self.user, now=self.now)
        words = ngettext("%(count)d letter is ready.", "%(count)d letters are ready.", batch.letter_count)
        messages.success(self.request, words % {"count": batch.letter_count})
        return self.page_url


class LetterDownload(WorkbenchView):
    permission = "manage_mailings"

    def get(self, request: HttpRequest, pk: int) -> FileResponse:
        batch = get_object_or_404(LetterBatch.objects.exclude(file=""), pk=pk)
        name = f"brieven-{batch.mailing_id}-{localtime(batch.created_at):%Y-%m-%d}.pdf"
        return FileResponse(batch.file.open("rb"), as_attachment=True, filename=name, content_type="application/pdf")


class DoubtResolve(ObjectMixin[Message], ActionView):
    permission = "manage_mailings"

    def get_queryset(self) -> QuerySet[Message]:
        return Message.objects.all()

    def perform(self) -> str:
        was_sent = self.request.POST.get("was_sent") == "yes"
        actions.resolve_doubt(self.object, was_sent=was_sent, by=self.user, now=self.now)
        messages.success(self.request, gettext("Counted as sent.") if was_sent else gettext("Counted as not sent."))
        return self.came_from()


urlpatterns = [
    path("mailings/", MailingList.as_view(), name="mailing_list"),
    path("mailings/<int:pk>/", MailingPage.as_view(), name="mailing_detail"),
    path("mailings/<int:pk>/messages/", MessageList.as_view(), name="mailing_messages"),
    path("mailings/<int:pk>/decisions/", DecisionList.as_view(), name="mailing_decisions"),
    path("mailings/<int:pk>/pause/", MailingPause.as_view(), name="mailing_pause"),
    path("mailings/<int:pk>/resume/", MailingResume.as_view(), name="mailing_resume"),
    path("mailings/<int:pk>/approve/", MailingApprove.as_view(), name="mailing_approve"),
    path("mailings/<int:pk>/refuse/", MailingRefuse.as_view(), name="mailing_refuse"),
    path("mailings/<int:pk>/cancel/", MailingCancel.as_view(), name="mailing_cancel"),
    path("mailings/<int:pk>/print/", MailingPrint.as_view(), name="mailing_print"),
    path("mailings/letters/<int:pk>/", LetterDownload.as_view(), name="letter_batch"),
    path("mailings/messages/<int:pk>/resolve/", DoubtResolve.as_view(), name="message_resolve"),
    *sending.urlpatterns,
    *content.urlpatterns,
]
