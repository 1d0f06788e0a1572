"""The rules without a database: which row counts, and what follows from it. ``verdicts`` is the same in SQL."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from common.time import local_date
from customers.models import Channel, Consent, Customer, Purpose, PurposeChannel

ALLOWED, NO_PERMISSION, WITHDRAWN, OBJECTION = "allowed", "no_permission", "withdrawn", "objection"
RESTRICTED, DECEASED, UNDER_AGE = "restricted", "deceased", "under_age"
CONSENT, CUSTOMER_RELATION = "consent", "customer_relation"
SERVICE, LEGITIMATE_INTEREST = "service", "legitimate_interest"

#: Purposes that are about what we do with data, not about being written to; asked for once, not per channel.
PROFILING, OPEN_TRACKING = "profiling", "open_tracking"
PROCESSING = frozenset({PROFILING, OPEN_TRACKING})
#: From this age on somebody decides for himself (AVG 8, UAVG 5).
AGE_OF_CONSENT = 16

# At a tie the first of these counts.
STRICTEST_FIRST = (Consent.State.OBJECTED, Consent.State.WITHDRAWN, Consent.State.GRANTED)
REFUSALS = {Consent.State.OBJECTED: OBJECTION, Consent.State.WITHDRAWN: WITHDRAWN}
Basis = PurposeChannel.Basis


def asks_guardian(purpose: Purpose, channel: str) -> bool:
    """Whether a child's yes must come from a parent: all but service and paper (AVG 8 is about online services)."""
    return purpose.rule != Purpose.Rule.SERVICE and channel != Channel.POST


def age_of_consent(birth_date: dt.date) -> dt.date:
    """Return the day from which somebody born on that date decides for himself."""
    try:
        return birth_date.replace(year=birth_date.year + AGE_OF_CONSENT)
    except ValueError:
        return dt.date(birth_date.year + AGE_OF_CONSENT, 2, 28)  # as PostgreSQL counts it


def is_child(birth_date: dt.date | None, *, on: dt.date) -> bool:
    """Whether somebody is under 16 on that day; who did not tell a birth date is not."""
    return birth_date is not None and on < age_of_consent(birth_date)


def standing(consents: Iterable[Consent], *, as_of: dt.datetime) -> list[Consent]:
    """Return the answers that were given by ``as_of`` and not retracted by then."""
    known = [consent for consent in consents if consent.event_at <= as_of]
    retracted = {consent.retracts_id for consent in known if consent.state == Consent.State.RETRACTED}
    return [row for row in known if row.state != Consent.State.RETRACTED and row.pk not in retracted]


def is_void(consent: Consent, *, birth_date: dt.date | None) -> bool:
    """Whether a yes is that of a child for whom a parent must answer; the caller asks ``asks_guardian`` first."""
    by_itself = consent.state == Consent.State.GRANTED and consent.guardian_id is None
    return by_itself and is_child(birth_date, on=local_date(consent.event_at))


def latest(consents: Iterable[Consent], *, as_of: dt.datetime) -> Consent | None:
    """Return the row that counts at ``as_of`` among rows of one customer, purpose and channel."""
    return max(standing(consents, as_of=as_of), key=lambda row: (row.event_at, -_strictness(row)), default=None)


def _strictness(consent: Consent) -> int:
    return STRICTEST_FIRST.index(Consent.State(consent.state))


def judge(
    *,
    basis: str,
    state: str | None,
    kind: str,
    has_paid: bool,
    by_child: bool = False,
    is_restricted: bool = False,
    is_deceased: bool = False,
) -> tuple[str, str]:
    """Return (verdict, basis) for one customer. ``basis`` is the one that holds for the purpose and channel
    (``grounds_at``), ``state`` that of the row that counts, None when there is none; ``by_child``: all
    there is, is a yes that a parent should have given.
    """
    if is_restricted or is_deceased:
        return (RESTRICTED if is_restricted else DECEASED), ""
    found = _basis(basis, state, kind, has_paid)
    if found:
        return ALLOWED, found
    if state in REFUSALS:
        return REFUSALS[Consent.State(state)], ""
    return (UNDER_AGE if by_child and basis != Basis.NONE else NO_PERMISSION), ""


def _basis(basis: str, state: str | None, kind: str, has_paid: bool) -> str:
    if basis == Basis.NONE:
        return ""
    if basis == Basis.SERVICE and kind == Customer.Kind.MEMBER:
        return SERVICE
    if state:
        return CONSENT if state == Consent.State.GRANTED else ""
    inferred = {
        Basis.SERVICE: (SERVICE, kind != Customer.Kind.PROSPECT),
        Basis.RELATION: (CUSTOMER_RELATION, kind == Customer.Kind.MEMBER and has_paid),
        Basis.INTEREST: (LEGITIMATE_INTEREST, kind in (Customer.Kind.MEMBER, Customer.Kind.FORMER)),
    }
    name, holds = inferred.get(Basis(basis), ("", False))
    return name if holds else ""
