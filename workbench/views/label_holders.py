"""Who has a label: giving and taking it by number or for a selection, taking it from all, and the list as a file."""

from __future__ import annotations

import logging
from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponseBase, StreamingHttpResponse
from django.urls import path
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from common.errors import Refused
from common.time import local_date
from customers.models import Customer
from customers.numbers import resolve
from labels.actions import give_label, take_label
from labels.exports import csv_lines
from labels.models import Assignment
from selections.compiler import members
from selections.models import Export
from workbench.base import ActionView, FormPage
from workbench.forms.labels import ChangeHoldersForm
from workbench.forms.selections import ExportForm
from workbench.views.labels import LabelMixin, crumbs, page_of

How = Assignment.How

log = logging.getLogger("wise.exports")


class LabelGive(LabelMixin, FormPage[ChangeHoldersForm]):
    """Give or take a label for customers by number or selection; its form stands on the label's page."""

    permission = "change_customers"
    form_class = ChangeHoldersForm
    submit_label = gettext_lazy("Do it")

    def get_title(self) -> str:
        return _("Give “%s” to customers, or take it away") % self.object

    def get_breadcrumb(self) -> list[Any]:
        return crumbs((str(self.object), page_of(self.object)))

    def get_cancel_url(self) -> str:
        return page_of(self.object)

    def perform(self, form: ChangeHoldersForm) -> str:
        asked, label = form.cleaned_data, self.object
        customers, why = self._customers(asked)
        by = self.user.get_full_name() or self.user.get_username()
        if asked["do"] != "take":
            count = give_label(label, customers, by=by, now=self.now, **why)
            words = ngettext("%(n)d customer got “%(label)s”.", "%(n)d customers got “%(label)s”.", count)
        else:
            count = take_label(label, customers, by=by, now=self.now, **why)
            words = ngettext("%(n)d customer lost “%(label)s”.", "%(n)d customers lost “%(label)s”.", count)
        messages.success(self.request, words % {"n": count, "label": label})
        return page_of(label)

    def _customers(self, asked: dict[str, Any]) -> tuple[QuerySet[Customer], dict[str, Any]]:
        """Return for whom, and what is kept of why."""
        selection = asked["selection"]
        if selection is None:
            told = Customer.objects.filter(pk__in=resolve(asked["numbers"]).values())
            return told, {"how": How.HAND, "reason": asked["reason"]}
        reason = asked["reason"] or _("selection “%s”") % selection.name
        found = members(selection, now=self.now)
        return found, {"how": How.SELECTION, "through": selection.pk, "reason": reason}


class LabelTake(LabelMixin, ActionView):
    """Take a label from one customer."""

    permission = "change_customers"
    success_message = gettext_lazy("The label has been taken away.")

    def perform(self) -> str:
        customer = Customer.objects.filter(pk=self.kwargs["customer"])
        by = self.user.get_full_name() or self.user.get_username()
        take_label(self.object, customer, by=by, now=self.now)
        return page_of(self.object)


class LabelTakeAll(LabelMixin, ActionView):
    """Take a label from everybody who has it."""

    permission = "change_customers"

    def perform(self) -> str:
        by = self.user.get_full_name() or self.user.get_username()
        count = take_label(self.object, Customer.objects.all(), by=by, reason=_("taken from everybody"), now=self.now)
        words = ngettext("%(n)d customer lost “%(label)s”.", "%(n)d customers lost “%(label)s”.", count)
        messages.success(self.request, words % {"n": count, "label": self.object})
        return page_of(self.object)


class LabelExport(LabelMixin, ActionView):
    """Who has the label now, as a CSV file. That it was taken, by whom and how many, is recorded; never whom."""

    permission = "export_customers"

    def post(self, request: Any, *args: Any, **kwargs: Any) -> HttpResponseBase:  # type: ignore[override]
        form = ExportForm(request.POST)
        if not form.is_valid():
            raise Refused("columns_missing", _("Choose at least one column."))
        columns, label = form.cleaned_data["columns"], self.object
        held = label.assignments.open()
        found = Customer.objects.usable().filter(pk__in=held.values("customer"))
        export = Export.objects.create(
            selection_name=_("label “%s”") % label,
            user=self.user,
            columns=columns,
            row_count=found.count(),
            exported_at=self.now,
        )
        told = (label.pk, self.user.pk, export.row_count, ",".join(columns))
        log.info("export label=%d user=%d rows=%d columns=%s", *told)
        name = f"{slugify(str(label))[:60] or 'label'}-{local_date(self.now):%Y%m%d}.csv"
        response = StreamingHttpResponse(csv_lines(found, columns), content_type="text/csv; charset=utf-8")
        response["Content-Disposition"] = f'attachment; filename="{name}"'
        return response


urlpatterns = [
    path("labels/<int:pk>/give/", LabelGive.as_view(), name="label_give"),
    path("labels/<int:pk>/take/<int:customer>/", LabelTake.as_view(), name="label_take"),
    path("labels/<int:pk>/take-all/", LabelTakeAll.as_view(), name="label_take_all"),
    path("labels/<int:pk>/export/", LabelExport.as_view(), name="label_export"),
]
