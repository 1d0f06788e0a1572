"""Take vouchers in, once, however often it is asked; every refusal is kept."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from common import sql
from common.errors import Refused
from common.time import AMSTERDAM, local_date
from customers.actions import record_fact
from customers.models import Branch, Customer
from customers.numbers import find
from vouchers import benefits, codes
from vouchers.actions.codes import lock_voucher
from vouchers.facts import REDEMPTION, SOURCE
from vouchers.models import Attempt, Definition, Redemption, Voucher
from vouchers.refusals import refusal

MISSES_PER_MINUTE = 10
COUNTER = "counter"  # the channel where staff see the customer and may go by the name on the voucher


@dataclass(frozen=True)
class Offer:
    """What a code is worth here and now; ``discount_cents`` is None while the amount of the order is not known."""

    voucher: Voucher
    customer: Customer | None
    discount_cents: int | None


@dataclass(frozen=True)
class Asked:
    """All that somebody asked, so that it can be judged, noted and compared as one thing."""

    code: str
    branch: Branch | None
    staff: User | None
    channel: str
    customer_number: str
    order_cents: int | None
    reference: str = ""

    @property
    def fingerprint(self) -> str:
        """A digest that is the same only for the same question."""
        parts = [
            self.code, self.branch and self.branch.pk, self.staff and self.staff.pk, self.channel, self.customer_number,
            self.order_cents, self.reference,
        ]  # fmt: skip
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def check(
    code: str,
    *,
    branch: Branch | None,
    staff: User | None,
    channel: str,
    customer_number: str = "",
    order_cents: int | None = None,
    now: dt.datetime,
) -> Offer:
    """Tell what a code is worth without taking it in; raises Refused as ``redeem`` does, and notes that too."""
    asked = Asked(codes.normalise(code)[:40], branch, staff, channel, customer_number.strip(), order_cents)
    with _noting_refusals(asked, now), transaction.atomic(durable=True):
        _refuse_guessing(asked, now)
        return _examine(asked, now, lock=False)


def redeem(
    code: str,
    *,
    branch: Branch | None,
    staff: User | None,
    channel: str,
    order_cents: int | None = None,
    customer_number: str = "",
    reference: str = "",
    idempotency_key: str,
    now: dt.datetime,
) -> Redemption:
    """Take a voucher in. The same key with the same details gives the redemption that is there already.

    Must not run inside a transaction: a refusal rolls the redemption back, yet the Attempt has to stay. Raises Refused
    with a code of ``Attempt.Reason``, or ``order_needed`` (which is no attempt: the form was not complete).
    """
    if not idempotency_key:
        raise ValueError("a redemption needs an idempotency key")
    asked = Asked(codes.normalise(code)[:40], branch, staff, channel, customer_number.strip(), order_cents, reference)
    with _noting_refusals(asked, now), transaction.atomic(durable=True):
        # 1. Requests with the same key wait for each other, whatever code they carry.
        sql.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [idempotency_key])
        known = Redemption.objects.filter(idempotency_key=idempotency_key).first()
        if known:
            return _same_or_refused(known, asked)
        # 2. Judge under lock, 3. write.
        _refuse_guessing(asked, now)
        offer = _examine(asked, now, lock=True)
        if offer.discount_cents is None:
            raise Refused("order_needed", _("Fill in the amount of the order first."), field="order_cents")
        return _write(offer, offer.discount_cents, asked, idempotency_key, now)


def _same_or_refused(known: Redemption, asked: Asked) -> Redemption:
    if known.fingerprint != asked.fingerprint:
        raise refusal("key_reused")
    return known


@contextmanager
def _noting_refusals(asked: Asked, now: dt.datetime) -> Iterator[None]:
    """Keep an Attempt for each refusal, in a transaction of its own after the other was rolled back."""
    try:
        yield
    except Refused as refused:
        if refused.code in Attempt.Reason.values:
            Attempt.objects.create(
                code=asked.code,
                voucher=Voucher.objects.filter(code=asked.code).first(),
                reason=refused.code,
                branch=asked.branch,
                staff=asked.staff,
                channel=asked.channel,
                tried_at=now,
            )
        raise


def _refuse_guessing(asked: Asked, now: dt.datetime) -> None:
    """Stop a counter (this account at this branch) after too many misses in a minute."""
    misses = Attempt.objects.misses_since(now - dt.timedelta(minutes=1))
    misses = misses.filter(staff=asked.staff, branch=asked.branch, channel=asked.channel)
    if misses.count() >= MISSES_PER_MINUTE:
        raise refusal("too_many_attempts")


def _examine(asked: Asked, now: dt.datetime, *, lock: bool) -> Offer:
    """Judge code, definition, day, holder, branch and limit, in that order; the first fault is the refusal."""
    found = Voucher.objects.select_related("definition").filter(code=asked.code).first()
    if found is None:
        raise refusal("unknown")
    voucher = lock_voucher(found.pk, found.definition_id) if lock else found
    _refuse_unfit_code(voucher, local_date(now))
    customer = _holder(voucher, asked)
    _refuse_wrong_branch(voucher.definition, asked.branch)
    _refuse_above_limit(voucher.definition)
    missing_order = voucher.definition.needs_order and asked.order_cents is None
    discount = None if missing_order else benefits.discount_cents(voucher.definition, asked.order_cents)
    return Offer(voucher, customer, discount)


def _refuse_unfit_code(voucher: Voucher, today: dt.date) -> None:
    states, definition = Definition.State, voucher.definition
    if voucher.state == Voucher.State.BLOCKED:
        raise refusal("blocked")
    if voucher.uses >= definition.uses_per_code:
        raise _used(voucher)
    if voucher.valid_until and voucher.valid_until < today:
        raise refusal("expired", until=date_format(voucher.valid_until))
    if definition.state == states.PAUSED:
        raise refusal("definition_paused")
    if definition.state != states.ACTIVE:
        raise refusal("definition_closed")
    if voucher.valid_from > today:
        raise refusal("not_yet_valid", since=date_format(voucher.valid_from))


def _used(voucher: Voucher) -> Refused:
    last = voucher.redemptions.standing().select_related("branch").first()
    when = date_format(last.redeemed_at.astimezone(AMSTERDAM), "j F Y H:i") if last else "–"
    return refusal("used", when=when, where=last.branch.name if last and last.branch else _("online"))


def _holder(voucher: Voucher, asked: Asked) -> Customer | None:
    """Return whose redemption it is: of the number that was given, else of the name on the voucher."""
    # A voucher may have stayed behind with a row that was merged into this person's.
    own = voucher.customer and (voucher.customer.merged_into or voucher.customer)
    bound = voucher.definition.holder == Definition.Holder.CUSTOMER and own is not None
    if not asked.customer_number:
        if bound and asked.channel != COUNTER:
            raise refusal("customer_needed")
        return own
    customer = find(asked.customer_number)
    if customer is None:
        raise refusal("unknown_customer", number=asked.customer_number)
    if bound and customer != own:
        raise refusal("other_customer")
    return customer


def _refuse_wrong_branch(definition: Definition, branch: Branch | None) -> None:
    allowed = {allowed.pk: allowed.name for allowed in definition.branches.all()}
    if allowed and (branch is None or branch.pk not in allowed):
        raise refusal("wrong_branch", branches=", ".join(sorted(allowed.values())))


def _refuse_above_limit(definition: Definition) -> None:
    limit = definition.limit_total
    if limit is not None and Voucher.objects.filter(definition=definition).used_count() >= limit:
        raise refusal("limit", limit=limit)


def _write(offer: Offer, discount_cents: int, asked: Asked, key: str, now: dt.datetime) -> Redemption:
    """Count the use, write the redemption, and the fact about the customer, together."""
    voucher = offer.voucher
    voucher.uses += 1
    if voucher.uses >= voucher.definition.uses_per_code:
        voucher.state = Voucher.State.REDEEMED
    voucher.save(update_fields=["uses", "state"])
    redemption = Redemption.objects.create(
        voucher=voucher,
        customer=offer.customer,
        branch=asked.branch,
        staff=asked.staff,
        channel=asked.channel,
        order_cents=asked.order_cents,
        discount_cents=discount_cents,
        reference=asked.reference,
        idempotency_key=key,
        fingerprint=asked.fingerprint,
        redeemed_at=now,
    )
    if offer.customer:
        record_fact(
            offer.customer,
            kind=REDEMPTION.code,
            occurred_at=now,
            source_code=SOURCE,
            external_id=f"redemption:{redemption.pk}",
            branch=asked.branch,
            amount_cents=discount_cents,
        )
    return redemption
