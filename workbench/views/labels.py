"""Labels: all of them with filters, a page per label, and making, changing, merging and deleting own labels."""

from __future__ import annotations

import datetime as dt
from itertools import groupby
from typing import Any

from django.contrib import messages
from django.db.models import Count, Model, QuerySet
from django.http import QueryDict
from django.urls import path, reverse
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django_tables2 import RequestConfig

from common.time import local_date
from customers.models import Customer
from labels.actions import change_label, create_label, delete_label, end_labels, merge_labels
from labels.models import Assignment, Label, LabelCount, LabelGroup, RefreshRun
from labels.rules.history import family_of
from labels.system import families
from labels.tasks import key_by_hand, refresh_system_labels_now
from selections.explain import describe_stored
from selections.usages import Use, uses_of
from workbench.base import ActionView, DetailPage, FormPage, ObjectMixin, TemplatePage
from workbench.changes import changes_of
from workbench.forms.labels import (
    RULE,
    ChangeHoldersForm,
    ChangeLabelForm,
    LabelFilterForm,
    MergeForm,
    NewLabelForm,
    own_groups,
)
from workbench.forms.selections import ExportForm
from workbench.menu import address
from workbench.paging import Leafing
from workbench.tables.labels import HolderTable

CHART_WEEKS = 26
TREND_DAYS = 30
RUNS_SHOWN = 7
KINDS = {
    "system": gettext_lazy("System labels"),
    "own": gettext_lazy("Own labels"),
    "customer": gettext_lazy("Chosen by customers"),
    "imported": gettext_lazy("Import labels"),
}
#: Model -> the page on which a use is found.
PAGES = {
    "selections.selection": "workbench:selection_detail",
    "labels.label": "workbench:label_detail",
    "campaigns.action": "workbench:action_detail",
    "campaigns.trigger": "workbench:trigger_detail",
    "campaigns.campaign": "workbench:campaign_detail",
    "newsletter.textitem": "workbench:item_change",
    "mailings.mailing": "workbench:mailing_detail",
    "mailings.experiment": "workbench:experiment_detail",
    "vouchers.definition": "workbench:voucher_detail",
}


def crumbs(*more: tuple[str, str]) -> list[Any]:
    return [(gettext_lazy("Labels"), reverse("workbench:label_list")), *more]


def page_of(label: Label) -> str:
    return reverse("workbench:label_detail", args=[label.pk])


def used_by(thing: Model) -> list[dict[str, Any]]:
    """Return what uses a label, a group or a selection, each with its page where it has one."""
    return [{"use": use, "url": _page_of_use(use)} for use in uses_of(thing)]


def _page_of_use(use: Use) -> str:
    name = PAGES.get(use.thing._meta.label_lower, "")
    return address(name, use.thing.pk) if name else ""


class LabelMixin(ObjectMixin[Label]):
    def get_queryset(self) -> QuerySet[Label]:
        return Label.objects.select_related("group", "selection")


class LabelList(TemplatePage):
    permission = "manage_labels"
    page_title = gettext_lazy("Labels")
    template_name = "workbench/labels_list.html"
    partial_name = "workbench/_labels_groups.html"

    def get_context(self, **extra: Any) -> dict[str, Any]:
        form = LabelFilterForm(self.request.GET)
        wish = form.cleaned_data if form.is_valid() else {}
        kind = wish.get("kind") if wish.get("kind") in KINDS else ""
        shown = [label for label in Label.objects.select_related("group", "selection") if _is_wanted(label, kind, wish)]
        self._count(shown)
        return super().get_context(
            groups=_blocks(shown, wish.get("sort", "")),
            form=form,
            tabs=self._tabs(kind or ""),
            has_versions=Label.objects.filter(kind=Label.Kind.IMPORTED).exclude(version="").exists(),
            last_run=RefreshRun.objects.first(),
            empty_groups=own_groups().filter(labels__isnull=True),
            is_narrowed=bool(wish.get("q") or wish.get("group")),
            **extra,
        )

    def _count(self, labels: list[Label]) -> None:
        """Give each label ``holders``, and ``trend``: how many more than a month ago, where that was counted."""
        holders = Assignment.objects.holders(labels)
        day = local_date(self.now) - dt.timedelta(days=TREND_DAYS)
        then = dict(LabelCount.objects.filter(label__in=labels, day=day).values_list("label", "holders"))
        for label in labels:
            label.holders = holders[label.pk]  # type: ignore[attr-defined]
            label.trend = label.holders - then[label.pk] if label.pk in then else None  # type: ignore[attr-defined]

    def _tabs(self, kind: str) -> list[dict[str, Any]]:
        counts = dict(Label.objects.order_by().values_list("kind").annotate(Count("pk")))
        tabs = [{"label": _("All"), "url": self._with_kind(""), "active": not kind, "count": sum(counts.values())}]
        for code, name in KINDS.items():
            if counts.get(code) or code != Label.Kind.IMPORTED:
                url, count = self._with_kind(code), counts.get(code, 0)
                tabs.append({"label": name, "url": url, "active": kind == code, "count": count})
        return tabs

    def _with_kind(self, kind: str) -> str:
        """Return this page for another kind, with the other filters as they are."""
        query: QueryDict = self.request.GET.copy()
        query["kind"] = kind
        for name in [name for name in query if not query[name]]:
            del query[name]
        return f"?{query.urlencode()}"


class LabelDetail(LabelMixin, DetailPage[Label]):
    permission = "manage_labels"
    template_name = "workbench/labels_detail.html"
    partial_name = "workbench/_labels_holders.html"

    def get_breadcrumb(self) -> list[Any]:
        return crumbs()

    def get_context(self, **extra: Any) -> dict[str, Any]:
        label, words = self.object, self.request.GET.get("q", "").strip()[:100]
        holders = label.assignments.open().select_related("customer__branch")
        if words:
            people = Customer.objects.filter(pk__in=holders.values("customer"))  # the best so many of these, not of all
            holders = holders.filter(customer__in=people.search(words).values("pk"))
        table = HolderTable(holders, request=self.request)
        may_change = label.is_given_by_hand and self.user.has_perm("common.change_customers")
        if label.kind == Label.Kind.SYSTEM:
            table.exclude = ("given_by", "reason", "take")
        elif not may_change:
            table.exclude = ("take",)
        RequestConfig(self.request, paginate={"per_page": 50, "paginator_class": Leafing}).configure(table)
        is_system = label.kind == Label.Kind.SYSTEM
        return super().get_context(
            table=table,
            total=table.paginator.count,
            q=words,
            chart=self._chart(),
            uses=used_by(label),
            history=[] if is_system else changes_of(label, ignore=("rank",)),
            holders_form=ChangeHoldersForm(),
            export_form=ExportForm() if self.user.has_perm("common.export_customers") else None,
            may_change=may_change,
            rule_words=describe_stored(label.rule_json) if label.rule_json else "",
            runs=label.rule_runs.all()[:RUNS_SHOWN] if label.is_by_rule else [],
            has_history_page=label.is_by_rule or family_of(label) is not None,
            **extra,
        )

    def _chart(self) -> dict[str, Any]:
        """Return how many had the label at the end of each of the last weeks, today last."""
        today = local_date(self.now)
        days = [today - dt.timedelta(weeks=weeks) for weeks in range(CHART_WEEKS - 1, -1, -1)]
        known = dict(self.object.counts.filter(day__in=days[:-1]).values_list("day", "holders"))
        counts = known | self.object.assignments.counts_at([day for day in days if day not in known])
        return {
            "labels": [date_format(day, "j b") for day in days],
            "datasets": [{"label": str(_("Customers")), "data": [counts[day] for day in days]}],
        }


class LabelCreate(FormPage[NewLabelForm]):
    permission = "manage_labels"
    form_class = NewLabelForm
    page_title = gettext_lazy("New label")
    submit_label = gettext_lazy("Make label")
    success_message = gettext_lazy("The label has been made.")

    def get_breadcrumb(self) -> list[Any]:
        return crumbs()

    def get_cancel_url(self) -> str:
        return reverse("workbench:label_list")

    def perform(self, form: NewLabelForm) -> str:
        fields = dict(form.cleaned_data)
        by_rule = fields["kind"] == RULE
        fields["kind"] = Label.Kind.OWN if by_rule else fields["kind"]
        label = create_label(**fields, by=self.user, now=self.now)
        return reverse("workbench:label_rule", args=[label.pk]) if by_rule else page_of(label)


class LabelChange(LabelMixin, FormPage[ChangeLabelForm]):
    permission = "manage_labels"
    form_class = ChangeLabelForm
    template_name = "workbench/labels_change.html"
    submit_label = gettext_lazy("Save")
    success_message = gettext_lazy("The label has been changed.")

    def get_queryset(self) -> QuerySet[Label]:
        return super().get_queryset().exclude(kind=Label.Kind.SYSTEM)

    def get_title(self) -> str:
        return _("Change “%s”") % self.object

    def get_breadcrumb(self) -> list[Any]:
        return crumbs((str(self.object), page_of(self.object)))

    def get_initial(self) -> dict[str, Any]:
        return {name: getattr(self.object, name) for name in ChangeLabelForm.base_fields}

    def get_cancel_url(self) -> str:
        return page_of(self.object)

    def get_context(self, **extra: Any) -> dict[str, Any]:
        return super().get_context(uses=used_by(self.object), **extra)

    def perform(self, form: ChangeLabelForm) -> str:
        label = change_label(self.object, by=self.user, **form.cleaned_data)
        if ended := end_labels(now=self.now, only=label):
            words = ngettext(
                "%(n)d customer lost it: its days or time are over.",
                "%(n)d customers lost it: its days or time are over.",
                ended,
            )
            messages.info(self.request, words % {"n": ended})
        return page_of(label)


class LabelDelete(LabelMixin, ActionView):
    permission = "manage_labels"
    success_message = gettext_lazy("The label has been deleted.")

    def perform(self) -> str:
        delete_label(self.object, by=self.user)
        return reverse("workbench:label_list")


class LabelMerge(LabelMixin, FormPage[MergeForm]):
    """Everybody with this label gets another instead."""

    permission = "manage_labels"
    form_class = MergeForm
    template_name = "workbench/labels_merge.html"
    submit_label = gettext_lazy("Merge")

    def get_title(self) -> str:
        return _("Merge “%s” into another label") % self.object

    def get_breadcrumb(self) -> list[Any]:
        return crumbs((str(self.object), page_of(self.object)))

    def get_form_kwargs(self) -> dict[str, Any]:
        return {"label": self.object}

    def get_context(self, **extra: Any) -> dict[str, Any]:
        holders = self.object.assignments.open().count()
        return super().get_context(object=self.object, holders=holders, uses=used_by(self.object), **extra)

    def perform(self, form: MergeForm) -> str:
        into, by = form.cleaned_data["into"], self.user.get_full_name() or self.user.get_username()
        given = merge_labels(self.object, into, by=self.user, name=by, now=self.now)
        words = ngettext("%(n)d customer got “%(label)s”.", "%(n)d customers got “%(label)s”.", given)
        messages.success(self.request, words % {"n": given, "label": into})
        return page_of(into)


class LabelRefresh(ActionView):
    """Have the system labels computed now, at most once a minute; by a worker: with many customers it takes a while."""

    permission = "manage_labels"

    def perform(self) -> str:
        if run := RefreshRun.objects.filter(due_key=key_by_hand(self.now)).first():
            messages.info(self.request, done_just_now(run.started_at))
        else:
            refresh_system_labels_now.delay_on_commit()  # type: ignore[attr-defined]
            messages.success(self.request, _("The system labels are being computed. Look again in a moment."))
        return reverse("workbench:label_list")


def done_just_now(at: dt.datetime) -> str:
    """Say that what is done at most once a minute was done already."""
    words = _("This was done a moment ago, at %(time)s, and can be done once a minute. Try again in a minute.")
    return words % {"time": date_format(localtime(at), "H:i:s")}


def _is_wanted(label: Label, kind: str | None, wish: dict[str, Any]) -> bool:
    words = (wish.get("q") or "").casefold()
    group = wish.get("group")
    return (
        (not kind or label.kind == kind)
        and (not group or label.group_id == group.pk)
        and (not words or words in f"{label} {label.definition} {label.code}".casefold())
    )


def _blocks(labels: list[Label], sort: str) -> list[dict[str, Any]]:
    """Return the labels by group, or in one block in another order."""
    if sort and labels:
        keys = {
            "name": lambda one: str(one).casefold(),
            "holders": lambda one: -one.holders,
            "trend": lambda one: (one.trend is None, -(one.trend or 0)),
        }
        return [{"group": None, "labels": sorted(labels, key=keys[sort]), "definition": "", "is_sorted": True}]
    return [
        {"group": group, "labels": found, "definition": _shared_definition(found)} for group, found in by_group(labels)
    ]


def by_group(labels: list[Label]) -> list[tuple[LabelGroup | None, list[Label]]]:
    """Return labels by group: our own groups first, then those of the system in their order, groupless last."""
    order = {code: place for place, code in enumerate((c for f in families for c in f.all_groups), start=1)}
    specs = {spec.code: place for family in families for place, spec in enumerate(family.labels)}

    def place(label: Label) -> tuple[int, int, str]:
        if label.group is None:
            return (1, 0, "")
        return (0 if label.group.code not in order else 2, order.get(label.group.code, 0), label.group.name)

    ordered = sorted(labels, key=lambda one: (place(one), specs.get(one.code, 0), one.rank, str(one), one.version))
    return [(group, list(found)) for group, found in groupby(ordered, key=lambda label: label.group)]


def _shared_definition(labels: list[Label]) -> str:
    """Return the definition when all labels of a group have the same one, to say it once."""
    definitions = {label.definition for label in labels}
    return definitions.pop() if len(labels) > 1 and len(definitions) == 1 else ""


urlpatterns = [
    path("labels/", LabelList.as_view(), name="label_list"),
    path("labels/new/", LabelCreate.as_view(), name="label_create"),
    path("labels/refresh/", LabelRefresh.as_view(), name="label_refresh"),
    path("labels/<int:pk>/", LabelDetail.as_view(), name="label_detail"),
    path("labels/<int:pk>/change/", LabelChange.as_view(), name="label_change"),
    path("labels/<int:pk>/delete/", LabelDelete.as_view(), name="label_delete"),
    path("labels/<int:pk>/merge/", LabelMerge.as_view(), name="label_merge"),
]
