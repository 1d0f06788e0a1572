"""Subscriptions: memberships in time, with what they cost."""

from __future__ import annotations

from django.utils.functional import lazystr
from django.utils.translation import gettext_lazy as _

from customers.imports.formats.base import (
    CUSTOMER,
    FORMATS,
    Check,
    Column,
    Format,
    choice,
    unreadable,
)
from customers.imports.words import PAYMENT_METHODS
from customers.imports.writers.subscriptions import undo_subscriptions, write_subscriptions
from customers.models import ImportRun

HIGHEST_PRICE_CENTS = 10_000_000  # a year's subscription; far above it is a typing error, and the column is an int

SUBSCRIPTIONS = Format(
    code=ImportRun.Format.SUBSCRIPTIONS,
    name=ImportRun.Format.SUBSCRIPTIONS.label,
    columns=[
        Column(
            "abonnementnummer", _("Number of the subscription; never the same for two."), "A90000001",
            required=True, filled=True, longest=40,
        ),
        CUSTOMER,
        Column(
            "soort", _("Type of subscription, a short word of your own choice."), "volwassen",
            required=True, filled=True, longest=40,
        ),
        Column("omschrijving", _("Name, as customers see it."), "Volwassenenabonnement", longest=100),
        Column(
            "prijs", _("Price per year in euros; 0 when it is free."), "58,00", required=True, filled=True,
            checks=[
                unreadable("prijs", "cents", "amount"),
                Check("negative", "customers_read_cents(r.prijs) < 0"),
                Check("too_much", f"customers_read_cents(r.prijs) > {HIGHEST_PRICE_CENTS}"),
            ],
        ),
        Column(
            "begindatum", _("First day."), "2024-02-01", required=True, filled=True,
            checks=[
                unreadable("begindatum", "date"),
                Check("past", "customers_read_date(r.begindatum) < '1900-01-01'"),
            ],
        ),
        Column(
            "einddatum", _("Last day; empty while it runs."), "", required=True,
            checks=[unreadable("einddatum", "date")],
        ),
        Column(
            "betaalwijze", lazystr(", ".join(PAYMENT_METHODS)), "incasso", required=True, filled=True,
            checks=[choice("betaalwijze", list(PAYMENT_METHODS))],
        ),
    ],
    joins="""
        LEFT JOIN customers_subscription AS taken ON taken.source_id = %(source)s
            AND taken.number = r.abonnementnummer AND taken.customer_id <> known.customer_id
    """,
    checks=[
        Check("order", "customers_read_date(r.einddatum) < customers_read_date(r.begindatum)", "einddatum"),
        Check("other_customer", "taken.id IS NOT NULL", "abonnementnummer"),
    ],
    unique="abonnementnummer",
    persons=("klantnummer",),
    write=write_subscriptions,
    undo=undo_subscriptions,
)  # fmt: skip
FORMATS.register(SUBSCRIPTIONS)
