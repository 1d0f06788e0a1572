"""The builder of selections; its urls are with the other pages, in ``selections``."""

from __future__ import annotations

import json
import re
from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common.errors import Refused
from selections import figures
from selections.actions import change_selection, count_selection, create_selection
from selections.explain import describe
from selections.models import Selection
from selections.rules import EVERYBODY, Group, RuleRefused, parse_rule
from workbench.base import FormPage, ObjectMixin
from workbench.forms.builder import Builder, menu
from workbench.forms.selections import SelectionForm


def crumbs(*more: tuple[str, str]) -> list[Any]:
    return [(gettext_lazy("Selections"), reverse("workbench:selection_list")), *more]


def page_of(selection: Selection) -> str:
    return reverse("workbench:selection_detail", args=[selection.pk])


class SelectionMixin(ObjectMixin[Selection]):
    def get_queryset(self) -> QuerySet[Selection]:
        return Selection.objects.select_related("owner")


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
        try:
            self.builder  # noqa: B018 - reads what was sent, and refuses what no page sends
        except Refused as refused:
            messages.error(request, str(refused))
            self.builder = Builder.from_rule(self.starting_rule())
            return self.render(form=self._form_as_sent(), **self._figures())
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
            self.__dict__.pop("builder", None)  # not there when what was sent is itself refused

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
        return get_object_or_404(Selection, pk=pk) if pk.isdecimal() else None

    def starting_rule(self) -> Group:
        """The rule of the original, or the one in the address (``?rule=``: JSON), else everybody."""
        if self.original:
            return parse_rule(self.original.rule)
        if given := self.request.GET.get("rule", ""):
            try:
                return parse_rule(json.loads(given))
            except (ValueError, RecursionError, Refused):
                messages.error(self.request, _("The rule in this address cannot be read, so this one is empty."))
        return EVERYBODY

    def get_initial(self) -> dict[str, Any]:
        if self.original is None:
            return {"name": self.request.GET.get("name", "")[:120]}
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


def _count_if_quick(page: BuilderPage, selection: Selection) -> None:
    """Count what was saved; a heavy one waits for the night."""
    try:
        with figures.time_limit():
            count_selection(selection, now=page.now)
    except Refused as refused:
        messages.warning(page.request, str(refused))
