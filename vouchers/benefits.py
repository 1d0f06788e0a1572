"""What a voucher is worth: price arithmetic in cents and its words. Pure: no query, no clock."""

from __future__ import annotations

from typing import Protocol

from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from common.money import format_cents


class Benefit(models.TextChoices):
    """The four things a voucher can do to a price."""

    PERCENT = "percent", _("Percentage off")
    FIXED = "fixed", _("Amount off")
    SET_PRICE = "set_price", _("Special price")
    FREE_PRODUCT = "free_product", _("Free product")


class Terms(Protocol):
    """What the arithmetic needs to know; ``Definition`` has it.

    ``amount_cents`` is the amount off, the special price, or (free product, optional) what the product is worth.
    """

    benefit: str
    percent: int | None
    amount_cents: int | None
    product: str


def needs_order(terms: Terms) -> bool:
    """Whether the discount depends on what is bought."""
    return terms.benefit in {Benefit.PERCENT, Benefit.SET_PRICE}


def discount_cents(terms: Terms, order_cents: int | None) -> int:
    """Return the discount in cents, never more than the order; a percentage is rounded half a cent upwards.

    Without an order amount a fixed amount counts in full. Raises ValueError when the amount is needed and missing.
    """
    if needs_order(terms):
        if order_cents is None:
            raise ValueError("this benefit needs the order amount")
        if terms.benefit == Benefit.PERCENT:
            return (order_cents * (terms.percent or 0) + 50) // 100
        return max(0, order_cents - (terms.amount_cents or 0))
    worth = terms.amount_cents or 0
    return worth if order_cents is None else min(worth, order_cents)


def describe(terms: Terms) -> str:
    """Return the benefit in the active language: "25% off coffee", "€ 2,50 off", "A free cup of tea"."""
    words = {"amount": short_amount(terms.amount_cents or 0), "percent": terms.percent, "product": terms.product}
    if terms.benefit == Benefit.FREE_PRODUCT:
        return gettext("Free: %(product)s") % words
    if terms.benefit == Benefit.PERCENT:
        text = gettext("%(percent)s%% off %(product)s") if terms.product else gettext("%(percent)s%% off")
    elif terms.benefit == Benefit.FIXED:
        text = gettext("%(amount)s off %(product)s") if terms.product else gettext("%(amount)s off")
    else:
        text = gettext("%(product)s for %(amount)s") if terms.product else gettext("Everything for %(amount)s")
    return text % words


def short_amount(cents: int) -> str:
    """Return an amount as one says it on a voucher: whole euros without decimals ("€ 5")."""
    return format_cents(cents).removesuffix(",00")
