"""Selections: the list, and the first page of each with its figures, uses, comments and history."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from common.errors import Refused
from customers.models import Channel, Customer, Purpose
from labels.profiling import count_refused
from labels.rules.behaviour import is_behaviour
from selections import figures
from selections.actions import count_selection, delete_selection
from selections.compiler import members
from selections.models import Export, Folder, Selection
from selections.rules import Group, parse_rule
from workbench.base import ActionView, DetailPage, ListPage, wants_partial
from workbench.changes import EVENTS_SHOWN, Moment, changes_of, user_names
from workbench.filters.selections import SelectionFilter
from workbench.forms.selection_pages import CommentForm, KeepForm, MoveForm, OwnerForm
from workbench.forms.selections import BulkLabelForm
from workbench.tables.selections import SelectionTable
from workbench.views.labels import used_by
from workbench.views.selection_base import sentence_of, tabs_of
from workbench.views.selection_builder import SelectionChange, SelectionCreate, SelectionMixin, crumbs, page_of

TAKEN_OUT = {
    Export.Kind.FILE: gettext_lazy("Exported"),
    Export.Kind.CALLS: gettext_lazy("Call list made"),
    Export.Kind.ADDRESSES: gettext_lazy("Address labels made"),
}
CHANNEL_ICONS = {Channel.EMAIL: "mail", Channel.POST: "mailbox", Channel.PHONE: "phone", Channel.SMS: "message-square"}


class SelectionList(ListPage):
    permission = "manage_selections"
    page_title = gettext_lazy("Selections")
    lead = gettext_lazy("Say who you mean once; use it in actions, campaigns and newsletters.")
    table_class = SelectionTable
    filterset_class = SelectionFilter
    template_name = "workbench/selections_list.html"
    create_label = gettext_lazy("New selection")
    empty_icon = "list-filter"
    empty_title = gettext_lazy("No selections yet")
    empty_text = gettext_lazy("A selection says whom you mean: members of one branch, parents who stopped borrowing, …")

    def get_queryset(self) -> QuerySet[Selection]:
        return Selection.objects.select_related("owner", "folder")

    def get_create_url(self) -> str:
        return reverse("workbench:selection_create")


class SelectionDetail(SelectionMixin, DetailPage[Selection]):
    """The page stands at once; its figures follow by htmx (or by ``?figures=1`` without scripts)."""

    permission = "manage_selections"
    template_name = "workbench/selections_detail.html"
    partial_name = "workbench/_selections_figures.html"

    def get_queryset(self) -> QuerySet[Selection]:
        return Selection.objects.select_related("owner", "folder")

    def get_breadcrumb(self) -> list[Any]:
        return crumbs()

    def get_context(self, **extra: Any) -> dict[str, Any]:
        if wants_partial(self.request):
            return super().get_context(**self._figures(), **extra)
        shown = {"figures_shown": True, **self._figures()} if "figures" in self.request.GET else {}
        return super().get_context(
            **sentence_of(self.object),
            **shown,
            tabs=tabs_of(self.object, "detail"),
            uses=used_by(self.object),
            history=_history(self.object),
            comments=self.object.comments.select_related("author"),
            comment_form=CommentForm(),
            label_form=BulkLabelForm(),
            keep_form=KeepForm(now=self.now),
            owner_form=OwnerForm(initial={"owner": self.object.owner_id}),
            move_form=MoveForm(initial={"folder": self.object.folder_id}),
            has_folders=Folder.objects.exists(),
            may_export=self.user.has_perm("common.export_customers"),
            **extra,
        )

    def _figures(self) -> dict[str, Any]:
        try:
            rule = parse_rule(self.object.rule)
            found = members(self.object, now=self.now)
            with figures.time_limit(rule=rule, now=self.now):
                total = found.count()
            spread = figures.breakdown(rule, now=self.now)
            return {
                "total": total,
                "branches": _bars(spread.branches),
                "kinds": _bars(spread.kinds),
                "reach": self._reach(rule, total),
                "sample": figures.sample(rule, now=self.now),
                **_profiled(rule, found, total, now=self.now),
            }
        except Refused as refused:
            return {"problem": str(refused)}

    def _reach(self, rule: Group, total: int) -> list[dict[str, Any]]:
        purpose = Purpose.objects.filter(code="marketing").first()
        if purpose is None:
            return []
        reached = figures.reachability(rule, purpose=purpose, now=self.now)
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


def _history(selection: Selection) -> list[Moment]:
    """Return changes and exports together, latest first."""
    exports = list(selection.exports.all()[:EVENTS_SHOWN])
    names = user_names(export.user_id for export in exports)
    taken = [
        Moment(
            "download",
            str(TAKEN_OUT[Export.Kind(export.kind)]),
            export.exported_at,
            names.get(export.user_id or 0, ""),
            ngettext("%d customer", "%d customers", export.row_count) % export.row_count,
        )
        for export in exports
    ]
    return sorted([*changes_of(selection), *taken], key=lambda moment: moment.when, reverse=True)


def _profiled(rule: Group, found: QuerySet[Customer], total: int, *, now: dt.datetime) -> dict[str, Any]:
    """Return whether the rule looks at what people do, and how many in it refused that; None when it takes too long."""
    if not total or not is_behaviour(rule.to_json()):
        return {"is_behaviour": False}
    try:
        with figures.time_limit(rule=rule, now=now):
            return {"is_behaviour": True, "refused": count_refused(found, now=now)}
    except Refused as refused:
        if refused.code != "too_heavy":
            raise
        return {"is_behaviour": True, "refused": None}


def _bars(counts: list[tuple[str, int]]) -> list[dict[str, Any]]:
    return [{"label": name or _("No branch"), "value": count} for name, count in counts]


urlpatterns = [
    path("selections/", SelectionList.as_view(), name="selection_list"),
    path("selections/new/", SelectionCreate.as_view(), name="selection_create"),
    path("selections/<int:pk>/", SelectionDetail.as_view(), name="selection_detail"),
    path("selections/<int:pk>/change/", SelectionChange.as_view(), name="selection_change"),
    path("selections/<int:pk>/count/", SelectionCount.as_view(), name="selection_count"),
    path("selections/<int:pk>/delete/", SelectionDelete.as_view(), name="selection_delete"),
]
