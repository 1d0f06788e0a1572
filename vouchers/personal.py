"""The tables of vouchers with rows about a person. The books stay when the person goes."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from common.personal import PersonalTable, personal_tables

TABLES = (
    PersonalTable(
        "vouchers_voucher",
        _("Vouchers"),
        unique=(("definition_id", "origin"),),
        erase="forget",
        shown={
            "code": _("code"),
            "issued_at": _("issued at"),
            "valid_from": _("valid from"),
            "valid_until": _("valid until"),
            "uses": _("uses"),
            "state": _("state"),
        },
    ),
    PersonalTable(
        "vouchers_redemption",
        _("Redeemed vouchers"),
        merge="stay",  # a book of what happened, which the database lets nobody change
        erase="forget",
        scrub={"reference": "''"},
        shown={
            "branch_id": _("branch"),
            "channel": _("channel"),
            "order_cents": _("order amount"),
            "discount_cents": _("discount"),
            "redeemed_at": _("redeemed at"),
        },
    ),
)

for table in TABLES:
    personal_tables.register(table)
