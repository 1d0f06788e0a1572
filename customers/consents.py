"""What a customer allows: the rules of the ledger, once in Python to explain and once in SQL to decide for
many.

The ledger is append-only. For each purpose and channel the latest row by ``event_at`` counts; at a tie the
refusal does. Only where the ledger is silent does a basis follow from what we know of the customer:

- service (AVG 6(1)(b), the contract): always for members, who cannot opt out of what their membership
  needs, as the right to object of AVG 21(1) does not reach this basis; for former members and newsletter
  contacts until they refuse; for prospects only with a yes, since there is no relation;
- marketing by e-mail (Tw 11.7, third paragraph): members with a payment obligation, that is a subscription
  with a price that runs; by post (AVG 6(1)(f)): members and former members until they object (AVG 21(2)); by
  phone and SMS only with a yes (Tw 11.7, first paragraph);
- opt-in purposes (newsletters, profiling): only with a yes.

A refusal always beats an inferred basis. Age is no matter of permission and is asked by the gate.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction
from django.utils import formats, timezone
from django.utils.translation import gettext as _

from common.errors import Refused
from common.time import local_date
from customers.models import Channel, Consent, Customer, Purpose, Source, Subscription

ALLOWED, NO_PERMISSION, WITHDRAWN, OBJECTION = "allowed", "no_permission", "withdrawn", "objection"
CONSENT, CUSTOMER_RELATION = "consent", "customer_relation"
SERVICE, LEGITIMATE_INTEREST = "service", "legitimate_interest"

# At a tie the first of these counts.
STRICTEST_FIRST = (Consent.State.OBJECTED, Consent.State.WITHDRAWN, Consent.State.GRANTED)
_REFUSALS = {Consent.State.OBJECTED: OBJECTION, Consent.State.WITHDRAWN: WITHDRAWN}


def latest(consents: Iterable[Consent], *, as_of: dt.datetime) -> Consent | None:
    """Return the row that counts at ``as_of`` among rows of one customer, purpose and channel."""
    known = [consent for consent in consents if consent.event_at <= as_of]
    return max(known, key=lambda row: (row.event_at, -_strictness(row)), default=None)


def _strictness(consent: Consent) -> int:
    return STRICTEST_FIRST.index(Consent.State(consent.state))


def judge(*, rule: str, channel: str, state: str | None, kind: str, has_paid: bool) -> tuple[str, str]:
    """Return (verdict, basis) for one customer; ``state`` is that of the row that counts, None when there is
    none.
    """
    basis = _basis(rule, channel, state, kind, has_paid)
    if basis:
        return ALLOWED, basis
    return (_REFUSALS[Consent.State(state)] if state else NO_PERMISSION), ""


def _basis(rule: str, channel: str, state: str | None, kind: str, has_paid: bool) -> str:
    if rule == Purpose.Rule.SERVICE and kind == Customer.Kind.MEMBER:
        return SERVICE
    if state:
        return CONSENT if state == Consent.State.GRANTED else ""
    if rule == Purpose.Rule.SERVICE:
        return SERVICE if kind != Customer.Kind.PROSPECT else ""
    if rule == Purpose.Rule.MARKETING and channel == Channel.EMAIL:
        return CUSTOMER_RELATION if kind == Customer.Kind.MEMBER and has_paid else ""
    if rule == Purpose.Rule.MARKETING and channel == Channel.POST:
        return LEGITIMATE_INTEREST if kind in (Customer.Kind.MEMBER, Customer.Kind.FORMER) else ""
    return ""


def verdicts_sql(candidates_sql: str, *, purpose: Purpose, channel: str, as_of: dt.datetime) -> str:
    """Return SQL text that yields ``customer_id, verdict, basis`` for every candidate; the twin of ``judge``.

    The first column of ``candidates_sql`` is the customer's id. All values are bound and percent signs
    doubled, so the text stands inside a statement that is executed with parameters.
    """
    values = {
        "purpose": purpose.pk,
        "channel": Channel(channel).value,
        "as_of": as_of,
        "day": local_date(as_of),
        "strictest_first": [state.value for state in STRICTEST_FIRST],
    }
    statement = f"""
        WITH candidate AS (SELECT customer_id FROM ({{candidates}}) AS given (customer_id)),
        counting AS (
            SELECT DISTINCT ON (customer_id) customer_id, ledger.state
            FROM candidate JOIN customers_consent AS ledger USING (customer_id)
            WHERE ledger.purpose_id = %(purpose)s AND ledger.channel = %(channel)s
                AND ledger.event_at <= %(as_of)s
            ORDER BY customer_id, ledger.event_at DESC,
                array_position(%(strictest_first)s, ledger.state::text)
        ),
        based AS (
            SELECT candidate.customer_id, counting.state, {_basis_sql(purpose.rule, channel)} AS basis
            FROM candidate
            JOIN customers_customer AS customer ON customer.id = candidate.customer_id
            LEFT JOIN counting ON counting.customer_id = candidate.customer_id
        )
        SELECT customer_id, basis, CASE
            WHEN basis <> '' THEN '{ALLOWED}'
            WHEN state = 'objected' THEN '{OBJECTION}'
            WHEN state = 'withdrawn' THEN '{WITHDRAWN}'
            ELSE '{NO_PERMISSION}' END AS verdict
        FROM based
    """  # noqa: S608 - every value is bound by mogrify; the rest is ours
    with connection.cursor() as cursor:
        text: bytes | str = cursor.mogrify(statement, values)
    bound = (text.decode() if isinstance(text, bytes) else text).replace("%", "%%")
    return bound.replace("{candidates}", candidates_sql)


def _basis_sql(rule: str, channel: str) -> str:
    """Return the expression for the basis, empty text for none; only the branch of this rule and channel is
    written.
    """
    said_yes = f"WHEN counting.state = 'granted' THEN '{CONSENT}' WHEN counting.state IS NOT NULL THEN ''"
    if rule == Purpose.Rule.SERVICE:
        return f"""CASE WHEN customer.kind = 'member' THEN '{SERVICE}' {said_yes}
            WHEN customer.kind <> 'prospect' THEN '{SERVICE}' ELSE '' END"""
    if rule == Purpose.Rule.MARKETING and channel == Channel.EMAIL:
        return f"""CASE {said_yes} WHEN customer.kind = 'member' AND EXISTS (
                SELECT FROM customers_subscription AS subscription
                WHERE subscription.customer_id = candidate.customer_id AND subscription.price_cents > 0
                AND subscription.started_on <= %(day)s
                AND (subscription.ended_on IS NULL OR subscription.ended_on >= %(day)s)
            ) THEN '{CUSTOMER_RELATION}' ELSE '' END"""
    if rule == Purpose.Rule.MARKETING and channel == Channel.POST:
        return f"""CASE {said_yes}
            WHEN customer.kind IN ('member', 'former') THEN '{LEGITIMATE_INTEREST}' ELSE '' END"""
    return f"CASE {said_yes} ELSE '' END"


@dataclass(frozen=True)
class State:
    """What holds now for one purpose and channel, with the row it follows from and the reason in words."""

    purpose: Purpose
    channel: Channel
    verdict: str
    basis: str
    consent: Consent | None
    explanation: str

    @property
    def is_allowed(self) -> bool:
        """Whether the customer may be reached."""
        return self.verdict == ALLOWED


def channels_of(purpose: Purpose) -> list[Channel]:
    """Return the channels over which this purpose is asked for; opt-in purposes are digital."""
    return [Channel.EMAIL] if purpose.rule == Purpose.Rule.OPT_IN else list(Channel)


def states_of(customer: Customer, *, now: dt.datetime) -> list[State]:
    """Return the present state for each purpose and channel, in three queries; channels with a history are
    never left out.
    """
    ledger: dict[tuple[int, str], list[Consent]] = {}
    for consent in Consent.objects.filter(customer=customer).select_related("source"):
        ledger.setdefault((consent.purpose_id, consent.channel), []).append(consent)
    subscriptions = Subscription.objects.filter(customer=customer)
    has_paid = subscriptions.paid().active_on(local_date(now)).exists()
    return [
        _state(customer, purpose, channel, ledger.get((purpose.pk, channel), []), has_paid, now)
        for purpose in Purpose.objects.all()
        for channel in Channel
        if channel in channels_of(purpose) or (purpose.pk, channel) in ledger
    ]


def _state(
    customer: Customer,
    purpose: Purpose,
    channel: Channel,
    rows: list[Consent],
    has_paid: bool,
    now: dt.datetime,
) -> State:
    consent = latest(rows, as_of=now)
    verdict, basis = judge(
        rule=purpose.rule,
        channel=channel,
        state=consent.state if consent else None,
        kind=customer.kind,
        has_paid=has_paid,
    )
    return State(purpose, channel, verdict, basis, consent, explain(verdict, basis, consent))


def explain(verdict: str, basis: str, consent: Consent | None) -> str:
    """Return in the active language why this verdict holds."""
    if basis == SERVICE and consent and consent.state != Consent.State.GRANTED:
        return _("Allowed: members get messages that belong to their membership, also after a refusal.")
    if basis == SERVICE:
        return _("Allowed: these messages belong to the service and need no permission.")
    if basis == CUSTOMER_RELATION:
        return _("Allowed: has a paid subscription and has not said no (customer relation).")
    if basis == LEGITIMATE_INTEREST:
        return _("Allowed: is or was a member and has not objected to post.")
    if consent is None:
        return _("Not allowed: has never said yes to this.")
    said = {
        ALLOWED: _("Allowed: said yes on %(date)s through %(source)s."),
        WITHDRAWN: _("Not allowed: said no on %(date)s through %(source)s."),
        OBJECTION: _("Not allowed: objected on %(date)s through %(source)s."),
    }[verdict]
    day = formats.date_format(timezone.localtime(consent.event_at), "DATE_FORMAT")
    return said % {"date": day, "source": consent.source}


@transaction.atomic
def record_consent(
    customer: Customer,
    *,
    purpose: Purpose,
    channel: str,
    state: str,
    source_code: str,
    actor: str,
    event_at: dt.datetime,
    wording_version: str = "",
    evidence: dict[str, Any] | None = None,
) -> Consent:
    """Add a row to the ledger and return it; the same event told twice is one row.

    ``actor`` is a user name, "customer" or "import 12". Raises Refused for an unknown channel, state or
    source.
    """
    if channel not in Channel.values or state not in Consent.State.values:
        raise Refused("unknown_consent", _("This channel or answer does not exist."))
    source = Source.objects.filter(code=source_code).first()
    if source is None:
        raise Refused("unknown_source", _("The source “%s” does not exist.") % source_code, field="source")
    consent, _created = Consent.objects.get_or_create(
        customer=customer,
        purpose=purpose,
        channel=channel,
        state=state,
        source=source,
        event_at=event_at,
        defaults={"actor": actor, "wording_version": wording_version, "evidence": evidence or {}},
    )
    return consent
