"""Why somebody is in a selection or out of it, for any customer and any day; and in which selections a customer is."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.urls import path
from django.utils.functional import cached_property
from django.utils.translation import gettext as _

from common.errors import Refused
from customers.models import Customer
from selections.models import Selection
from selections.rules import parse_rule
from selections.verdicts import why
from workbench.base import DetailPage
from workbench.forms.moments import DayForm
from workbench.views.customers_base import CustomerPage
from workbench.views.selection_base import sentence_of, tabs_of
from workbench.views.selection_builder import SelectionMixin, crumbs, page_of
from workbench.whys import are_in, certainly, lines_of, reasons_of, selections_of, unknown_of

FOUND_SHOWN = 12
SHORTEST = 2  # signs; fewer find too many
SELECTIONS_PER_PAGE = 25


class WhyPage(SelectionMixin, DetailPage[Selection]):
    """What the two pages share: the day, the field to find a customer by, and who was found."""

    abstract = True

    @cached_property
    def day_form(self) -> DayForm:
        return DayForm(self.request, now=self.now)

    def get_breadcrumb(self) -> list[Any]:
        return crumbs((self.object.name, page_of(self.object)))

    def get_context(self, **extra: Any) -> dict[str, Any]:
        words = self.request.GET.get("q", "").replace("\0", "").strip()[:120]
        told = sentence_of(self.object)
        is_searched = len(words) >= SHORTEST and "unreadable" not in told
        return super().get_context(
            tabs=tabs_of(self.object, "why_find"),
            day_form=self.day_form,
            query=self.day_form.query,
            words=words,
            is_short=0 < len(words) < SHORTEST,
            found=self._found(words) if is_searched else [],
            **told,
            **extra,
        )

    def _found(self, words: str) -> list[dict[str, Any]]:
        people = Customer.objects.with_contact_values().select_related("branch")
        found = list(people.search(words, limit=FOUND_SHOWN))
        members = are_in(self.object, found, now=self.day_form.moment, is_past=self.day_form.day is not None)
        return [{"customer": one, "is_in": one.pk in members} for one in found]


class SelectionWhyFind(WhyPage):
    """Whom do you want to know it of?"""

    permission = "view_customers"
    template_name = "workbench/selections_why_find.html"

    def get_title(self) -> str:
        return _("Why or why not")


class SelectionWhy(WhyPage):
    permission = "view_customers"
    template_name = "workbench/selections_why.html"

    @cached_property
    def customer(self) -> Customer:
        everybody = Customer.everyone.select_related("branch", "household", "merged_into")
        return get_object_or_404(everybody, pk=self.kwargs["customer"])

    def get_title(self) -> str:
        return _("Why or why not: %s") % self.customer

    def get_context(self, **extra: Any) -> dict[str, Any]:
        return super().get_context(customer=self.customer, **self._verdict(), **extra)

    def _verdict(self) -> dict[str, Any]:
        try:
            rule = parse_rule(self.object.rule)
            verdict = why(rule, self.customer, now=self.day_form.moment, present=self.now)
        except Refused as refused:
            return {"problem": str(refused)}
        root = lines_of(verdict, customer=self.customer, query=self.day_form.query)
        return {
            "verdict": verdict,
            "root": root,
            "reasons": list(reasons_of(root)),
            "unknown": list(unknown_of(root)),
            "is_certain": bool(verdict.barred) or certainly(verdict) is not None,
        }


class CustomerSelections(CustomerPage):
    """All selections, with whether this customer is in them; one statement per page of the list."""

    permission = "view_customers"
    template_name = "workbench/customers_selections.html"
    part = "selections"

    def get_context(self, **extra: Any) -> dict[str, Any]:
        form = DayForm(self.request, now=self.now)
        words = self.request.GET.get("q", "").replace("\0", "").strip()[:120]
        page = Paginator(self._selections(words), SELECTIONS_PER_PAGE).get_page(self.request.GET.get("page"))
        told = selections_of(self.object, list(page.object_list), now=form.moment, present=self.now)
        return super().get_context(day_form=form, query=form.query, words=words, page_obj=page, told=told, **extra)

    def _selections(self, words: str) -> QuerySet[Selection]:
        known = Selection.objects.select_related("owner").order_by("name")
        return known.filter(name__icontains=words) if words else known


urlpatterns = [
    path("selections/<int:pk>/why/", SelectionWhyFind.as_view(), name="selection_why_find"),
    path("selections/<int:pk>/why/<int:customer>/", SelectionWhy.as_view(), name="selection_why"),
    path("customers/<int:pk>/selections/", CustomerSelections.as_view(), name="customer_selections"),
]
