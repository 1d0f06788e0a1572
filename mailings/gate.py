"""The one place that decides who may be reached, for actions, campaigns and newsletters alike.

One SQL statement takes the candidates of a mailing (laid down first in a table of their own, since a planner that
guesses their number wrongly takes minutes instead of seconds) and gives each an outcome, the first that applies, in
this order: restricted, deceased, permission for the purpose and channel (withdrawn and objection are their own
outcomes), address (no post to where somebody has left), suppression, age, control group, frequency cap, duplicate.
Service messages skip age, control group and cap. A new reason is added here and in ``Decision.Outcome``, nowhere else;
what is about the customer alone (restricted, deceased, a child's own yes) comes from ``customers.consents``.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import transaction
from django.db.models import QuerySet

from common.sql import as_subquery, execute, rows
from common.time import local_date, years_before
from customers.consents import verdicts_sql
from customers.models import Channel, Customer, Purpose
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
    recent AS (
        SELECT message.customer_id, count(*) AS messages
        FROM mailings_message AS message
        JOIN mailings_mailing AS mailing ON mailing.id = message.mailing_id
        JOIN customers_purpose AS purpose ON purpose.id = mailing.purpose_id
        JOIN candidate ON candidate.customer_id = message.customer_id
        WHERE %(has_cap)s AND purpose.rule <> 'service'
            -- what was finished before the period holds nothing that was sent in it
            AND (mailing.finished_at IS NULL OR mailing.finished_at >= %(cap_since)s)
            AND message.state NOT IN ('failed', 'withdrawn')
            AND (message.sent_at IS NULL OR message.sent_at >= %(cap_since)s)
        GROUP BY message.customer_id
    ),
    judged AS (
        SELECT reachable.customer_id, reachable.channel, reachable.email, reachable.phone, verdict.basis, CASE
            WHEN verdict.verdict <> 'allowed' THEN verdict.verdict
            WHEN reachable.channel = 'email' AND reachable.email IS NULL THEN 'no_address'
            WHEN reachable.channel = 'post' AND NOT reachable.has_postal_address THEN 'no_address'
            WHEN reachable.channel IN ('phone', 'sms') AND reachable.phone IS NULL THEN 'no_address'
            WHEN reachable.channel = 'email' AND reachable.is_suppressed THEN 'suppressed'
            WHEN reachable.birth_date > %(born_after)s THEN 'under_age'
            WHEN {hash} < %(hold_out_percent)s THEN 'hold_out'
            WHEN recent.messages >= %(cap_messages)s THEN 'frequency_cap'
            ELSE 'accepted' END AS outcome
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
    decided AS (
        SELECT customer_id, email, basis,
            CASE WHEN outcome = 'accepted' AND at_address > 1 THEN 'duplicate' ELSE outcome END AS outcome,
            CASE WHEN outcome = 'no_address' THEN '' ELSE channel END AS channel
        FROM numbered
    )
"""
# Stable for as long as the customer is: the control group of today is that of tomorrow.
_HASH = "('x' || substr(md5('hold-out:' || reachable.customer_id), 1, 7))::bit(28)::int %% 100"


@transaction.atomic
def decide(mailing: Mailing, candidates: QuerySet[Customer], *, now: dt.datetime) -> int:
    """Write one decision for every candidate of a mailing and return how many there are; at most once per mailing."""
    _lay_down(candidates)
    statement, values = _statement(purpose=mailing.purpose, channels=mailing.channels, now=now)
    return execute(
        f"""{statement}
        INSERT INTO mailings_decision (mailing_id, customer_id, outcome, channel, basis, decided_at)
        SELECT %(mailing)s, customer_id, outcome, channel, basis, %(now)s FROM decided
        ORDER BY customer_id""",  # noqa: S608 - bound by its parts
        {**values, "mailing": mailing.pk},
    )


@transaction.atomic
def preview(*, purpose: Purpose, channels: str, candidates: QuerySet[Customer], now: dt.datetime) -> dict[str, int]:
    """Return outcome -> number of candidates, as ``decide`` would write them now; outcomes without any are left out.

    The numbers add up to the candidates.
    """
    _lay_down(candidates)
    statement, values = _statement(purpose=purpose, channels=channels, now=now)
    counted = f"{statement} SELECT outcome, count(*) AS n FROM decided GROUP BY outcome"  # noqa: S608
    counts = rows(counted, values)
    found = {row["outcome"]: row["n"] for row in counts}
    return {outcome: found[outcome] for outcome in Decision.Outcome.values if outcome in found}


def reach(
    *, purpose: Purpose, channel: str, now: dt.datetime, candidates: QuerySet[Customer] | None = None
) -> dict[str, int]:
    """Decide about everybody at once, or about all of some, and return outcome -> customers.

    The outcomes stand in ``gate_reach`` (customer_id, outcome) until the transaction ends. Caps and control groups do
    not count: this is about who may be reached at all.
    """
    _lay_down(Customer.objects.all() if candidates is None else candidates)
    statement, values = _statement(purpose=purpose, channels="", channel=Channel(channel), now=now)
    execute("DROP TABLE IF EXISTS pg_temp.gate_reach")
    execute(
        f"""CREATE TEMPORARY TABLE gate_reach ON COMMIT DROP AS {statement}
        SELECT customer_id, outcome FROM decided""",  # noqa: S608 - bound by its parts
        {**values, "has_cap": False, "hold_out_percent": 0},
    )
    counts = rows("SELECT outcome, count(*) AS n FROM gate_reach GROUP BY outcome")
    found = {row["outcome"]: row["n"] for row in counts}
    return {outcome: found[outcome] for outcome in Decision.Outcome.values if outcome in found}


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


def _statement(
    *, purpose: Purpose, channels: str, now: dt.datetime, channel: Channel | None = None
) -> tuple[str, dict[str, Any]]:
    """Return the statement for the channels of a mailing, or for one channel whoever uses it."""
    limits = SendingSettings.load()
    is_service = purpose.rule == Purpose.Rule.SERVICE
    text = _STATEMENT.format(
        channel=f"'{channel.value}'" if channel else _CHANNEL[Mailing.Channels(channels)],
        phone=_NUMBER.get(channel, "NULL::text") if channel else "NULL::text",
        phones=_PHONES if channel in _NUMBER else "",
        has_postal_address=_HAS_POSTAL_ADDRESS,
        verdicts=" UNION ALL ".join(
            _verdicts(purpose, one, now) for one in ([channel] if channel else [Channel.EMAIL, Channel.POST])
        ),
        hash=_HASH,
    )
    values = {
        "now": now,
        "has_cap": not is_service and limits.cap_messages > 0,
        "cap_messages": limits.cap_messages,
        "cap_since": now - dt.timedelta(days=limits.cap_days),
        "hold_out_percent": 0 if is_service else limits.hold_out_percent,
        "born_after": None if is_service else years_before(local_date(now), limits.minimum_age),
    }
    return text, values


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
