"""A cell of the shift matrix: who is in it, when they moved and what they received before; and what to do with them."""

from __future__ import annotations

import datetime as dt
import logging
from typing import Any

from django.core.paginator import Page
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect, StreamingHttpResponse
from django.urls import path, reverse
from django.utils.functional import cached_property
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from campaigns.actions.names import free_name
from campaigns.models import Action, Campaign, Trigger
from common.errors import Refused
from common.time import end_of_day
from customers.models import Customer
from labels.exports import csv_lines
from labels.shifts import CODES, NEW, NONE, customers_in, moves_of
from mailings.before_moves import received
from selections.actions import create_selection
from selections.figures import time_limit
from selections.models import Export
from selections.rules import VERSION
from workbench.base import ROWS_PER_PAGE, ActionView, TemplatePage, WorkbenchView, wants_partial
from workbench.filters.shifts import CellForm
from workbench.forms.selections import ExportForm
from workbench.forms.shifts import KeepForm, OwnerForm
from workbench.paging import Leafing
from workbench.shift_words import Way, move_words, name_of, told
from workbench.views.shifts import MEMORY_MB, SECONDS

log = logging.getLogger("wise.exports")


class CellView(WorkbenchView):
    """What all have in common: the cell that the address, or what is sent, names."""

    abstract = True

    @cached_property
    def form(self) -> CellForm:
        return CellForm(self.request.POST if self.request.method == "POST" else self.request.GET, now=self.now)

    @property
    def matrix_url(self) -> str:
        return reverse("workbench:shift_matrix")

    @property
    def cell_url(self) -> str:
        return f"{reverse('workbench:shift_cell')}?{self.form.query}"

    def check(self) -> None:
        """Raise Refused when there is no such cell."""
        if not self.form.groups or not self.form.is_valid():
            raise Refused("no_cell", _("Choose a figure in the matrix."))

    def came_from(self) -> str:
        return self.cell_url if self.form.groups and self.form.is_valid() else self.matrix_url


class ShiftCell(CellView, TemplatePage):
    """The customers stand at once; what they received follows by htmx (or by ``?received=1`` without scripts)."""

    permission = "view_customers"
    template_name = "workbench/shifts_cell.html"

    @property
    def partial_name(self) -> str:  # type: ignore[override]
        return "workbench/_shifts_received.html" if self.is_about_received else "workbench/_shifts_customers.html"

    @property
    def is_move(self) -> bool:
        """Whether the label changed: to who was no customer yet and has none still, nothing happened."""
        was, became = self.form.cell
        return was != became and (was, became) != (NEW, NONE)

    @property
    def is_about_received(self) -> bool:
        return "received" in self.request.GET

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not self.form.groups or not self.form.is_valid():
            return self.go(self.matrix_url)
        return super().get(request, *args, **kwargs)

    def get_title(self) -> str:
        return move_words(self.form.scale, self.form.cell)

    def get_breadcrumb(self) -> list[Any]:
        values = {name: value for name, value in self.form.values.items() if name not in ("was", "became")}
        return [(_("Shifts"), f"{self.matrix_url}?{urlencode(values)}")]

    def get_context(self, **extra: Any) -> dict[str, Any]:
        form = self.form
        was, became = form.cell
        shown: dict[str, Any] = {
            "form": form,
            "scale": form.scale,
            "way": Way(form.scale.direction(was, became)),
            "was": name_of(form.scale, was),
            "became": name_of(form.scale, became),
            "is_move": self.is_move,
            "query": form.query,
            "days": form.cleaned_data["days"],
            "received_shown": self.is_about_received,
        }
        if self.is_about_received:
            shown |= self._received()
        if not self.is_about_received or not wants_partial(self.request):
            with time_limit(SECONDS, memory_mb=MEMORY_MB):
                shown |= self._customers()
            shown |= self._doing()
        return super().get_context(**shown, **extra)

    def _customers(self) -> dict[str, Any]:
        form = self.form
        page: Page[Customer] = Leafing(
            form.customers.select_related("branch").order_by("name_key", "pk"), ROWS_PER_PAGE
        ).get_page(self.request.GET.get("page"))
        people = list(page.object_list)
        moves: dict[int, list[dict[str, Any]]] = {}
        found = moves_of(
            form.scale,
            [one.pk for one in people],
            start=end_of_day(form.first_day),
            end=end_of_day(form.last_day),
        )
        for move in reversed(found):
            moves.setdefault(move.customer_id, []).append(told(move))
        return {
            "page": page,
            "people": [{"customer": one, "moves": moves.get(one.pk, [])} for one in people],
            "total": page.paginator.count,
        }

    def _doing(self) -> dict[str, Any]:
        may = self.user.has_perm
        return {
            "export_form": ExportForm() if may("common.export_customers") else None,
            "keep_form": KeepForm(initial={"name": self._name()}) if may("common.manage_selections") else None,
            "owner_form": OwnerForm() if may("common.manage_campaigns") and self.is_move else None,
        }

    def _name(self) -> str:
        return f"{self.get_title()} ({self.form.first_day:%d-%m-%Y} – {self.form.last_day:%d-%m-%Y})"[:120]

    def _received(self) -> dict[str, Any]:
        form = self.form
        was = NONE if form.cell[0] == NEW else form.cell[0]
        days = {"first": form.first_day, "last": form.last_day}
        stayers = customers_in(form.scale, (was, was), among=form.among, **days)
        window: dict[str, dt.datetime] = {"start": end_of_day(form.first_day), "end": end_of_day(form.last_day)}
        try:
            with time_limit(SECONDS, memory_mb=MEMORY_MB):
                found = received(form.scale, form.customers, stayers, days=form.cleaned_data["days"], **window)
        except Refused as refused:
            return {"refusal": str(refused)}
        return {
            "received": found,
            "may_see_mailings": self.user.has_perm("common.manage_mailings"),
            "may_see_vouchers": self.user.has_perm("common.manage_vouchers"),
        }


class ShiftCellExport(CellView, ActionView):
    """The customers of a cell as a CSV file. That they were taken, by whom and how many, is recorded; never whom."""

    permission = "export_customers"

    def post(self, request: Any, *args: Any, **kwargs: Any) -> HttpResponseBase:  # type: ignore[override]
        self.check()
        form = ExportForm(request.POST)
        if not form.is_valid():
            raise Refused("columns_missing", _("Choose at least one column."))
        columns, found = form.cleaned_data["columns"], self.form.customers
        export = Export.objects.create(
            selection_name=_("shift %s") % move_words(self.form.scale, self.form.cell),
            user=self.user,
            columns=columns,
            row_count=found.count(),
            exported_at=self.now,
        )
        log.info("export shift user=%d rows=%d columns=%s", self.user.pk, export.row_count, ",".join(columns))
        response = StreamingHttpResponse(csv_lines(found, columns), content_type="text/csv; charset=utf-8")
        name = f"verschuiving-{self.form.scale.group.code}-{self.form.last_day:%Y%m%d}.csv"
        response["Content-Disposition"] = f'attachment; filename="{name}"'
        return response


class ShiftCellKeep(CellView, ActionView):
    """Save the customers of a cell as a selection, and lead on to an action for them when one is chosen."""

    permission = "manage_selections"
    success_message = gettext_lazy("The selection has been saved.")

    def perform(self) -> str:
        self.check()
        asked = KeepForm(self.request.POST)
        if not asked.is_valid():
            raise Refused("name_missing", _("Give the selection a name."), field="name")
        name = asked.cleaned_data["name"]
        selection = create_selection(name=name, rule=rule_of(self.form), by=self.user, now=self.now)
        action = asked.cleaned_data["action"]
        if action and self.user.has_perm("common.manage_campaigns"):
            return f"{reverse('workbench:action_run', args=[action.pk])}?selection={selection.pk}"
        return reverse("workbench:selection_detail", args=[selection.pk])


class ShiftCellTrigger(CellView):
    """Lead to a new trigger on this move, of the action or campaign that was chosen."""

    permission = "manage_campaigns"
    http_method_names = ["get"]

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        owner = OwnerForm(request.GET)
        if not self.form.groups or not self.form.is_valid() or not owner.is_valid():
            return HttpResponseRedirect(self.came_from())
        was, became = self.form.cell
        thing: Action | Campaign = owner.chosen
        name = "action" if isinstance(thing, Action) else "campaign"
        params = {
            "kind": "label_move",
            "name": free_name(Trigger, move_words(self.form.scale, self.form.cell)),
            "label_group": self.form.scale.group.code,
            "from_label": CODES[NONE] if was in (NEW, NONE) else self.form.scale.code(was),
            "to_label": self.form.scale.code(became),
        }
        if self.form.cleaned_data.get("selection"):
            params["selection"] = self.form.cleaned_data["selection"].pk
        url = reverse(f"workbench:{name}_trigger_add", args=[thing.pk])
        return HttpResponseRedirect(f"{url}?{urlencode(params)}")


def rule_of(form: CellForm) -> dict[str, Any]:
    """Return the rule, as JSON, of who is in a cell."""
    values = form.cleaned_data
    moved = {
        "label_group": form.scale.group.code,
        "from_labels": [values["was"]],
        "to_labels": [values["became"]],
        "compare": "ends",
        "period": "between",
        "since": (form.first_day + dt.timedelta(days=1)).isoformat(),
        "until": form.last_day.isoformat(),
    }
    children: list[dict[str, Any]] = [{"criterion": "labels.moved", "params": moved}]
    if values.get("branch"):
        children.append({"criterion": "customer.branch", "params": {"branches": [values["branch"].code]}})
    if values.get("selection"):
        children.append({"criterion": "selections.in", "params": {"selection": values["selection"].pk}})
    return {"version": VERSION, "op": "all", "children": children}


urlpatterns = [
    path("shifts/cell/", ShiftCell.as_view(), name="shift_cell"),
    path("shifts/cell/export/", ShiftCellExport.as_view(), name="shift_cell_export"),
    path("shifts/cell/keep/", ShiftCellKeep.as_view(), name="shift_cell_keep"),
    path("shifts/cell/trigger/", ShiftCellTrigger.as_view(), name="shift_cell_trigger"),
]
