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
        # No dash is ever typed as a code, so nobody can redeem it any more; what was redeemed stays in the books.
        scrub={
            "code": "'-' || id",
            # Another system wrote this; it may tell whose it was.
            "origin": "CASE WHEN origin LIKE 'api:%%' THEN 'api:-' || id ELSE origin END",
            "state": "CASE WHEN state = 'issued' THEN 'blocked' ELSE state END",
            "block_reason": "''",
        },
        about=_("Vouchers we gave you."),
        latest="issued_at",
        shown={
            "definition_id": _("voucher"),
            "code": _("code"),
            "issued_at": _("issued at"),
            "valid_from": _("valid from"),
            "valid_until": _("valid until"),
            "uses": _("uses"),
            "state": _("state"),
            "block_reason": _("why blocked"),
        },
    ),
    PersonalTable(
        "vouchers_redemption",
        _("Redeemed vouchers"),
        merge="stay",  # a book of what happened, which the database lets nobody change
        erase="forget",
        scrub={"reference": "''", "idempotency_key": "'erased-' || id", "fingerprint": "''"},
        about=_("Where and when a voucher of yours was handed in."),
        words={"channel": {"counter": _("counter"), "cart": _("web shop"), "api": _("till")}},
        latest="redeemed_at",
        shown={
            "branch_id": _("branch"),
            "channel": _("channel"),
            "order_cents": _("order amount"),
            "discount_cents": _("discount"),
            "reference": _("receipt number"),
            "redeemed_at": _("redeemed at"),
        },
    ),
    PersonalTable(
        "vouchers_reversal",
        _("Redemptions taken back"),
        column="redemption_id",
        holds="parent",
        of="vouchers_redemption",
        merge="stay",
        erase="forget",
        scrub={"reason": "''"},
        shown={"reason": _("reason"), "reversed_at": _("reversed at")},
    ),
    PersonalTable(
        "vouchers_attempt",
        _("Refused attempts to redeem"),
        column="voucher_id",
        holds="parent",
        of="vouchers_voucher",
        merge="stay",
        erase="forget",
        scrub={"code": "''"},
        shown={"reason": _("reason"), "branch_id": _("branch"), "tried_at": _("when")},
    ),
)

for table in TABLES:
    personal_tables.register(table)
