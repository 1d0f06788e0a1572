"""The one place that decides who may be reached, for actions, campaigns and newsletters alike.

One SQL statement takes the candidates of a mailing (laid down first in a table of their own, since a planner that
guesses their number wrongly takes minutes instead of seconds) and gives each an outcome, the first that applies, in
this order: restricted, deceased, permission for the purpose and channel (withdrawn and objection are their own
outcomes), address (no post to where it came back from or somebody has left), suppression, age, control group,
frequency caps, duplicate. Service messages skip age, control group and caps. The statement itself is in
``gate_statement``: a new reason is added there and in ``Decision.Outcome``, with its words in ``wording``;
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
from django.utils.translation import gettext as _

from common.errors import Refused
from common.sql import as_subquery, execute, rows
from customers.models import Channel, Customer, Purpose
from mailings.caps import Caps
from mailings.envelopes import count_sql
from mailings.gate_statement import TAKEN, statement_of
from mailings.models import Decision, Mailing, SendingSettings

NOBODY = "SELECT NULL::bigint AS id WHERE false"
# A message that a worker took in the meantime does not give way after all.
_GIVE_WAY = """
    WITH gone AS (
        UPDATE mailings_message AS message SET state = 'withdrawn', withdrawn_because = 'gave_way', state_at = %(now)s
        FROM gate_giving_way AS giving_way WHERE message.id = giving_way.id AND message.state = 'queued'
        RETURNING message.id, message.mailing_id, message.customer_id
    ),
    noted AS (
        INSERT INTO mailings_earlierdecision (mailing_id, customer_id, outcome, rule, until, decided_at,
            replaced_at)
        SELECT mailing_id, customer_id, decision.outcome, decision.rule, decision.until, decision.decided_at, %(now)s
        FROM mailings_decision AS decision JOIN gone USING (mailing_id, customer_id)
    ),
    waiting AS (
        UPDATE mailings_decision AS decision SET outcome = 'waits', rule = '', until = %(now)s,
            decided_at = %(now)s
        FROM gone WHERE decision.mailing_id = gone.mailing_id AND decision.customer_id = gone.customer_id
    )
    -- whose place was not given after all has had enough
    UPDATE gate_decided SET outcome = 'waits', until = %(now)s
    FROM (SELECT DISTINCT giving_way.customer_id FROM gate_giving_way AS giving_way LEFT JOIN gone USING (id)
          WHERE gone.id IS NULL) AS missed
    WHERE missed.customer_id = gate_decided.customer_id
"""


@dataclass(frozen=True)
class HoldOut:
    """A control group beside the general one: this share of those who could be reached, the same ones for a ``key``."""

    percent: int = 0
    key: str = ""


NO_HOLD_OUT = HoldOut()


def checked_hold_out(percent: int) -> int:
    """Return the share of a control group; raises Refused above half."""
    if not 0 <= percent <= 50:
        raise Refused("hold_out", _("The control group is at most half."), field="hold_out_percent")
    return percent


@dataclass(frozen=True)
class Terms:
    """What the gate asks about a mailing, or about one that is still to be; ``channel`` only where it is for one.

    ``deadline``: who has had enough waits at most until then; None is as long as the settings say from now.
    ``letters_to`` says whether a household shares an envelope; it decides nothing, only how many letters there are.
    """

    purpose: Purpose
    channels: str = ""
    channel: Channel | None = None
    priority: int = Mailing.Priority.NORMAL
    hold_out: HoldOut = NO_HOLD_OUT
    deadline: dt.datetime | None = None
    letters_to: str = Mailing.LettersTo.PERSON

    @property
    def is_service(self) -> bool:
        """Whether it is a message that the relation asks for."""
        return self.purpose.rule == Purpose.Rule.SERVICE


@transaction.atomic
def decide(mailing: Mailing, candidates: QuerySet[Customer], *, now: dt.datetime) -> int:
    """Write one decision for every candidate of a mailing and return how many there are; at most once per mailing."""
    _lay_down(candidates)
    terms = _terms_of(mailing)
    statement, values, caps = statement_of(terms, now=now)
    source = "decided"
    if caps.takes_places:
        _judge(statement, values, caps)
        statement, source = "", "gate_decided"
    return execute(
        f"""{statement}
        INSERT INTO mailings_decision (mailing_id, customer_id, outcome, channel, basis, rule, until, decided_at)
        SELECT %(mailing)s, customer_id, outcome, channel, basis, rule, until, %(now)s FROM {source}
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
    statement, values, caps = statement_of(_terms_of(mailing), now=now, taken=TAKEN)
    values = {**values, "mailing": mailing.pk}
    _judge(statement, values, caps)
    changed = execute(
        """
        INSERT INTO mailings_earlierdecision (mailing_id, customer_id, outcome, rule, until, decided_at,
            replaced_at)
        SELECT decision.mailing_id, decision.customer_id, decision.outcome, decision.rule, decision.until,
            decision.decided_at, %(now)s
        FROM mailings_decision AS decision JOIN gate_decided AS final ON final.customer_id = decision.customer_id
        WHERE decision.mailing_id = %(mailing)s AND decision.outcome = 'waits' AND final.outcome <> 'waits'
        """,
        values,
    )
    execute(
        """
        UPDATE mailings_decision AS decision SET outcome = final.outcome, channel = final.channel,
            basis = final.basis, rule = final.rule, until = final.until,
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
            INSERT INTO mailings_earlierdecision (mailing_id, customer_id, outcome, rule, until, decided_at,
                replaced_at)
            SELECT mailing_id, customer_id, outcome, rule, until, decided_at, %(now)s FROM mailings_decision
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
    statement, values, _caps = statement_of(terms, now=now)
    counts = rows(f"{statement} SELECT outcome, count(*) AS n FROM decided GROUP BY outcome", values)  # noqa: S608
    return _in_order(counts)


@transaction.atomic
def preview_with_letters(
    terms: Terms, *, candidates: QuerySet[Customer], now: dt.datetime
) -> tuple[dict[str, int], int]:
    """Return the same, and in how many envelopes the letters of the accepted go."""
    _lay_down(candidates)
    statement, values, _caps = statement_of(terms, now=now)
    letters = "SELECT customer_id FROM decided WHERE outcome = 'accepted' AND channel = 'post'"
    counts = rows(
        f"""{statement} SELECT outcome, count(*) AS n FROM decided GROUP BY outcome
        UNION ALL SELECT '', ({count_sql(letters, is_shared=terms.letters_to != Mailing.LettersTo.PERSON)})""",  # noqa: S608
        values,
    )
    return _in_order(counts), next(row["n"] for row in counts if not row["outcome"])


@transaction.atomic
def people(
    terms: Terms, outcome: str, *, candidates: QuerySet[Customer], first: int, count: int, now: dt.datetime
) -> tuple[int, list[int]]:
    """Return how many candidates would get this outcome now, and ``count`` of their ids from the ``first`` (0) on."""
    _lay_down(candidates)
    statement, values, _caps = statement_of(terms, now=now)
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
    statement, values, _caps = statement_of(Terms(purpose, channel=Channel(channel)), now=now)
    execute("DROP TABLE IF EXISTS pg_temp.gate_reach")
    execute(
        f"""CREATE TEMPORARY TABLE gate_reach ON COMMIT DROP AS {statement}
        SELECT customer_id, outcome FROM decided""",  # noqa: S608 - bound by its parts
        values,
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


def ids_of(candidates: QuerySet[Customer]) -> str:
    """Return the ids of a queryset of customers as SQL text, also when it can hold nobody."""
    try:
        return as_subquery(candidates.values("id"))
    except EmptyResultSet:
        return NOBODY
