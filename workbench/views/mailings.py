"""Mailings: what was sent, to whom, what the gate decided, what came back; hold, go on, stop, print."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.db.models import Count, QuerySet
from django.shortcuts import get_object_or_404
from django.urls import path, reverse
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from mailings import actions
from mailings.models import Click, Decision, Mailing, Message, SeenWarnings
from mailings.tasks import print_letters_of, send_queued
from workbench.base import ActionView, DetailPage, FormPage, ListPage, ObjectMixin
from workbench.changes import changes_of
from workbench.filters.mailings import DecisionFilter, MailingFilter, MessageFilter
from workbench.forms.sending import RefuseForm
from workbench.funnel import funnel_of
from workbench.tables.mailings import MAILING_TONES, MESSAGE_TONES, DecisionTable, MailingTable, MessageTable
from workbench.texts import figures_of
from workbench.views import content, letters, sending
from workbench.views.reports.tabs import mailing_tabs

MANY_HOURS = 48
SEEN_SHOWN = 3  # times that warnings were confirmed; a trigger may be turned on often


class _Mailings(ObjectMixin[Mailing]):
    def get_queryset(self) -> QuerySet[Mailing]:
        return Mailing.objects.select_related("purpose", "content", "created_by", "planned_by", "approved_by")

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
        return Mailing.objects.with_counts().select_related("purpose").defer("compiled")


class MailingPage(_Mailings, DetailPage[Mailing]):
    permission = "manage_mailings"
    template_name = "workbench/mailings_page.html"

    def get_queryset(self) -> QuerySet[Mailing]:
        found: QuerySet[Mailing] = super().get_queryset().with_counts()  # type: ignore[attr-defined]
        return found

    def get_breadcrumb(self) -> list[Any]:
        return [(_("Mailings"), reverse("workbench:mailing_list"))]

    def get_context(self, **extra: Any) -> dict[str, Any]:
        mailing = self.object
        decisions, states = mailing.decisions.by_outcome(), mailing.states
        links = list(mailing.links.with_clicks())
        given = mailing.unsubscribe_reasons.all()
        reasons = [{"label": one.get_reason_display(), "value": one.count} for one in given]
        return super().get_context(
            tabs=mailing_tabs(mailing, "sending"),
            tone=MAILING_TONES[mailing.state],
            candidate_count=sum(decisions.values()),
            message_count=mailing.message_count,
            states=states,
            sent_count=mailing.sent_count,
            funnel=funnel_of(
                decisions, people=reverse("workbench:mailing_decisions", args=[mailing.pk]) + "?", user=self.user
            ),
            state_rows=self._state_rows(states),
            links=links,
            unsubscribe_reasons=reasons,
            unsubscribe_reason_count=sum(row["value"] for row in reasons),
            click_readers=Click.objects.filter(link__mailing=mailing).aggregate(n=Count("message", distinct=True))["n"],
            chart=self._chart(),
            failures=mailing.messages.failures() if states.get(Message.State.FAILED) else [],
            put_off=self._put_off(states),
            letters=letters.letters_of(mailing),
            texts=figures_of(mailing),
            history=changes_of(mailing),
            seen_warnings=SeenWarnings.objects.of_mailing(mailing).select_related("confirmed_by")[:SEEN_SHOWN],
            may_approve=self.user.has_perm("common.approve_mailings") and not mailing.was_set_going_by(self.user),
            **extra,
        )

    def _put_off(self, states: dict[str, int]) -> dict[str, Any]:
        """Return how many wait for their moment and until when; nothing of a mailing that is on hold or over."""
        if self.object.state != Mailing.State.SENDING or not states.get(Message.State.QUEUED):
            return {}
        count, first = self.object.messages.put_off(now=self.now)
        return {"count": count, "first": first} if count else {}

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
        found = Message.objects.filter(mailing=self.kwargs["pk"])
        return found.select_related("customer").order_by("customer_id")  # as the index of a mailing has them


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
        found = Decision.objects.filter(mailing=self.kwargs["pk"])
        return found.select_related("customer", "mailing__purpose").defer("mailing__compiled").order_by("customer_id")


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
        if actions.is_large_pile(self.object):
            transaction.on_commit(partial(print_letters_of.delay, self.object.pk, self.user.pk))
            messages.info(self.request, gettext("The letters are being printed. Load this page again in a minute."))
            return self.page_url
        batch = actions.print_letters(self.object, by=self.user, now=self.now)
        words = ngettext("%(count)d letter is ready.", "%(count)d letters are ready.", batch.letter_count)
        messages.success(self.request, words % {"count": batch.letter_count})
        return self.page_url


urlpatterns = [
    path("mailings/", MailingList.as_view(), name="mailing_list"),
    path("mailings/<int:pk>/", MailingPage.as_view(), name="mailing_detail"),
    path("mailings/<int:pk>/messages/", MessageList.as_view(), name="mailing_messages"),
    path("mailings/<int:pk>/decisions/", DecisionList.as_view(), name="mailing_decisions"),
    path("mailings/<int:pk>/pause/", MailingPause.as_view(), name="mailing_pause"),
    path("mailings/<int:pk>/resume/", MailingResume.as_view(), name="mailing_resume"),
    path("mailings/<int:pk>/refuse/", MailingRefuse.as_view(), name="mailing_refuse"),
    path("mailings/<int:pk>/cancel/", MailingCancel.as_view(), name="mailing_cancel"),
    path("mailings/<int:pk>/print/", MailingPrint.as_view(), name="mailing_print"),
    *letters.urlpatterns,
    *sending.urlpatterns,
    *content.urlpatterns,
]
