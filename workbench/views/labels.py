"""Labels: all of them by group, a page per label with who has it, and making and giving own labels."""

from __future__ import annotations

import datetime as dt
from itertools import groupby
from typing import Any

from django.contrib import messages
from django.db.models import Count, QuerySet
from django.urls import path, reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django_tables2 import RequestConfig

from common.time import local_date
from customers.models import Customer
from customers.numbers import resolve
from labels.actions import change_group, change_label, create_group, create_label, give_label, take_label
from labels.models import Label, LabelGroup, RefreshRun
from labels.system import families
from labels.tasks import refresh_system_labels_now
from selections.usages import uses_of
from workbench.base import ActionView, DetailPage, FormPage, ObjectMixin, TemplatePage
from workbench.changes import changes_of
from workbench.forms.labels import ChangeLabelForm, GroupForm, NewLabelForm, NumbersForm
from workbench.tables.labels import HolderTable

CHART_WEEKS = 26
KINDS = {
    "system": gettext_lazy("System labels"),
    "own": gettext_lazy("Own labels"),
    "customer": gettext_lazy("Chosen by customers"),
    "imported": gettext_lazy("Import labels"),
}


def crumbs(*more: tuple[str, str]) -> list[Any]:
    return [(gettext_lazy("Labels"), reverse("workbench:label_list")), *more]


def page_of(label: Label) -> str:
    return reverse("workbench:label_detail", args=[label.pk])


class LabelMixin(ObjectMixin[Label]):
    def get_queryset(self) -> QuerySet[Label]:
        return Label.objects.select_related("group")


class LabelList(TemplatePage):
    permission = "manage_labels"
    page_title = gettext_lazy("Labels")
    template_name = "workbench/labels_list.html"

    def get_context(self, **extra: Any) -> dict[str, Any]:
        kind = self.request.GET.get("kind", "")
        kind = kind if kind in KINDS else ""
        labels = Label.objects.with_counts().select_related("group")
        shown = [label for label in labels if label.kind == kind] if kind else list(labels)
        return super().get_context(
            groups=[
                {"group": group, "labels": found, "definition": _shared_definition(found)}
                for group, found in _by_group(shown)
            ],
            tabs=self._tabs(kind),
            last_run=RefreshRun.objects.first(),
            empty_groups=LabelGroup.objects.exclude(code__in=_system_groups()).filter(labels__isnull=True),
            **extra,
        )

    def _tabs(self, kind: str) -> list[dict[str, Any]]:
        counts = dict(Label.objects.order_by().values_list("kind").annotate(Count("pk")))
        tabs = [{"label": _("All"), "url": "?", "active": not kind, "count": sum(counts.values())}]
        for code, name in KINDS.items():
            if counts.get(code) or code != Label.Kind.IMPORTED:
                tab = {"label": name, "url": f"?kind={code}", "active": kind == code, "count": counts.get(code, 0)}
                tabs.append(tab)
        return tabs


class LabelDetail(LabelMixin, DetailPage[Label]):
    permission = "manage_labels"
    template_name = "workbench/labels_detail.html"
    partial_name = "workbench/_labels_holders.html"

    def get_breadcrumb(self) -> list[Any]:
        return crumbs()

    def get_context(self, **extra: Any) -> dict[str, Any]:
        holders = self.object.assignments.open().select_related("customer__branch")
        table = HolderTable(holders, request=self.request)
        if self.object.kind == Label.Kind.SYSTEM:
            table.exclude = ("given_by", "reason", "take")
        elif not (self.object.is_given_by_hand and self.user.has_perm("common.change_customers")):
            table.exclude = ("take",)
        RequestConfig(self.request, paginate={"per_page": 50}).configure(table)
        return super().get_context(
            table=table,
            total=table.paginator.count,
            chart=self._chart(),
            uses=uses_of(self.object),
            history=[] if self.object.kind == Label.Kind.SYSTEM else changes_of(self.object),
            numbers_form=NumbersForm(),
            **extra,
        )

    def _chart(self) -> dict[str, Any]:
        """Return how many had the label at the end of each of the last weeks, today last."""
        today = local_date(self.now)
        days = [today - dt.timedelta(weeks=weeks) for weeks in range(CHART_WEEKS - 1, -1, -1)]
        counts = self.object.assignments.counts_at(days)
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
        return page_of(create_label(**form.cleaned_data, by=self.user, now=self.now))


class LabelChange(LabelMixin, FormPage[ChangeLabelForm]):
    permission = "manage_labels"
    form_class = ChangeLabelForm
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

    def perform(self, form: ChangeLabelForm) -> str:
        return page_of(change_label(self.object, by=self.user, **form.cleaned_data))


class LabelGive(LabelMixin, FormPage[NumbersForm]):
    """Give a label to customers by number; its form stands on the label's page."""

    permission = "change_customers"
    form_class = NumbersForm
    submit_label = gettext_lazy("Give the label")

    def get_title(self) -> str:
        return _("Give “%s” to customers") % self.object

    def get_breadcrumb(self) -> list[Any]:
        return crumbs((str(self.object), page_of(self.object)))

    def get_cancel_url(self) -> str:
        return page_of(self.object)

    def perform(self, form: NumbersForm) -> str:
        customers = Customer.objects.filter(pk__in=resolve(form.cleaned_data["numbers"]).values())
        by = self.user.get_full_name() or self.user.get_username()
        count = give_label(self.object, customers, by=by, now=self.now)
        words = ngettext("%(n)d customer got “%(label)s”.", "%(n)d customers got “%(label)s”.", count)
        messages.success(self.request, words % {"n": count, "label": self.object})
        return page_of(self.object)


class LabelTake(LabelMixin, ActionView):
    """Take a label from one customer."""

    permission = "change_customers"
    success_message = gettext_lazy("The label has been taken away.")

    def perform(self) -> str:
        customer = Customer.objects.filter(pk=self.kwargs["customer"])
        by = self.user.get_full_name() or self.user.get_username()
        take_label(self.object, customer, by=by, now=self.now)
        return page_of(self.object)


class LabelRefresh(ActionView):
    """Have the system labels computed now, by a worker: it may take a while with many customers."""

    permission = "manage_labels"
    success_message = gettext_lazy("The system labels are being computed. Look again in a moment.")

    def perform(self) -> str:
        refresh_system_labels_now.delay_on_commit()  # type: ignore[attr-defined]
        return reverse("workbench:label_list")


class GroupCreate(FormPage[GroupForm]):
    permission = "manage_labels"
    form_class = GroupForm
    page_title = gettext_lazy("New label group")
    submit_label = gettext_lazy("Make group")
    success_message = gettext_lazy("The group has been made.")

    def get_breadcrumb(self) -> list[Any]:
        return crumbs()

    def get_cancel_url(self) -> str:
        return reverse("workbench:label_list")

    def perform(self, form: GroupForm) -> str:
        create_group(**form.cleaned_data)
        return reverse("workbench:label_list")


class GroupChange(ObjectMixin[LabelGroup], FormPage[GroupForm]):
    permission = "manage_labels"
    form_class = GroupForm
    submit_label = gettext_lazy("Save")
    success_message = gettext_lazy("The group has been changed.")

    def get_queryset(self) -> QuerySet[LabelGroup]:
        return LabelGroup.objects.exclude(code__in=_system_groups())

    def get_title(self) -> str:
        return _("Change group “%s”") % self.object

    def get_breadcrumb(self) -> list[Any]:
        return crumbs()

    def get_initial(self) -> dict[str, Any]:
        return {"name": self.object.name, "is_exclusive": self.object.is_exclusive}

    def get_cancel_url(self) -> str:
        return reverse("workbench:label_list")

    def perform(self, form: GroupForm) -> str:
        change_group(self.object, **form.cleaned_data)
        return reverse("workbench:label_list")


def _system_groups() -> list[str]:
    return [code for family in families for code in family.all_groups]


def _by_group(labels: list[Label]) -> list[tuple[LabelGroup | None, list[Label]]]:
    """Return labels by group: our own groups first, then those of the system in their order, groupless last."""
    order = {code: place for place, code in enumerate(_system_groups(), start=1)}
    specs = {spec.code: place for family in families for place, spec in enumerate(family.labels)}

    def place(label: Label) -> tuple[int, int, str]:
        if label.group is None:
            return (1, 0, "")
        return (0 if label.group.code not in order else 2, order.get(label.group.code, 0), label.group.name)

    ordered = sorted(labels, key=lambda label: (place(label), specs.get(label.code, 0), str(label)))
    return [(group, list(found)) for group, found in groupby(ordered, key=lambda label: label.group)]


def _shared_definition(labels: list[Label]) -> str:
    """Return the definition when all labels of a group have the same one, to say it once."""
    definitions = {label.definition for label in labels}
    return definitions.pop() if len(labels) > 1 and len(definitions) == 1 else ""


urlpatterns = [
    path("labels/", LabelList.as_view(), name="label_list"),
    path("labels/new/", LabelCreate.as_view(), name="label_create"),
    path("labels/refresh/", LabelRefresh.as_view(), name="label_refresh"),
    path("labels/groups/new/", GroupCreate.as_view(), name="label_group_create"),
    path("labels/groups/<int:pk>/", GroupChange.as_view(), name="label_group_change"),
    path("labels/<int:pk>/", LabelDetail.as_view(), name="label_detail"),
    path("labels/<int:pk>/change/", LabelChange.as_view(), name="label_change"),
    path("labels/<int:pk>/give/", LabelGive.as_view(), name="label_give"),
    path("labels/<int:pk>/take/<int:customer>/", LabelTake.as_view(), name="label_take"),
]
