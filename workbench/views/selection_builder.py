"""The builder of selections; its urls are with the other pages, in ``selections``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django_htmx.http import trigger_client_event

from common.errors import Refused
from common.remembering import remembering
from common.time import local_date
from customers.models import Purpose
from selections import figures
from selections.actions import change_selection, count_selection, create_selection
from selections.background import ask
from selections.explain import describe
from selections.models import Folder, Selection
from selections.readable import readable
from selections.rules import EVERYBODY, Group, RuleRefused, parse_rule
from selections.tasks import count_in_background
from workbench.base import FormPage, ObjectMixin, wants_partial
from workbench.builder_counts import (
    Count,
    Question,
    announcement,
    change_of,
    count,
    panel_of,
    path_of,
    question_of,
    show_counts,
    show_earlier,
    signed,
)
from workbench.forms.builder import Builder, Draft, codes_in, examples, menu, pick_menu, used_lately
from workbench.forms.builder.drafts import new_token
from workbench.forms.builder.panel import PANELS, PanelForm
from workbench.forms.selections import NewSelectionForm, SelectionForm

USED = "criteria_used"  # in the session: the criteria somebody added, the latest first
#: Verb -> (how many states to go, what is said, what is said at the end).
STEPS = {
    "undo": (-1, gettext_lazy("Undone."), gettext_lazy("There is nothing to undo.")),
    "redo": (1, gettext_lazy("Done again."), gettext_lazy("There is nothing to do again.")),
}


def crumbs(*more: tuple[str, str]) -> list[Any]:
    return [(gettext_lazy("Selections"), reverse("workbench:selection_list")), *more]


def page_of(selection: Selection) -> str:
    return reverse("workbench:selection_detail", args=[selection.pk])


class SelectionMixin(ObjectMixin[Selection]):
    def get_queryset(self) -> QuerySet[Selection]:
        return Selection.objects.select_related("owner")


class BuilderPage(FormPage[SelectionForm]):
    """The builder: ``do`` changes the rule, ``live`` counts it, ``panel_open`` shows who they are, else it saves."""

    abstract = True
    form_class = SelectionForm
    template_name = "workbench/selections_builder.html"
    partial_name = "workbench/_selections_builder.html"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Answer with branches, labels and the like asked once, however many criteria offer them."""
        with remembering():
            response = super().dispatch(request, *args, **kwargs)
            if isinstance(response, TemplateResponse):
                response.render()
        return response

    def get_breadcrumb(self) -> list[Any]:
        return crumbs()

    #: Why parts of the stored rule could not be read, and are left out.
    lost: Sequence[str] = ()

    def starting_rule(self) -> Group:
        return EVERYBODY

    def read(self, stored: object) -> Group:
        """Return what can be read of a stored rule; what cannot is told above it."""
        rule, self.lost = readable(stored)
        return rule

    @cached_property
    def builder(self) -> Builder:
        if self.request.method == "POST":
            return Builder.from_post(self.request.POST)
        return Builder.from_rule(self.starting_rule())

    @cached_property
    def draft(self) -> Draft:
        """What is kept of this page: earlier states and counts."""
        return Draft.load(self.user.pk, self.request.POST.get("page", ""))

    @cached_property
    def panel(self) -> PanelForm:
        sent = self.request.POST.copy()
        if wanted := sent.get("panel_open"):
            sent["panel"] = wanted
        return PanelForm(sent, today=local_date(self.now))

    def get_context(self, **extra: Any) -> dict[str, Any]:
        self.builder.is_valid()
        is_changed = bool(self.builder.verb)
        shown: dict[str, Any] = {
            "builder": self.builder,
            "panel": self.panel,
            "panels": [(code, name, code == self.panel.open_panel) for code, name in PANELS.items()],
            "page_token": self.draft.token or new_token(),
            "can_undo": is_changed or self.draft.can_undo,
            "can_redo": not is_changed and self.draft.can_redo,
            "lost": self.lost,
        }
        return super().get_context(**shown, **extra)

    def render(self, status: int = 200, **extra: Any) -> HttpResponse:
        """Add what only the builder itself shows, and not each count."""
        if not self.partial_name.endswith("_builder.html") and wants_partial(self.request):
            return super().render(status, **extra)
        rules = Selection.objects.filter(owner=self.user).order_by("-updated_at").values_list("rule", flat=True)[:5]
        codes = [*self.request.session.get(USED, []), *(code for rule in rules for code in _codes(rule))]
        lists = {"menu": menu(), "used": used_lately(codes), "picks": pick_menu(), "examples": examples()}
        return super().render(status, **lists, **extra)

    def post(self, request: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            self.builder  # noqa: B018 - reads what was sent, and refuses what no page sends
        except Refused as refused:
            messages.error(request, str(refused))
            self.builder = Builder.from_rule(self.starting_rule())
            counted = {} if wants_partial(request) else self._figures()
            return self.render(form=self._form_as_sent(), **counted)
        is_late = not self.draft.takes(request.POST)
        if is_late and ("live" in request.POST or self._opens_panel()):
            return HttpResponse(status=204)  # nobody waits for it any more
        self.draft.record(request.POST)
        if "live" not in request.POST and not self._opens_panel():
            response = self._answer(request, *args, **kwargs)
            self.draft.save()
            return response
        self.draft.save()  # what is sent while this is counted builds on it
        response = self._answer(request, *args, **kwargs)
        self.draft.save_counts()
        return response

    def _opens_panel(self) -> bool:
        return "panel_open" in self.request.POST and wants_partial(self.request)

    def _answer(self, request: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        if "live" in request.POST:
            return self._live()
        if self._opens_panel():
            return self._open_panel()
        if "panel_open" in request.POST:
            return self.render(form=self._form_as_sent(), **self._figures())
        if "do" in request.POST:
            self._do(request.POST["do"])
            counted = {} if self._counts_later() else self._figures(anew=request.POST["do"] == "count:r")
            return self.render(form=self._form_as_sent(), **counted)
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

    # --- changing the rule ---

    def _do(self, command: str) -> None:
        verb, _colon, rest = command.partition(":")
        if verb in STEPS:
            self._step(verb)
        elif verb == "menu":
            self.builder.menu_at = rest
        elif verb == "background":
            self._count_in_background()
        else:
            self._change(command)

    def _change(self, command: str) -> None:
        try:
            self.builder.do(command)
        except Refused as refused:
            messages.error(self.request, str(refused))
            self.__dict__.pop("builder", None)  # not there when what was sent is itself refused
            return
        verb, _path, code = (*command.split(":", 2), "", "")[:3]
        if verb == "add" and self.builder.verb:
            used = [code, *(other for other in self.request.session.get(USED, []) if other != code)]
            self.request.session[USED] = used[:10]

    def _step(self, verb: str) -> None:
        """Go back to an earlier state, or on again."""
        step, done, nothing = STEPS[verb]
        fields = self.draft.step(step)
        if fields is not None:
            self.builder = Builder.from_post(fields)
        self.builder.said = str(nothing if fields is None else done)

    def _counts_later(self) -> bool:
        """Whether the page asks for the counts itself, so that a heavy rule can be changed at once."""
        if wants_partial(self.request):
            self.builder.is_valid()
            self.builder.forgive_untouched()
            show_earlier(self.builder, self.draft)
            return True
        return False

    # --- counting ---

    def _live(self) -> HttpResponse:
        self.partial_name = "workbench/_selections_live.html"
        with figures.superseding(self.draft.key, "count", "panel"):
            figures_shown = self._figures(panel=False)
        response = self.render(form=self._form_as_sent(), is_oob=True, **figures_shown)
        if figures_shown.get("has_members"):
            trigger_client_event(response, "counted", {}, after="settle")
        return response

    def _open_panel(self) -> HttpResponse:
        self.partial_name = "workbench/_selections_panel_open.html"
        with figures.superseding(self.draft.key, "panel"):
            figures_shown = self._figures(counts=False)
        return self.render(form=self._form_as_sent(), **figures_shown)

    def _figures(self, *, counts: bool = True, panel: bool = True, anew: bool = False) -> dict[str, Any]:
        """Return what stands beside the rule: counts, put at the parts too, and the open panel."""
        self.builder.is_valid()
        self.builder.forgive_untouched()
        rule = self.builder.to_rule()
        shown: dict[str, Any] = {"has_figures": True, "has_members": not counts}
        try:
            question = question_of(rule, self.panel, now=self.now)
            if counts:
                shown |= self._counts(question, anew=anew)
            if panel and question.is_answerable and shown["has_members"]:
                shown |= self._panel(question)
        except Refused as refused:
            shown["problem"] = str(refused)
        return shown

    def _counts(self, question: Question, *, anew: bool) -> dict[str, Any]:
        found = count(question, self.draft, present=self.now, anew=anew) if question.is_answerable else Count()
        show_counts(self.builder, self.draft, question, found, present=self.now)
        change = change_of(self.draft) if found.measure is not None else None
        self.builder.said = self.builder.said or announcement(found, change)
        return {
            "sentence": describe(question.rule),
            "question": question,
            "found": found,
            "measure": found.measure,
            "change": signed(change) if change else "",
            "has_members": found.measure is not None and found.measure.total > 0,
        }

    def _panel(self, question: Question) -> dict[str, Any]:
        purpose = self.panel.cleaned_data.get("purpose") or Purpose.objects.filter(code="marketing").first()
        self.panel.choose(purpose)
        return {"why_of": self._saved_as(question), **panel_of(question, self.panel.open_panel, purpose)}

    def _saved_as(self, question: Question) -> int | None:
        """The saved selection of which this is the rule, so that its members can be explained."""
        return None

    def _count_in_background(self) -> None:
        """Let a worker count what takes too long for a page."""
        self.builder.is_valid()
        question = question_of(self.builder.to_rule(), self.panel, now=self.now)
        if ask(question.ticket, now=self.now):
            count_in_background.delay_on_commit(  # type: ignore[attr-defined]
                question.rule.to_json(), question.ticket, question.now.isoformat(), bool(question.day)
            )
        self.builder.said = _("It is being counted in the background. You can go on meanwhile.")

    def _form_as_sent(self) -> SelectionForm:
        """Return name and description as typed so far, without complaining yet."""
        form = self.form_class
        return form(initial={name: self.request.POST.get(name, "") for name in form.base_fields})

    def _put_at_its_part(self, refused: RuleRefused) -> None:
        part = self.builder.at(path_of(refused.field or ""))
        if part is not None and part.form is not None:
            name = (refused.field or "").rpartition("/params/")[2].partition("/")[0]
            part.form.add_error(name if name in part.form.fields else None, refused.problem)


class SelectionCreate(BuilderPage):
    permission = "manage_selections"
    form_class = NewSelectionForm
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
            return self.read(self.original.rule)
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
        return {"name": name[:120], "description": self.original.description, "folder": self.original.folder_id}

    def get_context(self, **extra: Any) -> dict[str, Any]:
        has_folders = not wants_partial(self.request) and Folder.objects.exists()
        return super().get_context(has_folders=has_folders, **extra)

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
        return self.read(self.object.rule)

    def get_initial(self) -> dict[str, Any]:
        return {"name": self.object.name, "description": self.object.description}

    def _saved_as(self, question: Question) -> int | None:
        is_it = question.rule == self.starting_rule() and not self.lost
        return self.object.pk if is_it else None

    def get_cancel_url(self) -> str:
        return page_of(self.object)

    def save(self, form: SelectionForm, rule: Group) -> Selection:
        return change_selection(self.object, **form.cleaned_data, rule=rule, by=self.user, now=self.now)


def _codes(rule: Any) -> list[str]:
    """Return the criteria of a saved rule; none of one that cannot be read any more."""
    try:
        return codes_in(parse_rule(rule))
    except Refused:
        return []


def _count_if_quick(page: BuilderPage, selection: Selection) -> None:
    """Count what was saved; a heavy one waits for the night."""
    try:
        with figures.time_limit():
            count_selection(selection, now=page.now)
    except Refused as refused:
        messages.warning(page.request, str(refused))
