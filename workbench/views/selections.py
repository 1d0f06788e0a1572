"""Selections: the list, the builder, a page per selection with its figures, and what can be done with all in it."""

from __future__ import annotations

import logging
import re
from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.urls import path, reverse
from django.utils.functional import cached_property
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from common.errors import Refused
from common.time import local_date
from customers.models import Purpose
from labels.actions import give_label, take_label
from selections import figures
from selections.actions import (
    change_selection,
    count_selection,
    create_selection,
    delete_selection,
    record_export,
)
from selections.compiler import members
from selections.explain import describe
from selections.models import Selection
from selections.rules import EVERYBODY, Group, RuleRefused, parse_rule
from selections.usages import uses_of
from workbench.base import ActionView, DetailPage, FormPage, ListPage, ObjectMixin, wants_partial
from workbench.changes import EVENTS_SHOWN, Moment, changes_of, user_names
from workbench.exports import csv_lines
from workbench.filters.selections import SelectionFilter
from workbench.forms.builder import Builder, menu
from workbench.forms.selections import BulkLabelForm, ExportForm, SelectionForm
from workbench.tables.selections import SelectionTable

log = logging.getLogger("wise.exports")


def crumbs(*more: tuple[str, str]) -> list[Any]:
    return [(gettext_lazy("Selections"), reverse("workbench:selection_list")), *more]


def page_of(selection: Selection) -> str:
    return reverse("workbench:selection_detail", args=[selection.pk])


class SelectionMixin(ObjectMixin[Selection]):
    def get_queryset(self) -> QuerySet[Selection]:
        return Selection.objects.select_related("owner")


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


class BuilderPage(FormPage[SelectionForm]):
    """The builder: ``do`` changes the rule, ``live`` counts it, anything else saves it."""

    abstract = True
    form_class = SelectionForm
    template_name = "workbench/selections_builder.html"
    partial_name = "workbench/_selections_builder.html"

    def get_breadcrumb(self) -> list[Any]:
        return crumbs()

    def starting_rule(self) -> Group:
        return EVERYBODY

    @cached_property
    def builder(self) -> Builder:
        if self.request.method == "POST":
            return Builder.from_post(self.request.POST)
        return Builder.from_rule(self.starting_rule())

    def get_context(self, **extra: Any) -> dict[str, Any]:
        self.builder.is_valid()
        return super().get_context(builder=self.builder, menu=menu(), **extra)

    def post(self, request: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        if "live" in request.POST:
            return self._live()
        if "do" in request.POST:
            self._do(request.POST["do"])
            return self.render(form=self._form_as_sent(), **self._figures())
        return super().post(request, *args, **kwargs)

    def perform(self, form: SelectionForm) -> str:
        if not self.builder.is_valid():
            raise Refused("unfinished", _("Not every criterion is filled in. See the notes in the rule."))
        try:
            selection = self.save(form, self.builder.to_rule())
        except RuleRefused as refused:
            self._put_at_its_part(refused)
            raise Refused(refused.code, refused.problem) from refused
        _count_if_quick(self, selection)
        messages.success(self.request, _("The selection has been saved."))
        return page_of(selection)

    def save(self, form: SelectionForm, rule: Group) -> Selection:
        raise NotImplementedError

    def _do(self, command: str) -> None:
        try:
            self.builder.do(command)
        except Refused as refused:
            messages.error(self.request, str(refused))
            del self.__dict__["builder"]

    def _live(self) -> HttpResponse:
        self.partial_name = "workbench/_selections_live.html"
        return self.render(form=self._form_as_sent(), **self._figures())

    def _form_as_sent(self) -> SelectionForm:
        """Return name and description as typed so far, without complaining yet."""
        return SelectionForm(initial={name: self.request.POST.get(name, "") for name in SelectionForm.base_fields})

    def _figures(self) -> dict[str, Any]:
        """Return what the panel beside the rule shows, and put the counts at the parts."""
        self.builder.is_valid()
        self.builder.forgive_untouched()
        rule = self.builder.to_rule()
        shown: dict[str, Any] = {"has_figures": True, "sentence": describe(rule)}
        try:
            measure = figures.measure(rule, now=self.now)
            shown |= {"measure": measure, "sample": figures.sample(rule, now=self.now)}
        except Refused as refused:
            return shown | {"too_heavy": str(refused)}
        for part in self.builder.parts():
            if part.rule_path:
                part.tally = measure.nodes.get(part.rule_path)
        return shown

    def _put_at_its_part(self, refused: RuleRefused) -> None:
        indexes = tuple(int(index) for index in re.findall(r"/children/(\d+)", refused.field or ""))
        part = self.builder.at(indexes)
        if part is not None and part.form is not None:
            name = (refused.field or "").rpartition("/params/")[2].partition("/")[0]
            part.form.add_error(name if name in part.form.fields else None, refused.problem)


class SelectionCreate(BuilderPage):
    permission = "manage_selections"
    page_title = gettext_lazy("New selection")
    submit_label = gettext_lazy("Save selection")

    @cached_property
    def original(self) -> Selection | None:
        """The selection this one starts as a copy of."""
        pk = self.request.GET.get("from", "")
        return get_object_or_404(Selection, pk=pk) if pk.isdigit() else None

    def starting_rule(self) -> Group:
        return parse_rule(self.original.rule) if self.original else EVERYBODY

    def get_initial(self) -> dict[str, Any]:
        if self.original is None:
            return {}
        name = _("Copy of %s") % self.original.name
        return {"name": name[:120], "description": self.original.description}

    def get_cancel_url(self) -> str:
        return reverse("workbench:selection_list")

    def save(self, form: SelectionForm, rule: Group) -> Selection:
        return create_selection(**form.cleaned_data, rule=rule, by=self.user, now=self.now)


class SelectionChange(SelectionMixin, BuilderPage):
    permission = "manage_selections"
    submit_label = gettext_lazy("Save changes")

    def get_title(self) -> str:
        return _("Change “%s”") % self.object.name

    def get_breadcrumb(self) -> list[Any]:
        return crumbs((self.object.name, page_of(self.object)))

    def starting_rule(self) -> Group:
        return parse_rule(self.object.rule)

    def get_initial(self) -> dict[str, Any]:
        return {"name": self.object.name, "description": self.object.description}

    def get_cancel_url(self) -> str:
        return page_of(self.object)

    def save(self, form: SelectionForm, rule: Group) -> Selection:
        return change_selection(self.object, **form.cleaned_data, rule=rule, by=self.user, now=self.now)


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
        found, reason = members(self.object, now=self.now), _("selection “%s”") % self.object.name
        if form.cleaned_data["do"] == "give":
            count = give_label(label, found, by=by, reason=reason, now=self.now)
            words = ngettext("%(n)d customer got “%(label)s”.", "%(n)d customers got “%(label)s”.", count)
        else:
            count = take_label(label, found, by=by, reason=reason, now=self.now)
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


def _count_if_quick(page: BuilderPage, selection: Selection) -> None:
    """Count what was saved; a heavy one waits for the night."""
    try:
        with figures.time_limit():
            count_selection(selection, now=page.now)
    except Refused as refused:
        messages.warning(page.request, str(refused))


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
