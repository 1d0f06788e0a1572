"""The state of one customer for each purpose and channel at a moment, with the reason in words."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.utils import formats, timezone
from django.utils.translation import gettext as _

from common.time import local_date
from customers.consents.channels import grounds_at
from customers.consents.rules import (
    ALLOWED,
    CUSTOMER_RELATION,
    DECEASED,
    LEGITIMATE_INTEREST,
    OBJECTION,
    PROCESSING,
    RESTRICTED,
    SERVICE,
    UNDER_AGE,
    WITHDRAWN,
    Basis,
    asks_guardian,
    is_child,
    is_void,
    judge,
    latest,
)
from customers.models import Channel, Consent, Customer, Purpose, Subscription


@dataclass(frozen=True)
class State:
    """What holds now for one purpose and channel, with the row it follows from and the reason in words.

    ``guardian`` is the parent who gave the answer that counts. ``asks_guardian``: the customer is a child now, and only
    a parent can say yes to this.
    """

    purpose: Purpose
    channel: Channel
    verdict: str
    basis: str
    consent: Consent | None
    explanation: str
    guardian: Customer | None = None
    asks_guardian: bool = False

    @property
    def is_allowed(self) -> bool:
        """Whether the customer may be reached."""
        return self.verdict == ALLOWED


def states_of(customer: Customer, *, now: dt.datetime) -> list[State]:
    """Return the state at ``now`` for each purpose and channel that was used then, in four queries and one more when a
    parent answered; channels with a history are never left out. What sort of customer it is, is that of today.
    """
    rows = list(Consent.objects.filter(customer=customer).select_related("source"))
    guardians = _guardians(rows)
    has_paid = Subscription.objects.filter(customer=customer).paid().active_on(local_date(now)).exists()
    ledger: dict[tuple[int, str], list[Consent]] = {}
    found = []
    purposes = list(Purpose.objects.all())
    grounds = grounds_at(now)
    processing = {purpose.pk for purpose in purposes if purpose.code in PROCESSING}
    for row in rows:
        # what is said about being profiled counts whatever channel it was said over
        channel = Channel.EMAIL if row.purpose_id in processing else row.channel
        ledger.setdefault((row.purpose_id, channel), []).append(row)
    for purpose in purposes:
        for channel in Channel:
            said, basis = ledger.get((purpose.pk, channel), []), grounds.get((purpose.pk, channel))
            if said or basis not in (None, Basis.NONE):
                basis = basis or Basis.CONSENT.value
                found.append(_state(customer, purpose, channel, basis, said, guardians, has_paid, now))
    return found


def _guardians(rows: Sequence[Consent]) -> dict[int, Customer]:
    ids = {row.guardian_id for row in rows if row.guardian_id}
    return Customer.everyone.in_bulk(ids) if ids else {}


def _state(
    customer: Customer,
    purpose: Purpose,
    channel: Channel,
    basis: str,
    rows: list[Consent],
    guardians: dict[int, Customer],
    has_paid: bool,
    now: dt.datetime,
) -> State:
    asks = asks_guardian(purpose, channel)
    valid = [row for row in rows if not (asks and is_void(row, birth_date=customer.birth_date))]
    consent, day = latest(valid, as_of=now), local_date(now)
    verdict, ground = judge(
        basis=basis,
        state=consent.state if consent else None,
        kind=customer.kind,
        has_paid=has_paid,
        by_child=consent is None and latest(rows, as_of=now) is not None,
        is_restricted=customer.restricted_at is not None and customer.restricted_at <= now,
        is_deceased=customer.deceased_on is not None and customer.deceased_on <= day,
    )
    child = is_child(customer.birth_date, on=day)
    guardian = guardians.get(consent.guardian_id) if consent and consent.guardian_id else None
    words = explain(
        verdict, ground, consent, is_unused=basis == Basis.NONE, guardian=guardian, has_grown=not child,
        purpose=purpose,
    )  # fmt: skip
    return State(purpose, channel, verdict, ground, consent, words, guardian, asks and child)


def explain(
    verdict: str,
    basis: str,
    consent: Consent | None,
    *,
    is_unused: bool = False,
    guardian: Customer | None = None,
    has_grown: bool = False,
    purpose: Purpose | None = None,
) -> str:
    """Return in the active language why this verdict holds: the rule, or what was said, when, through what, in answer
    to which wording and by which parent. ``has_grown``: 16 or older by now.
    """
    if reason := _reason_apart(verdict, basis, consent, is_unused, purpose):
        return reason
    if consent is None:
        return _("Not allowed: has never said yes to this.")
    said = {
        ALLOWED: _("Allowed: said yes on %(date)s through %(source)s."),
        WITHDRAWN: _("Not allowed: said no on %(date)s through %(source)s."),
        OBJECTION: _("Not allowed: objected on %(date)s through %(source)s."),
    }[verdict]
    day = formats.date_format(timezone.localtime(consent.event_at), "DATE_FORMAT")
    sentences = [said % {"date": day, "source": consent.source}]
    if consent.wording_version:
        sentences.append(_("Wording: version %(version)s.") % {"version": consent.wording_version})
    if consent.guardian_id:
        name = str(guardian) if guardian else _("a parent")
        sentences.append(_("%(name)s answered as parent or guardian.") % {"name": name})
        if has_grown:
            sentences.append(_("It holds until the customer, who is 16 or older by now, says otherwise."))
    return " ".join(sentences)


def _reason_apart(
    verdict: str, basis: str, consent: Consent | None, is_unused: bool, purpose: Purpose | None
) -> str:  # fmt: skip
    """Return the reason when it lies in a rule and not in what the customer said; empty text otherwise."""
    if verdict == RESTRICTED:
        return _("Not allowed: the use of this customer's data is restricted.")
    if verdict == DECEASED:
        return _("Not allowed: this customer has died.")
    if verdict == UNDER_AGE:
        return _("Not allowed: the yes is of a child under 16; a parent or guardian must give it.")
    if is_unused and verdict not in (WITHDRAWN, OBJECTION):
        return _("Not allowed: this channel is not used for this purpose.")
    if basis == SERVICE and consent and consent.state != Consent.State.GRANTED:
        return _("Allowed: members get messages that belong to their membership, also after a refusal.")
    if basis == SERVICE:
        return _("Allowed: these messages belong to the service and need no permission.")
    if basis == CUSTOMER_RELATION:
        return _("Allowed: has a paid subscription and has not said no (customer relation).")
    if basis == LEGITIMATE_INTEREST and purpose and purpose.code in PROCESSING:
        return _("Allowed: is or was a member and has not objected to it (legitimate interest).")
    if basis == LEGITIMATE_INTEREST:
        return _("Allowed: is or was a member and has not objected to post.")
    return ""
