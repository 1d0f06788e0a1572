"""Finding a customer as one types, from the top of every page."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy, ngettext

from customers.models import Customer
from customers.search import Why
from workbench.base import TemplatePage

SHOWN = 8
SHORTEST = 2  # signs; fewer find too many


class CustomerFind(TemplatePage):
    """The options below the search field at the top. Without scripts the field leads to the list."""

    permission = "view_customers"
    page_title = gettext_lazy("Find a customer")
    template_name = "workbench/_customers_found.html"

    def get_context(self, **extra: Any) -> dict[str, Any]:
        words = self.request.GET.get("q", "").strip()
        found = list(self._found(words)) if len(words) >= SHORTEST else []
        return super().get_context(
            words=words,
            is_short=len(words) < SHORTEST,
            found=[{"customer": one, "why": why_of(one)} for one in found[:SHOWN]],
            has_more=len(found) > SHOWN,
            said=_said(len(found)),
            **extra,
        )

    def _found(self, words: str) -> Any:
        people = Customer.objects.with_contact_values().select_related("branch")
        return people.search(words, limit=SHOWN + 1)


def why_of(customer: Any) -> str:
    """Return what matched, in words, with the value where it does not show already."""
    why = Why(customer.why)
    own = {Why.EMAIL: customer.email, Why.PHONE: customer.phone, Why.CARD: customer.card_number}
    value = customer.matched or own.get(why, "")
    return f"{why.label}: {value}" if value else str(why.label)


def _said(many: int) -> str:
    if many > SHOWN:
        return str(ngettext("More than %d customer found", "More than %d customers found", SHOWN) % SHOWN)
    return str(ngettext("%d customer found", "%d customers found", many) % many)
