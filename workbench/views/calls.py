"""Call lists: work through one, take it along as a file, see what came of it, set when customers are called."""

from __future__ import annotations

import logging
from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import path, reverse
from django.utils.text import slugify
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from common.errors import Refused
from customers.names import national_phone
from labels.exports import NOTHING_MORE, csv_lines, workbook
from mailings import actions
from mailings.calling import in_hand, progress, script_of, still_to_call
from mailings.models import Call, CallSettings, Mailing, Message
from selections.models import Export
from workbench.base import ActionView, FormPage, ListPage, ObjectMixin
from workbench.changes import changes_of
from workbench.forms.audiences import XLSX
from workbench.forms.calls import CallForm, CallSettingsForm
from workbench.tables.calls import CallTable
from workbench.views.reports.report import file_of

log = logging.getLogger("wise.exports")
COLUMNS = ["number", "initials", "first_name", "name_prefix", "last_name", "phone", "city", "branch"]


class _Lists(ObjectMixin[Mailing]):
    def get_queryset(self) -> QuerySet[Mailing]:
        return Mailing.objects.filter(channels=Mailing.Channels.CALLS).select_related("purpose", "content")

    @property
    def page_url(self) -> str:
        return reverse("workbench:mailing_calls", args=[self.object.pk])

    def get_breadcrumb(self) -> list[Any]:
        mailing = reverse("workbench:mailing_detail", args=[self.object.pk])
        return [(_("Mailings"), reverse("workbench:mailing_list")), (self.object.name, mailing)]


class CallPage(_Lists, FormPage[CallForm]):
    """The customer in hand, with what to say and room for what came of it; without one, how far the list is."""

    permission = "manage_mailings"
    template_name = "workbench/mailings_calls.html"
    form_class = CallForm
    page_title = _("Call list")
    submit_label = _("Save, and the next one")

    def get_context(self, **extra: Any) -> dict[str, Any]:
        message, limits = in_hand(self.object, self.user), CallSettings.load()
        return super().get_context(
            object=self.object,
            message=message,
            phone=national_phone(message.address) if message else "",
            script=script_of(message, now=self.now) if message else "",
            earlier=message.calls.select_related("called_by") if message else [],
            progress=progress(self.object, now=self.now),
            limits=limits,
            outcomes=(outcomes := self._outcomes()),
            call_count=sum(row["value"] for row in outcomes),
            may_export=self.user.has_perm("common.export_customers"),
            **extra,
        )

    def _outcomes(self) -> list[dict[str, Any]]:
        counts = Call.objects.filter(message__mailing=self.kwargs["pk"]).by_outcome()
        return [
            {"label": one.label, "value": counts[one.value], "tone": "neutral"} for one in Call.Outcome if one in counts
        ]

    def get_initial(self) -> dict[str, Any]:
        message = in_hand(self.object, self.user)
        return {"message": message.pk if message else None}

    def perform(self, form: CallForm) -> str:
        message = get_object_or_404(Message, pk=form.cleaned_data.pop("message"), mailing=self.object)
        try:
            actions.record_call(message, **form.cleaned_data, by=self.user, now=self.now)
        except Refused as refused:
            if refused.code != "not_yours":
                raise
            messages.error(self.request, str(refused))  # on a new form: this one is about somebody else
            return self.page_url
        try:
            take_next(self)
        except Refused as refused:  # what came of this call is kept
            messages.info(self.request, str(refused))
        return self.page_url


def take_next(page: Any) -> None:
    """Take the next customer in hand, and say so when there is none."""
    if actions.take_call(page.object, by=page.user, now=page.now) is None:
        messages.info(page.request, gettext("There is nobody left to call for now."))


class CallTake(_Lists, ActionView):
    permission = "manage_mailings"

    def perform(self) -> str:
        take_next(self)
        return self.page_url


class CallPutBack(_Lists, ActionView):
    permission = "manage_mailings"
    success_message = _("Somebody else may call this customer.")

    def perform(self) -> str:
        if message := in_hand(self.object, self.user):
            actions.put_back_call(message, by=self.user, now=self.now)
        return self.page_url


class CallList(ListPage):
    permission = "manage_mailings"
    page_title = _("Calls that were made")
    table_class = CallTable
    empty_icon = "phone"
    empty_title = _("Nobody has been called yet")
    empty_text = _("What comes of each call stands here.")

    def get_breadcrumb(self) -> list[Any]:
        page = reverse("workbench:mailing_calls", args=[self.kwargs["pk"]])
        return [(_("Mailings"), reverse("workbench:mailing_list")), (_("Call list"), page)]

    def get_queryset(self) -> QuerySet[Any]:
        return Call.objects.filter(message__mailing=self.kwargs["pk"]).select_related("message__customer", "called_by")


class CallExport(_Lists, ActionView):
    """Who may still be called, as a file for a call centre. The log says who took how many, never whom."""

    permission = "export_customers"

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:  # type: ignore[override]
        found = still_to_call(self.object, now=self.now)
        count, is_workbook = found.count(), request.POST.get("format") == XLSX
        name = slugify(self.object.name)[:60] or "bellijst"
        body: Any = (
            workbook(found, COLUMNS, NOTHING_MORE, sheet=name, count=count)
            if is_workbook
            else csv_lines(found, COLUMNS)
        )
        Export.objects.create(
            selection_name=self.object.name[:120],
            kind=Export.Kind.CALLS,
            user=self.user,
            columns=COLUMNS,
            row_count=count,
            exported_at=self.now,
        )
        log.info("export mailing=%d user=%d rows=%d calls", self.object.pk, self.user.pk, count)
        return file_of(body, name=f"bellijst-{name}", suffix=XLSX if is_workbook else "csv")


class CallSettingsPage(FormPage[CallSettingsForm]):
    permission = "manage_users"
    template_name = "workbench/sending_calls.html"
    form_class = CallSettingsForm
    page_title = _("Calling")
    submit_label = _("Save")
    success_message = _("Saved. It holds from the next call on.")

    def get_breadcrumb(self) -> list[Any]:
        return [(_("Sending"), reverse("workbench:sending_settings"))]

    def get_initial(self) -> dict[str, Any]:
        current = CallSettings.load()
        return {name: getattr(current, name) for name in CallSettingsForm.base_fields}

    def get_context(self, **extra: Any) -> dict[str, Any]:
        current = CallSettings.objects.filter(pk=1).first()
        return super().get_context(history=changes_of(current) if current else [], **extra)

    def perform(self, form: CallSettingsForm) -> str:
        actions.change_call_settings(**form.cleaned_data, by=self.user)
        return reverse("workbench:call_settings")


urlpatterns = [
    path("mailings/<int:pk>/calls/", CallPage.as_view(), name="mailing_calls"),
    path("mailings/<int:pk>/calls/take/", CallTake.as_view(), name="call_take"),
    path("mailings/<int:pk>/calls/back/", CallPutBack.as_view(), name="call_put_back"),
    path("mailings/<int:pk>/calls/made/", CallList.as_view(), name="call_list"),
    path("mailings/<int:pk>/calls/export/", CallExport.as_view(), name="call_export"),
    path("sending/calls/", CallSettingsPage.as_view(), name="call_settings"),
]
