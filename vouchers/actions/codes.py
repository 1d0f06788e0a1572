"""Take a redemption back, and block a code."""

from __future__ import annotations

import datetime as dt

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext as _

from common.errors import Refused
from customers.actions import record_fact
from vouchers.facts import REVERSAL, SOURCE
from vouchers.models import Definition, Redemption, Reversal, Voucher


def lock_voucher(voucher_id: int, definition_id: int) -> Voucher:
    """Lock the definition, then the code (always in this order, so that nobody waits in a circle); return the code."""
    definition = Definition.objects.select_for_update(no_key=True).get(pk=definition_id)
    voucher = Voucher.objects.select_for_update(no_key=True).get(pk=voucher_id)
    voucher.definition = definition
    return voucher


@transaction.atomic
def reverse_redemption(redemption: Redemption, *, reason: str, staff: User | None, now: dt.datetime) -> Reversal:
    """Take a redemption back, once; the code can be used again if it is still valid.

    Raises Refused: reason_needed, already_reversed.
    """
    if not reason.strip():
        raise Refused("reason_needed", _("Say why you take it back: it will stand in the report."), field="reason")
    voucher = lock_voucher(redemption.voucher_id, redemption.voucher.definition_id)
    if Reversal.objects.filter(redemption=redemption).exists():
        raise Refused("already_reversed", _("This redemption has been taken back already. Nothing was changed."))
    voucher.uses -= 1
    if voucher.state == Voucher.State.REDEEMED:
        voucher.state = Voucher.State.ISSUED
    voucher.save(update_fields=["uses", "state"])
    reversal = Reversal.objects.create(redemption=redemption, reason=reason.strip()[:200], staff=staff, reversed_at=now)
    if redemption.customer:
        record_fact(
            redemption.customer,
            kind=REVERSAL.code,
            occurred_at=now,
            source_code=SOURCE,
            external_id=f"reversal:{reversal.pk}",
            branch=redemption.branch,
        )
    return reversal


@transaction.atomic
def block_voucher(voucher: Voucher, *, reason: str, by: User | None, now: dt.datetime) -> Voucher:
    """Make a code worthless for good; what was redeemed with it stands.

    Raises Refused: reason_needed, already_blocked.
    """
    if not reason.strip():
        raise Refused("reason_needed", _("Say why you block it, so that a colleague can explain it."), field="reason")
    fresh = lock_voucher(voucher.pk, voucher.definition_id)
    if fresh.state == Voucher.State.BLOCKED:
        raise Refused("already_blocked", _("This code has been blocked already."))
    fresh.state, fresh.block_reason = Voucher.State.BLOCKED, reason.strip()[:200]
    fresh.blocked_by, fresh.blocked_at = by, now
    fresh.save(update_fields=["state", "block_reason", "blocked_by", "blocked_at"])
    return fresh
