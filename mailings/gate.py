"""The one place that decides who may be reached, for actions, campaigns and newsletters alike.

One SQL statement takes the candidates of a mailing (laid down first in a table of their own, since a planner that
guesses their number wrongly takes minutes instead of seconds) and gives each an outcome, the first that applies, in
this order: restricted, deceased, permission for the purpose and channel (withdrawn and objection are their own
outcomes), address (no post to where somebody has left), suppression, age, control group, frequency caps, duplicate.
Service messages skip age, control group and caps. A new reason is added here and in ``Decision.Outcome``, nowhere else;
what is about the customer alone (restricted, deceased, a child's own yes) comes from ``customers.consents``, how many
messages he had from ``mailings.caps``.

Who has had enough ``waits`` when his turn comes in time, and is decided about again (``decide_again``); unless a
message of a mailing of lower priority gives way to his, which then waits in its turn.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import transaction
from django.db.models import QuerySet

from common.sql import as_subquery, execute, rows
from common.time import local_date, years_before
from customers.consents import verdicts_sql
from customers.models import Channel, Customer, Purpose
from mailings.caps import NONE, Caps, caps_for
from mailings.models import Decision, Mailing, SendingSettings

NOBODY = "SELECT NULL::bigint AS id WHERE false"
_HAS_POSTAL_ADDRESS = (
    "(customer.street <> '' AND customer.postal_code <> '' AND customer.city <> '' AND customer.address_state = '')"
)
_HAS_EMAIL = "(email.value IS NOT NULL AND suppression.id IS NULL)"
_CHANNEL = {
    Mailing.Channels.EMAIL: "'email'",
    Mailing.Channels.LETTER: "'post'",
    # A letter only where there is no usable e-mail address; who refuses e-mail does not get paper instead.
    Mailing.Channels.EMAIL_OR_LETTER: (
        f"CASE WHEN {_HAS_EMAIL} OR NOT {_HAS_POSTAL_ADDRESS} THEN 'email' ELSE 'post' END"
    ),
}

# A number that is rung, or written to: no text message goes to a Dutch number that is not a mobile one.
_PHONES = """LEFT JOIN customers_contactpoint AS phone
            ON phone.customer_id = candidate.customer_id AND phone.channel = 'phone' AND phone.is_primary"""
_NUMBER = {
    Channel.PHONE: "phone.value",
    Channel.SMS: "CASE WHEN phone.value NOT LIKE '+31%%' OR phone.value LIKE '+316%%' THEN phone.value END",
}

_STATEMENT = """
    WITH candidate AS (SELECT customer_id FROM gate_candidate),
    reachable AS MATERIALIZED (
        SELECT candidate.customer_id, {channel} AS channel, email.value AS email, {phone} AS phone,
            suppression.id IS NOT NULL AS is_suppressed, {has_postal_address} AS has_postal_address,
            customer.birth_date
        FROM candidate
        JOIN customers_customer AS customer ON customer.id = candidate.customer_id
        LEFT JOIN customers_contactpoint AS email
            ON email.customer_id = candidate.customer_id AND email.channel = 'email' AND email.is_primary
        LEFT JOIN mailings_suppression AS suppression
            ON suppression.address = lower(email.value) AND suppression.released_at IS NULL
        {phones}
    ),
    verdict AS MATERIALIZED ({verdicts}),
    recent AS ({recent}),
    judged AS (
        SELECT reachable.customer_id, reachable.channel, reachable.email, reachable.phone, verdict.basis, CASE
            WHEN verdict.verdict <> 'allowed' THEN verdict.verdict
            WHEN reachable.channel = 'email' AND reachable.email IS NULL THEN 'no_address'
            WHEN reachable.channel = 'post' AND NOT reachable.has_postal_address THEN 'no_address'
            WHEN reachable.channel IN ('phone', 'sms') AND reachable.phone IS NULL THEN 'no_address'
            WHEN reachable.channel = 'email' AND reachable.is_suppressed THEN 'suppressed'
            WHEN reachable.birth_date > %(born_after)s THEN 'under_age'
            WHEN {hash} < %(hold_out_percent)s OR {own_hash} THEN 'hold_out'
            WHEN {has_enough} THEN 'frequency_cap'
            ELSE 'accepted' END AS outcome,
            coalesce({is_full}, false) AS takes_place{needed}
        FROM reachable
        JOIN verdict ON verdict.customer_id = reachable.customer_id AND verdict.channel = reachable.channel
        LEFT JOIN recent ON recent.customer_id = reachable.customer_id
    ),
    -- one mail per mailbox, one text message per number: of those who share it, the one with the lowest id
    numbered AS (
        SELECT judged.*, row_number() OVER (
            PARTITION BY outcome = 'accepted' AND channel IN ('email', 'sms'),
                CASE WHEN outcome = 'accepted' AND channel = 'email' THEN lower(email)
                    WHEN outcome = 'accepted' AND channel = 'sms' THEN phone ELSE customer_id::text END
            ORDER BY customer_id) AS at_address
        FROM judged
    ),
    freed AS ({freed}),
    taken AS ({taken}),
    decided AS (
        SELECT numbered.customer_id, basis, takes_place{needed_too},
            CASE WHEN outcome = 'accepted' AND (at_address > 1 OR taken.address IS NOT NULL) THEN 'duplicate'
                WHEN outcome = 'frequency_cap' AND freed.free_at <= %(deadline)s THEN 'waits'
                ELSE outcome END AS outcome,
            CASE WHEN outcome = 'no_address' THEN '' ELSE channel END AS channel,
            CASE WHEN outcome = 'frequency_cap' AND freed.free_at <= %(deadline)s THEN freed.free_at END AS until
        FROM numbered LEFT JOIN freed ON freed.customer_id = numbered.customer_id
        LEFT JOIN taken ON numbered.channel = 'email' AND taken.address = lower(numbered.email)
    )
"""
# The addresses that are in this mailing already; nobody's when it has yet to start.
_TAKEN = """SELECT DISTINCT lower(message.address) AS address FROM mailings_message AS message
        WHERE message.mailing_id = %(mailing)s AND message.channel = 'email' AND message.state <> 'withdrawn'"""
_NONE_TAKEN = "SELECT NULL::text AS address WHERE false"
# A message that a worker took in the meantime does not give way after all.
_GIVE_WAY = """
    WITH gone AS (
        UPDATE mailings_message AS message SET state = 'withdrawn', withdrawn_because = 'gave_way', state_at = %(now)s
        FROM gate_giving_way AS giving_way WHERE message.id = giving_way.id AND message.state = 'queued'
        RETURNING message.id, message.mailing_id, message.customer_id
    ),
    noted AS (
        INSERT INTO mailings_earlierdecision (mailing_id, customer_id, outcome, until, decided_at, replaced_at)
        SELECT mailing_id, customer_id, decision.outcome, decision.until, decision.decided_at, %(now)s
        FROM mailings_decision AS decision JOIN gone USING (mailing_id, customer_id)
    ),
    waiting AS (
        UPDATE mailings_decision AS decision SET outcome = 'waits', until = %(now)s, decided_at = %(now)s
        FROM gone WHERE decision.mailing_id = gone.mailing_id AND decision.customer_id = gone.customer_id
    )
    -- whose place was not given after all has had enough
    UPDATE gate_decided SET outcome = 'waits', until = %(now)s
    FROM (SELECT DISTINCT giving_way.customer_id FROM gate_giving_way AS giving_way LEFT JOIN gone USING (id)
          WHERE gone.id IS NULL) AS missed
    WHERE missed.customer_id = gate_decided.customer_id
"""
# Stable for as long as the customer is: the control group of today is that of tomorrow.
_HASH = "('x' || substr(md5('hold-out:' || reachable.customer_id), 1, 7))::bit(28)::int %% 100"
# The same for the control group of one action or campaign, whatever the general one is.
_OWN_HASH = (
    "('x' || substr(md5(%(own_key)s || ':' || reachable.customer_id), 1, 7))::bit(28)::int %% 100 < %(own_percent)s"
)


@dataclass(frozen=True)
class HoldOut:
    """A control group beside the general one: this share of those who could be reached, the same ones for a ``key``."""

    percent: int = 0
    key: str = ""


NO_HOLD_OUT = HoldOut()


@dataclass(frozen=True)
class Terms:
    """What the gate asks about a mailing, or about one that is still to be; ``channel`` only where it is for one.

    ``deadline``: who has had enough waits at most until then; None is as long as the settings say from now.
    """

    purpose: Purpose
    channels: str = ""
    channel: Channel | None = None
    priority: int = Mailing.Priority.NORMAL
    hold_out: HoldOut = NO_HOLD_OUT
    deadline: dt.datetime | None = None

    @property
    def is_service(self) -> bool:
        """Whether it is a message that the relation asks for."""
        return self.purpose.rule == Purpose.Rule.SERVICE


@transaction.atomic
def decide(mailing: Mailing, candidates: QuerySet[Customer], *, now: dt.datetime) -> int:
    """Write one decision for every candidate of a mailing and return how many there are; at most once per mailing."""
    _lay_down(candidates)
    terms = _terms_of(mailing)
    statement, values, caps = _statement(terms, now=now)
    source = "decided"
    if caps.takes_places:
        _judge(statement, values, caps)
        statement, source = "", "gate_decided"
    return execute(
        f"""{statement}
        INSERT INTO mailings_decision (mailing_id, customer_id, outcome, channel, basis, until, decided_at)
        SELECT %(mailing)s, customer_id, outcome, channel, basis, until, %(now)s FROM {source}
        ORDER BY customer_id""",  # noqa: S608 - bound by its parts
        {**values, "mailing": mailing.pk},
    )


@transaction.atomic
def decide_again(mailing: Mailing, *, now: dt.datetime) -> int:
    """Decide again about those who wait, keep what was decided before, and return about how many that changed.

    Who still has to wait past the days a message may wait has had enough for good.
    """
    waiting = Decision.objects.filter(mailing=mailing, outcome=Decision.Outcome.WAITS)
    _lay_down(Customer.objects.filter(pk__in=waiting.values("customer")))
    statement, values, caps = _statement(_terms_of(mailing), now=now, taken=_TAKEN)
    values = {**values, "mailing": mailing.pk}
    _judge(statement, values, caps)
    changed = execute(
        """
        INSERT INTO mailings_earlierdecision (mailing_id, customer_id, outcome, until, decided_at, replaced_at)
        SELECT decision.mailing_id, decision.customer_id, decision.outcome, decision.until, decision.decided_at,
            %(now)s
        FROM mailings_decision AS decision JOIN gate_decided AS final ON final.customer_id = decision.customer_id
        WHERE decision.mailing_id = %(mailing)s AND decision.outcome = 'waits' AND final.outcome <> 'waits'
        """,
        values,
    )
    execute(
        """
        UPDATE mailings_decision AS decision SET outcome = final.outcome, channel = final.channel,
            basis = final.basis, until = final.until,
            decided_at = CASE final.outcome WHEN 'waits' THEN decision.decided_at ELSE %(now)s END
        FROM gate_decided AS final
        WHERE decision.mailing_id = %(mailing)s AND decision.customer_id = final.customer_id
        AND decision.outcome = 'waits' AND (final.outcome <> 'waits' OR final.until <> decision.until)
        """,
        values,
    )
    return changed


def _judge(statement: str, values: dict[str, Any], caps: Caps) -> None:
    """Put the decisions in a table, let what is less important give way, and let the planner count both first.

    What follows a decision joins as many rows again: guessing their number takes minutes where this takes seconds.
    """
    execute("DROP TABLE IF EXISTS pg_temp.gate_decided, pg_temp.gate_giving_way")
    execute(
        f"CREATE TEMPORARY TABLE gate_decided ON COMMIT DROP AS {statement} SELECT * FROM decided",  # noqa: S608 - bound
        values,
    )
    execute("ANALYZE gate_decided")
    if caps.takes_places:
        execute(f"CREATE TEMPORARY TABLE gate_giving_way ON COMMIT DROP AS {caps.giving_way()}", values)
        execute("ANALYZE gate_giving_way")
        execute(_GIVE_WAY, values)


def stop_waiting(mailing: Mailing, *, now: dt.datetime) -> int:
    """Let nobody wait any longer for a mailing that is cancelled; return how many did."""
    return execute(
        """
        WITH noted AS (
            INSERT INTO mailings_earlierdecision (mailing_id, customer_id, outcome, until, decided_at, replaced_at)
            SELECT mailing_id, customer_id, outcome, until, decided_at, %(now)s FROM mailings_decision
            WHERE mailing_id = %(mailing)s AND outcome = 'waits'
        )
        UPDATE mailings_decision SET outcome = 'frequency_cap', until = NULL, decided_at = %(now)s
        WHERE mailing_id = %(mailing)s AND outcome = 'waits'
        """,
        {"mailing": mailing.pk, "now": now},
    )


@transaction.atomic
def preview(terms: Terms, *, candidates: QuerySet[Customer], now: dt.datetime) -> dict[str, int]:
    """Return outcome -> number of candidates, as ``decide`` would write them now; outcomes without any are left out.

    The numbers add up to the candidates.
    """
    _lay_down(candidates)
    statement, values, _caps = _statement(terms, now=now)
    counts = rows(f"{statement} SELECT outcome, count(*) AS n FROM decided GROUP BY outcome", values)  # noqa: S608
    return _in_order(counts)


@transaction.atomic
def people(
    terms: Terms, outcome: str, *, candidates: QuerySet[Customer], first: int, count: int, now: dt.datetime
) -> tuple[int, list[int]]:
    """Return how many candidates would get this outcome now, and ``count`` of their ids from the ``first`` (0) on."""
    _lay_down(candidates)
    statement, values, _caps = _statement(terms, now=now)
    found = rows(
        f"""{statement}, chosen AS (SELECT customer_id FROM decided WHERE outcome = %(outcome)s)
        SELECT customer_id, (SELECT count(*) FROM chosen) AS n FROM chosen
        ORDER BY customer_id OFFSET %(first)s LIMIT %(count)s""",  # noqa: S608 - bound by its parts
        {**values, "outcome": outcome, "first": first, "count": count},
    )
    return (found[0]["n"] if found else 0), [row["customer_id"] for row in found]


def reach(
    *, purpose: Purpose, channel: str, now: dt.datetime, candidates: QuerySet[Customer] | None = None
) -> dict[str, int]:
    """Decide about everybody at once, or about all of some, and return outcome -> customers.

    The outcomes stand in ``gate_reach`` (customer_id, outcome) until the transaction ends. Caps and control groups do
    not count: this is about who may be reached at all.
    """
    _lay_down(Customer.objects.all() if candidates is None else candidates)
    statement, values, _caps = _statement(Terms(purpose, channel=Channel(channel)), now=now)
    execute("DROP TABLE IF EXISTS pg_temp.gate_reach")
    execute(
        f"""CREATE TEMPORARY TABLE gate_reach ON COMMIT DROP AS {statement}
        SELECT customer_id, outcome FROM decided""",  # noqa: S608 - bound by its parts
        {**values, "hold_out_percent": 0},
    )
    return _in_order(rows("SELECT outcome, count(*) AS n FROM gate_reach GROUP BY outcome"))


def _in_order(counts: list[dict[str, Any]]) -> dict[str, int]:
    found = {row["outcome"]: row["n"] for row in counts}
    return {outcome: found[outcome] for outcome in Decision.Outcome.values if outcome in found}


def _terms_of(mailing: Mailing) -> Terms:
    deadline = mailing.created_at + dt.timedelta(days=SendingSettings.load().wait_days)
    hold_out = HoldOut(mailing.hold_out_percent, mailing.hold_out_key)
    return Terms(mailing.purpose, mailing.channels, priority=mailing.priority, hold_out=hold_out, deadline=deadline)


def _lay_down(candidates: QuerySet[Customer]) -> None:
    """Put the candidates in a table that lasts as long as the transaction, and let the planner count them."""
    execute("DROP TABLE IF EXISTS pg_temp.gate_candidate")
    ids = f"SELECT DISTINCT id AS customer_id FROM ({ids_of(candidates)}) AS given WHERE %(all)s"  # noqa: S608
    # With a parameter the doubled percent signs become single ones again.
    execute(f"CREATE TEMPORARY TABLE gate_candidate ON COMMIT DROP AS {ids}", {"all": True})
    execute(
        """DELETE FROM gate_candidate USING customers_customer AS merged
        WHERE merged.id = customer_id AND merged.merged_into_id IS NOT NULL"""
    )
    execute("ANALYZE gate_candidate")


def _statement(terms: Terms, *, now: dt.datetime, taken: str = _NONE_TAKEN) -> tuple[str, dict[str, Any], Caps]:
    """Return the statement for the channels of a mailing, or for one channel whoever uses it, and its limits.

    Its end is ``decided``. ``taken``: the query of the addresses that are in the mailing already.
    """
    limits, channel = SendingSettings.load(), terms.channel
    used = [channel] if channel else [Channel.EMAIL, Channel.POST]
    caps = NONE if channel else caps_for(terms.purpose, channels=used, priority=terms.priority)
    text = _STATEMENT.format(
        channel=f"'{channel.value}'" if channel else _CHANNEL[Mailing.Channels(terms.channels)],
        phone=_NUMBER.get(channel, "NULL::text") if channel else "NULL::text",
        phones=_PHONES if channel in _NUMBER else "",
        has_postal_address=_HAS_POSTAL_ADDRESS,
        verdicts=" UNION ALL ".join(_verdicts(terms.purpose, one, now) for one in used),
        hash=_HASH,
        own_hash=_OWN_HASH if terms.hold_out.percent and not terms.is_service else "false",
        recent=caps.recent(),
        has_enough=caps.has_enough,
        is_full=caps.is_full,
        needed=caps.needed(),
        needed_too="".join(f", needed_{number}" for number in range(len(caps.rules))),
        freed=caps.freed(),
        taken=taken,
    )
    deadline = terms.deadline or now + dt.timedelta(days=limits.wait_days)
    values = {
        "now": now,
        "hold_out_percent": 0 if terms.is_service else limits.hold_out_percent,
        "own_percent": terms.hold_out.percent,
        "own_key": terms.hold_out.key,
        "born_after": None if terms.is_service else years_before(local_date(now), limits.minimum_age),
        **caps.values(now=now, priority=terms.priority, deadline=deadline),
    }
    return text, values, caps


def _verdicts(purpose: Purpose, channel: Channel, now: dt.datetime) -> str:
    own = f"SELECT customer_id FROM reachable WHERE channel = '{channel.value}'"  # noqa: S608
    verdicts = verdicts_sql(own, purpose=purpose, channel=channel, as_of=now)
    return f"SELECT customer_id, verdict, basis, '{channel.value}' AS channel FROM ({verdicts}) AS v"  # noqa: S608


def ids_of(candidates: QuerySet[Customer]) -> str:
    """Return the ids of a queryset of customers as SQL text, also when it can hold nobody."""
    try:
        return as_subquery(candidates.values("id"))
    except EmptyResultSet:
        return NOBODY
