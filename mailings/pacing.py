"""How many messages may leave now: allowances that grow with time, in the database, so that all workers share them.

Whoever takes is charged at once; what a crash leaves unused is lost, which errs on the slow side.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from common.sql import rows
from mailings.models import DomainLimit, Relay
from mailings.rendering import Recipient

#: What may leave at once after a silence, as a part of what may in a second (relays) or a minute (domains). What a
#: relay gets stays right on average, and within a fifth in any second; of a domain's limit it is taken off, so that no
#: minute ever has more.
RELAY_BURST, DOMAIN_BURST = 0.2, 0.1
#: Nobody is put off for longer: the limit may be another by then. Who comes back too early waits once more.
LONGEST_WAIT_SECONDS = 600

# The lock first: whoever waits for it then reads what the other left.
_TAKE = """
    WITH mine AS (SELECT * FROM {table} WHERE id = %(id)s FOR UPDATE),
    grown AS (
        SELECT id, least(
            %(burst)s, allowance + %(rate)s * extract(epoch FROM clock_timestamp() - allowance_at)) AS level FROM mine
    ),
    granted AS (SELECT id, level, least(%(wanted)s, greatest(floor(level), 0)) AS count FROM grown)
    UPDATE {table} AS pace SET allowance = granted.level - granted.count, allowance_at = clock_timestamp()
    FROM granted WHERE pace.id = granted.id
    RETURNING granted.count::int AS count, pace.allowance AS left
"""


def take_from_relay(relay_id: int, *, per_second: int, wanted: int) -> int:
    """Return how many of the wanted messages may leave over a relay now."""
    burst = max(1, per_second * RELAY_BURST)
    return _take(Relay._meta.db_table, relay_id, rate=per_second, burst=burst, wanted=wanted)[0]


def take_from_domain(limit: DomainLimit, *, wanted: int) -> int:
    """Return how many of the wanted messages may leave for a domain now."""
    return _take_from_domain(limit, wanted)[0]


def _take_from_domain(limit: DomainLimit, wanted: int) -> tuple[int, float]:
    burst = max(1.0, limit.per_minute * DOMAIN_BURST)
    return _take(DomainLimit._meta.db_table, limit.pk, rate=1 / _gap(limit), burst=burst, wanted=wanted)


def _gap(limit: DomainLimit) -> float:
    """Return how many seconds lie between two messages to a domain when many wait."""
    return 60 / (limit.per_minute * (1 - DOMAIN_BURST))


def _take(table: str, pk: int, *, rate: float, burst: float, wanted: int) -> tuple[int, float]:
    """Return how many are granted, and how much of an allowance is left then."""
    values = {"id": pk, "rate": rate, "burst": burst, "wanted": wanted}
    found = rows(_TAKE.format(table=table), values)
    if not found:
        return wanted, 0.0  # a limit that was removed meanwhile limits nothing
    return int(found[0]["count"]), float(found[0]["left"])


@dataclass(frozen=True)
class Split:
    """Who of some readers may be written to now; ``later`` is message id -> seconds to wait; ``dry`` says of domains
    that have had enough how long the last of these waits and how many seconds lie between two.
    """

    now: list[Recipient]
    later: dict[int, float] = field(default_factory=dict)
    dry: dict[str, tuple[float, float]] = field(default_factory=dict)


def split_by_domain(recipients: Sequence[Recipient]) -> Split:
    """Take from the allowance of each limited domain what these readers need of it."""
    limits = {limit.domain: limit for limit in DomainLimit.objects.all()}
    if not limits:
        return Split(list(recipients))
    held: defaultdict[str, list[Recipient]] = defaultdict(list)
    for recipient in recipients:
        domain = recipient.address.rpartition("@")[2].lower()
        if domain in limits:
            held[domain].append(recipient)
    later: dict[int, float] = {}
    dry: dict[str, tuple[float, float]] = {}
    for domain, those in held.items():
        (granted, left), gap = _take_from_domain(limits[domain], len(those)), _gap(limits[domain])
        for number, recipient in enumerate(those[granted:], start=1):
            seconds = (number - min(left, 1.0)) * gap  # what is left lets the first of them leave that much sooner
            later[recipient.message_id] = min(seconds, LONGEST_WAIT_SECONDS)
            dry[domain] = seconds, gap
    return Split([recipient for recipient in recipients if recipient.message_id not in later], later, dry)
