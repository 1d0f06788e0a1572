"""System labels: what each means, its thresholds, what a change would do, and what the latest runs did."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import path, reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common.errors import Refused
from labels.actions.computed import change_thresholds, preview_thresholds
from labels.models import Label, RefreshRun, ThresholdSetting
from labels.system import Family, families
from labels.tasks import refresh_system_labels_changed
from workbench.base import FormPage, TemplatePage
from workbench.changes import Moment, user_names
from workbench.forms.system_labels import ThresholdForm, filled_in, in_words, initial_of

RUNS_SHOWN = 10
EVENTS_SHOWN = 20
PARTS = {
    "changes": gettext_lazy("Who changed"),
    "facts": gettext_lazy("Their activities"),
    "profiling": gettext_lazy("Who may be profiled"),
    "measures": gettext_lazy("Counting activities"),
    "values": gettext_lazy("Computed values"),
    "others": gettext_lazy("Labels of files, and of families that are gone"),
}


def crumbs(*more: tuple[Any, str]) -> list[Any]:
    return [(gettext_lazy("Labels"), reverse("workbench:label_list")), *more]


class SystemLabelList(TemplatePage):
    permission = "manage_labels"
    page_title = gettext_lazy("System labels")
    template_name = "workbench/system_labels_list.html"

    def get_breadcrumb(self) -> list[Any]:
        return crumbs()

    def get_context(self, **extra: Any) -> dict[str, Any]:
        labels = Label.objects.filter(kind=Label.Kind.SYSTEM, is_active=True).select_related("group")
        by_group: dict[str, list[Label]] = {}
        for label in labels.order_by("group", "rank", "pk"):
            by_group.setdefault(label.group.code if label.group else "", []).append(label)
        runs = list(RefreshRun.objects.filter(is_stale=False)[:RUNS_SHOWN])
        return super().get_context(
            rows=[_row(family, by_group) for family in families],
            runs=[_run(run) for run in runs],
            parts=_parts(runs[0]) if runs else [],
            **extra,
        )


class SystemLabelChange(FormPage[ThresholdForm]):
    permission = "manage_labels"
    form_class = ThresholdForm
    template_name = "workbench/system_labels_change.html"
    submit_label = gettext_lazy("Save")
    success_message = gettext_lazy("Saved. The labels are being computed anew; look again in a minute.")

    @cached_property
    def family(self) -> Family:
        found = families.get(self.kwargs["family"])
        if found is None or not found.thresholds:
            raise Http404
        return found

    def get_title(self) -> Any:
        return self.family.name

    def get_breadcrumb(self) -> list[Any]:
        return crumbs((gettext_lazy("System labels"), reverse("workbench:system_label_list")))

    def get_initial(self) -> dict[str, Any]:
        return initial_of(self.family)

    def get_form_kwargs(self) -> dict[str, Any]:
        return {"family": self.family}

    def get_context(self, **extra: Any) -> dict[str, Any]:
        labels = Label.objects.filter(kind=Label.Kind.SYSTEM, group__code__in=self.family.all_groups, is_active=True)
        return super().get_context(
            family=self.family,
            labels=labels.order_by("group", "rank", "pk")[:12],
            history=_history(self.family),
            **extra,
        )

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if "preview" not in request.POST:
            return super().post(request, *args, **kwargs)
        form = self.make_form()
        if not form.is_valid():
            return self.render(status=422, form=form)
        try:
            preview = preview_thresholds(self.family, numbers=form.numbers, now=self.now)
        except Refused as refused:
            form.add_error(refused.field if refused.field in form.fields else None, str(refused))
            return self.render(status=422, form=form)
        return self.render(form=form, preview=preview)

    def perform(self, form: ThresholdForm) -> str:
        change_thresholds(self.family, numbers=form.numbers, by=self.user)
        refresh_system_labels_changed.delay_on_commit()  # type: ignore[attr-defined]
        return reverse("workbench:system_label_list")


def _row(family: Family, by_group: dict[str, list[Label]]) -> dict[str, Any]:
    limits = family.limits()
    return {
        "family": family,
        "groups": [(name, by_group.get(code, [])) for code, name in family.all_groups.items()],
        "is_one": any(family.holds_one(code) for code in family.all_groups),
        "thresholds": [
            {"parts": filled_in(one, limits[one.code]), "is_own": limits[one.code] != one.default}
            for one in family.thresholds
        ],
    }


def _run(run: RefreshRun) -> dict[str, Any]:
    return {"run": run, "seconds": sum(part.get("seconds", 0) for part in run.parts)}


def _parts(run: RefreshRun) -> list[dict[str, Any]]:
    """Return what the run did, family by family."""
    return [{**part, "name": PARTS.get(part["code"]) or _name(part["code"])} for part in run.parts]


def _name(code: str) -> Any:
    family = families.get(code)
    return family.name if family else code


def _history(family: Family) -> list[Moment]:
    """Return which thresholds were changed from what to what and by whom, latest first."""
    events: Any = ThresholdSetting._meta.get_field("events").related_model
    known = {one.code: one for one in family.thresholds}
    rows = events.objects.filter(family=family.code, code__in=known).select_related("pgh_context").order_by("pgh_id")
    found = list(rows)
    names = user_names(row.pgh_context.metadata.get("user") for row in found if row.pgh_context)
    moments, before = [], {code: one.default for code, one in known.items()}
    for row in found:
        one = known[row.code]
        text = f"{in_words(one, before[row.code])} → {in_words(one, row.number)}"
        who = names.get(row.pgh_context.metadata.get("user"), "") if row.pgh_context else ""
        moments.append(Moment("pencil", _("Changed: %s") % one.words, row.pgh_created_at, who, text))
        before[row.code] = row.number
    return moments[::-1][:EVENTS_SHOWN]


urlpatterns = [
    path("labels/system/", SystemLabelList.as_view(), name="system_label_list"),
    path("labels/system/<slug:family>/", SystemLabelChange.as_view(), name="system_label_change"),
]
