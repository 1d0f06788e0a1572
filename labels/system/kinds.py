"""Sets of kinds of facts that families and computed values look at; kinds of the organisation's own belong to them."""

from __future__ import annotations

from customers.facts import fact_kinds, income

#: Where somebody does something with us, in person or as a customer; neither paying for it nor looking around online.
_DEEDS = ("loan", "reservation", "ticket", "request", "redemption")
ONLINE = ("visit", "page_view", "search", "form_post", "login", "app_use")
INTEREST = ("request", "form_post", "login", "click")
LIBRARY = ("loan", "reservation", "fee")
THEATRE = ("ticket",)

INCOME, DEEDS = "income", "deeds"  # names of sets, in the terms of computed values


def deeds() -> tuple[str, ...]:
    """Return the kinds by which somebody is active, own kinds among them."""
    return (*_DEEDS, *(kind.code for kind in fact_kinds if kind.is_own))


def resolve(kinds: tuple[str, ...] | list[str]) -> tuple[str, ...]:
    """Return kinds in which the names of sets are replaced by what they hold, each once."""
    sets = {INCOME: income, DEEDS: deeds}
    found = [code for kind in kinds for code in (sets[kind]() if kind in sets else (kind,))]
    return tuple(dict.fromkeys(found))
