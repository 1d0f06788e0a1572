"""Merging two customers by hand, the list of merges, and taking one apart again."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.urls import path, reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from common.errors import Refused
from customers.actions.matching import BY_ITSELF
from customers.actions.merging import merge_customers, undo_merge
from customers.models import Customer, Merge
from workbench.base import ActionView, DetailPage, FormPage, ListPage, ObjectMixin
from workbench.comparison import before_merge, brings, compare, in_words, likeness, moved_by
from workbench.filters.merges import MergeFilter
from workbench.forms.merges import OtherCustomerForm
from workbench.tables.merges import MergeTable
from workbench.views.customers_base import CustomerMixin, page_of


class MergeList(ListPage):
    permission = "change_customers"
    page_title = _("Merges")
    lead = _("Who was taken up in whom. Undoing puts everything back; what came since stays with who was kept.")
    table_class = MergeTable
    filterset_class = MergeFilter
    empty_icon = "merge"
    empty_title = _("Nothing was merged yet")
    empty_text = _("Judge the possible duplicates, or merge two customers from the page of one of them.")

    def get_breadcrumb(self) -> list[Any]:
        return [(_("Duplicates"), reverse("workbench:duplicate_list"))]

    def get_queryset(self) -> QuerySet[Merge]:
        return Merge.objects.select_related("kept", "absorbed").defer("before")


class MergeDetail(DetailPage[Merge], ObjectMixin[Merge]):
    """Who was taken up in whom: why, what moved, and what stood in both rows before."""

    permission = "change_customers"
    template_name = "workbench/merges_detail.html"

    def get_queryset(self) -> QuerySet[Merge]:
        return Merge.objects.select_related("kept", "absorbed")

    def get_title(self) -> str:
        return gettext("%(absorbed)s, merged into %(kept)s") % {
            "absorbed": self.object.absorbed.number, "kept": self.object.kept.number,
        }  # fmt: skip

    def get_breadcrumb(self) -> list[Any]:
        return [
            (_("Duplicates"), reverse("workbench:duplicate_list")),
            (_("Merges"), reverse("workbench:merge_list")),
        ]

    def get_context(self, **extra: Any) -> dict[str, Any]:
        merge = self.object
        return super().get_context(
            rows=before_merge(merge),
            moved=moved_by(merge),
            reasons=in_words(merge.reasons),
            is_by_itself=merge.merged_by == BY_ITSELF,
            **extra,
        )


class MergeUndo(ObjectMixin[Merge], ActionView):
    permission = "change_customers"

    def get_queryset(self) -> QuerySet[Merge]:
        return Merge.objects.select_related("absorbed")

    def perform(self) -> str:
        merge = undo_merge(self.object, by=self.user, now=self.now)
        words = gettext("Undone: customer %s stands on its own again.")
        messages.success(self.request, words % merge.absorbed.number)
        return reverse("workbench:merge_detail", args=[merge.pk])


class MergeStart(CustomerMixin, FormPage[OtherCustomerForm]):
    permission = "change_customers"
    form_class = OtherCustomerForm
    page_title = _("Merge with another customer")
    submit_label = _("Show both")

    def get_breadcrumb(self) -> list[Any]:
        return [(_("Customers"), reverse("workbench:customer_list")), (str(self.object), page_of(self.object))]

    def perform(self, form: OtherCustomerForm) -> str:
        other = form.cleaned_data["number"]
        if other.pk == self.object.pk:
            raise Refused(
                "same_customer", gettext("This is one and the same customer. Choose another one."), field="number"
            )
        return reverse("workbench:merge_compare", args=[self.object.pk, other.pk])


class OtherMixin(CustomerMixin):
    @cached_property
    def other(self) -> Customer:
        return get_object_or_404(self.get_queryset(), pk=self.kwargs["other"])


class MergeCompare(OtherMixin, DetailPage[Customer]):
    permission = "change_customers"
    template_name = "workbench/merges_compare.html"
    page_title = _("Merge these two?")

    def get_breadcrumb(self) -> list[Any]:
        return [(_("Customers"), reverse("workbench:customer_list")), (str(self.object), page_of(self.object))]

    def get_context(self, **extra: Any) -> dict[str, Any]:
        points, reasons = likeness(self.object, self.other)
        return super().get_context(
            first=self.object,
            second=self.other,
            rows=compare(self.object, self.other),
            brings=brings(self.object, self.other),
            points=points,
            reasons=reasons,
            is_open=True,
            decide_url=reverse("workbench:merge_do", args=[self.object.pk, self.other.pk]),
            **extra,
        )


class MergeDo(OtherMixin, ActionView):
    """``decision``: the id of who is kept."""

    permission = "change_customers"

    def perform(self) -> str:
        both, decision = [self.object, self.other], self.request.POST.get("decision", "")
        kept = next((one for one in both if str(one.pk) == decision), None)
        if kept is None:
            raise Refused("not_of_pair", gettext("Choose one of the two."))
        absorbed = both[1] if kept is both[0] else both[0]
        merge_customers(kept, absorbed, by=self.user, now=self.now)
        words = gettext("Merged: %(absorbed)s is now part of %(kept)s. You can undo this under Merges.")
        messages.success(self.request, words % {"absorbed": absorbed.number, "kept": kept.number})
        return page_of(kept)


urlpatterns = [
    path("merges/", MergeList.as_view(), name="merge_list"),
    path("merges/<int:pk>/", MergeDetail.as_view(), name="merge_detail"),
    path("merges/<int:pk>/undo/", MergeUndo.as_view(), name="merge_undo"),
    path("customers/<int:pk>/merge/", MergeStart.as_view(), name="merge_start"),
    path("customers/<int:pk>/merge/<int:other>/", MergeCompare.as_view(), name="merge_compare"),
    path("customers/<int:pk>/merge/<int:other>/do/", MergeDo.as_view(), name="merge_do"),
]
