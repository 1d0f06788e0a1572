"""What the pages of one customer share: who is found, the head with its tabs and badges, and where a page lies."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db.models import QuerySet
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _

from common.time import local_date
from customers.models import Customer
from workbench.base import DetailPage, ObjectMixin
from workbench.tables.customers import KIND_TONES


def page_of(customer: Customer, part: str = "detail") -> str:
    return reverse(f"workbench:customer_{part}", args=[customer.pk])


class CustomerMixin(ObjectMixin[Customer]):
    def get_queryset(self) -> QuerySet[Customer]:
        return Customer.objects.with_contact_values().select_related("branch", "household", "source")


def head(customer: Customer, part: str, now: dt.datetime) -> dict[str, Any]:
    """Return what the head of each page of a customer shows, with the tab of ``part`` lit."""
    names = {
        "detail": _("Overview"),
        "timeline": _("Timeline"),
        "data": _("Data and sources"),
        "notes": _("Notes"),
        "messages": _("Messages"),
        "consents": _("Consents"),
        "vouchers": _("Vouchers"),
        "selections": _("Selections"),
    }
    if part == "privacy":  # reached by the menu of three dots; who is there sees where that is
        names["privacy"] = _("Privacy")
    return {
        "tabs": [
            {"label": name, "url": page_of(customer, known), "active": known == part} for known, name in names.items()
        ],
        "kind_tone": KIND_TONES[customer.kind],
        "age": customer.age_on(customer.deceased_on or local_date(now)),
        "initials": initials_of(customer),
    }


def initials_of(customer: Customer) -> str:
    """Return one or two letters that stand where a picture would be."""
    first, last = customer.first_name or customer.initials, customer.last_name
    return (first[:1] + last[:1]).upper() or customer.number[:2]


class CustomerPage(CustomerMixin, DetailPage[Customer]):
    """What the pages of a customer share. Who was merged into somebody leads to that person."""

    abstract = True
    part = "detail"

    def get(self, request: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            self.object  # noqa: B018 - found, or not
        except Http404:
            kept = Customer.everyone.filter(pk=self.kwargs["pk"]).values_list("merged_into", flat=True).first()
            if kept is None:
                raise
            return HttpResponseRedirect(reverse(f"workbench:customer_{self.part}", args=[kept]))
        return super().get(request, *args, **kwargs)

    def get_breadcrumb(self) -> list[Any]:
        return [(_("Customers"), reverse("workbench:customer_list"))]

    def get_context(self, **extra: Any) -> dict[str, Any]:
        return super().get_context(**head(self.object, self.part, self.now), **extra)
