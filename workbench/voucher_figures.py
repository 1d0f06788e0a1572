"""The figures of a voucher as the components show them, and what a half-filled form would come to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from common.errors import Refused
from common.money import format_cents
from vouchers import actions, benefits
from vouchers.models import Definition
from vouchers.models.redemptions import RedemptionQuerySet
from workbench.forms.vouchers import DefinitionForm

EXAMPLE_CENTS = 1250


def weeks_chart(redemptions: RedemptionQuerySet) -> dict[str, Any] | None:
    weeks = redemptions.per_week()
    labels = [date_format(monday, "j b") for monday, _count in weeks]
    return {"labels": labels, "datasets": [{"label": _("Taken in"), "data": [n for _w, n in weeks]}]} if weeks else None


def branch_rows(redemptions: RedemptionQuerySet) -> list[dict[str, Any]]:
    return [
        {"label": row["branch"] or _("Online"), "value": row["count"], "sub": format_cents(row["discount"])}
        for row in redemptions.by_branch()
    ]


def delay_rows(redemptions: RedemptionQuerySet) -> list[dict[str, Any]]:
    words = {
        "day": _("Within a day"),
        "week": _("Within a week"),
        "month": _("Within a month"),
        "later": _("Later"),
    }
    return [{"label": words[name], "value": count} for name, count in redemptions.by_delay().items()]


def example(values: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the benefit in words and what it does to an order, or None while it is not complete."""
    fields = {name: values.get(name) for name in ("benefit", "percent", "amount_cents", "product")}
    if isinstance(fields["amount_cents"], str):  # as a form shows it
        fields["amount_cents"] = DefinitionForm.base_fields["amount_cents"].clean(fields["amount_cents"])
    terms = Definition(**{**fields, "product": fields["product"] or ""})
    try:
        actions.check_benefit(terms)
    except Refused:
        return None
    discount = benefits.discount_cents(terms, EXAMPLE_CENTS)
    amounts = {"order": format_cents(EXAMPLE_CENTS), "pays": format_cents(EXAMPLE_CENTS - discount)}
    return {
        "benefit": benefits.describe(terms),
        "name": values.get("name") or _("Name of the voucher"),
        "conditions": values.get("conditions") or "",
        "sum": ""
        if terms.benefit == Definition.Benefit.FREE_PRODUCT
        else _("Of %(order)s the customer pays %(pays)s.") % amounts,
    }
