"""Selections: the list, the builder, a page per selection with its figures, and what can be done with all in it."""

from __future__ import annotations

import logging
from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponseBase, StreamingHttpResponse
from django.urls import path, reverse
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from common.errors import Refused
from common.time import local_date
from customers.models import Channel, Purpose
from labels.actions import give_label, take_label
from selections import figures
from selections.actions import (
    count_selection,
    delete_selection,
    record_export,
)
from selections.compiler import members
from selections.explain import describe
from selections.models import Selection
from selections.rules import parse_rule
from selections.usages import uses_of
from workbench.base import ActionView, DetailPage, ListPage, wants_partial
from workbench.changes import EVENTS_SHOWN, Moment, changes_of, user_names
from workbench.exports import csv_lines
from workbench.filters.selections import SelectionFilter
from workbench.forms.selections import BulkLabelForm, ExportForm
from workbench.tables.selections import SelectionTable
from workbench.views.selection_builder import SelectionChange, SelectionCreate, SelectionMixin, crumbs, page_of

CHANNEL_ICONS = {Channel.EMAIL: "mail", Channel.POST: "mailbox", Channel.PHONE: "phone", Channel.SMS: "message-square"}

log = logging.getLogger("wise.exports")


class SelectionList(ListPage):
    permission = "manage_selections"
    page_title = gettext_lazy("Selections")
    lead = gettext_lazy("Say who you mean once; use it in actions, campaigns and newsletters.")
    table_class = SelectionTable
    filterset_class = SelectionFilter
    create_label = gettext_lazy("New selection")
    empty_icon = "list-filter"
    empty_title = gettext_lazy("No selections yet")
    empty_text = gettext_lazy("A selection says whom you mean: members of one branch, parents who stopped borrowing, …")

    def get_queryset(self) -> QuerySet[Selection]:
        return Selection.objects.select_related("owner").defer("rule")

    def get_create_url(self) -> str:
        return reverse("workbench:selection_create")


class SelectionDetail(SelectionMixin, DetailPage[Selection]):
    """The page stands at once; its figures follow by htmx (or by ``?figures=1`` without scripts)."""

    permission = "manage_selections"
    template_name = "workbench/selections_detail.html"
    partial_name = "workbench/_selections_figures.html"

    def get_breadcrumb(self) -> list[Any]:
        return crumbs()

    def get_context(self, **extra: Any) -> dict[str, Any]:
        if wants_partial(self.request):
            return super().get_context(**self._figures(), **extra)
        shown = {"figures_shown": True, **self._figures()} if "figures" in self.request.GET else {}
        return super().get_context(
            **_sentence(self.object),
            **shown,
            uses=uses_of(self.object),
            history=_history(self.object),
            label_form=BulkLabelForm(),
            export_form=ExportForm(),
            may_export=self.user.has_perm("common.export_customers"),
            **extra,
        )

    def _figures(self) -> dict[str, Any]:
        try:
            rule = parse_rule(self.object.rule)
            found = members(self.object, now=self.now)
            with figures.time_limit():
                total = found.count()
            spread = figures.breakdown(found)
            return {
                "total": total,
                "branches": _bars(spread.branches),
                "kinds": _bars(spread.kinds),
                "reach": self._reach(found, total),
                "sample": figures.sample(rule, now=self.now),
            }
        except Refused as refused:
            return {"problem": str(refused)}

    def _reach(self, found: Any, total: int) -> list[dict[str, Any]]:
        purpose = Purpose.objects.filter(code="marketing").first()
        if purpose is None:
            return []
        reached = figures.reachability(found, purpose=purpose, now=self.now)
        return [
            {
                "label": channel.label,
                "icon": CHANNEL_ICONS.get(channel, "send"),
                "value": allowed,
                "sub": _("%(n)d with an address") % {"n": known},
                "tone": "success",
                "total": total,
            }
            for channel, known, allowed in reached
        ]


class SelectionCount(SelectionMixin, ActionView):
    permission = "manage_selections"

    def perform(self) -> str:
        with figures.time_limit(60):
            count = count_selection(self.object, now=self.now)
        words = ngettext("The selection holds %d customer.", "The selection holds %d customers.", count)
        messages.success(self.request, words % count)
        return page_of(self.object)


class SelectionDelete(SelectionMixin, ActionView):
    permission = "manage_selections"
    success_message = gettext_lazy("The selection has been deleted.")

    def perform(self) -> str:
        delete_selection(self.object, by=self.user)
        return reverse("workbench:selection_list")


class SelectionLabel(SelectionMixin, ActionView):
    """Give or take a label for everybody in the selection."""

    permission = "change_customers"

    def perform(self) -> str:
        form = BulkLabelForm(self.request.POST)
        if not form.is_valid():
            raise Refused("label_missing", _("Choose a label, and whether to give it or take it away."))
        label, by = form.cleaned_data["label"], self.user.get_full_name() or self.user.get_username()
        found = members(self.object, now=self.now)
        why = {"how": "selection", "reason": _("selection “%s”") % self.object.name}
        if form.cleaned_data["do"] == "give":
            count = give_label(label, found, by=by, through=self.object.pk, now=self.now, **why)
            words = ngettext("%(n)d customer got “%(label)s”.", "%(n)d customers got “%(label)s”.", count)
        else:
            count = take_label(label, found, by=by, through=self.object.pk, now=self.now, **why)
            words = ngettext("%(n)d customer lost “%(label)s”.", "%(n)d customers lost “%(label)s”.", count)
        messages.success(self.request, words % {"n": count, "label": label})
        return page_of(self.object)


class SelectionExport(SelectionMixin, ActionView):
    """The members as a CSV file. The log says who took how many, never whom."""

    permission = "export_customers"

    def post(self, request: Any, *args: Any, **kwargs: Any) -> HttpResponseBase:  # type: ignore[override]
        form = ExportForm(request.POST)
        if not form.is_valid():
            raise Refused("columns_missing", _("Choose at least one column."))
        columns = form.cleaned_data["columns"]
        found = members(self.object, now=self.now)
        export = record_export(self.object, columns=columns, row_count=found.count(), by=self.user, now=self.now)
        log.info(
            "export selection=%d user=%d rows=%d columns=%s",
            self.object.pk,
            self.user.pk,
            export.row_count,
            ",".join(columns),
        )
        name = f"{slugify(self.object.name)[:60] or 'selectie'}-{local_date(self.now):%Y%m%d}.csv"
        response = StreamingHttpResponse(csv_lines(found, columns), content_type="text/csv; charset=utf-8")
        response["Content-Disposition"] = f'attachment; filename="{name}"'
        return response


def _history(selection: Selection) -> list[Moment]:
    """Return changes and exports together, latest first."""
    exports = list(selection.exports.all()[:EVENTS_SHOWN])
    names = user_names(export.user_id for export in exports)
    taken = [
        Moment(
            "download",
            _("Exported"),
            export.exported_at,
            names.get(export.user_id or 0, ""),
            ngettext("%d customer", "%d customers", export.row_count) % export.row_count,
        )
        for export in exports
    ]
    return sorted([*changes_of(selection), *taken], key=lambda moment: moment.when, reverse=True)


def _sentence(selection: Selection) -> dict[str, Any]:
    try:
        return {"sentence": describe(selection.rule)}
    except Refused as refused:
        return {"sentence": "", "problem": str(refused)}


def _bars(counts: list[tuple[str, int]]) -> list[dict[str, Any]]:
    return [{"label": name or _("No branch"), "value": count} for name, count in counts]


urlpatterns = [
    path("selections/", SelectionList.as_view(), name="selection_list"),
    path("selections/new/", SelectionCreate.as_view(), name="selection_create"),
    path("selections/<int:pk>/", SelectionDetail.as_view(), name="selection_detail"),
    path("selections/<int:pk>/change/", SelectionChange.as_view(), name="selection_change"),
    path("selections/<int:pk>/count/", SelectionCount.as_view(), name="selection_count"),
    path("selections/<int:pk>/delete/", SelectionDelete.as_view(), name="selection_delete"),
    path("selections/<int:pk>/label/", SelectionLabel.as_view(), name="selection_label"),
    path("selections/<int:pk>/export/", SelectionExport.as_view(), name="selection_export"),
]
