"""What people did in the days after their message, per kind of activity; and beside it who got nothing.

Fair is only a comparison of who was drawn with who was not: everybody who passed the gate up to the draw, also when he
got no message after all (had enough lately, shares a mailbox, a server that refused), over the same days for both.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from common.sql import rows
from customers.facts import fact_kinds
from mailings.reports.scope import DONE, SENT, Scope, activity_kinds, report_kinds
from mailings.reports.uplift import Difference, Share, difference

ANY = ""  # the key of doing anything at all
DRAWN = ("accepted", "waits", "frequency_cap", "duplicate")  # what the gate says after the draw


@dataclass(frozen=True)
class Afterwards:
    """People who did it after their message, how often in all, and for how much (cents)."""

    kind: str
    people: int
    times: int
    amount_cents: int = 0


@dataclass(frozen=True)
class Comparison:
    """The two groups of the draw, and per kind (``ANY``: anything) what lies between them."""

    treated: int
    held: int
    differences: Mapping[str, Difference]


def amounts(scope: Scope) -> dict[str, int]:
    """Return kind -> cents; a fact in the days of two messages counts once."""
    with_amount = [kind.code for kind in report_kinds() if kind.has_amount]
    found = rows(
        f"""SELECT kind, sum(amount_cents)::bigint AS cents FROM (
            SELECT {"DISTINCT fact.id," if scope.is_sum else ""} fact.kind, fact.amount_cents
            FROM mailings_message AS message JOIN {DONE} AND fact.amount_cents <> 0 WHERE {SENT}) AS paid
        GROUP BY kind""",  # noqa: S608 - our own SQL
        {**scope.values, "kinds": with_amount},
    )
    return {row["kind"]: row["cents"] for row in found}


def compare(scope: Scope) -> Comparison | None:
    """Return the comparison with who was held out; None when nobody was, or nothing has left yet.

    The days of both run from the first message that left until ``days`` after the last, per mailing. Mailings without a
    control group do not count; who was held out of one and not of another is in neither group.
    """
    if scope.sent[0] is None:
        return None
    values = {**scope.values, "kinds": [kind.code for kind in report_kinds()], "any": activity_kinds()}
    found = rows(_COMPARE, {**values, "drawn": [*DRAWN, "hold_out"]})
    sizes = {row["is_held"]: row["of"] for row in found if row["kind"] is None}
    if not sizes.get(True) or not sizes.get(False):
        return None
    did: dict[str, dict[bool, int]] = {kind: {} for kind in (ANY, *(kind.code for kind in fact_kinds))}
    for row in found:
        if row["kind"] is not None:
            did.setdefault(row["kind"], {})[row["is_held"]] = row["did"]
    differences = {
        kind: apart
        for kind, counts in did.items()
        if (apart := difference(*(Share(counts.get(side, 0), sizes[side]) for side in (False, True))))
    }
    return Comparison(sizes[False], sizes[True], differences)


_COMPARE = """
WITH period AS (
    SELECT mailing_id, min(sent_at) AS first, max(sent_at) + %(window)s AS until FROM mailings_message AS message
    WHERE message.mailing_id = ANY(%(mailings)s) AND message.state = 'sent'
    AND EXISTS (SELECT FROM mailings_decision AS held
                WHERE held.mailing_id = message.mailing_id AND held.outcome = 'hold_out')
    GROUP BY mailing_id
),
drawn AS MATERIALIZED (
    SELECT customer_id, decision.mailing_id, outcome = 'hold_out' AS is_held, period.first, period.until
    FROM mailings_decision AS decision JOIN period USING (mailing_id)
    WHERE decision.outcome = ANY(%(drawn)s)
),
person AS MATERIALIZED (
    SELECT customer_id, bool_and(is_held) AS is_held FROM drawn GROUP BY customer_id
    HAVING bool_and(is_held) = bool_or(is_held)
),
done AS MATERIALIZED (
    SELECT drawn.customer_id, fact.kind FROM drawn JOIN customers_fact AS fact
        ON fact.customer_id = drawn.customer_id AND fact.kind = ANY(%(kinds)s)
        AND fact.occurred_at > %(first)s AND fact.occurred_at <= %(until)s
        AND fact.occurred_at > drawn.first AND fact.occurred_at <= drawn.until
    GROUP BY drawn.customer_id, fact.kind
)
SELECT NULL AS kind, is_held, count(*) AS of, 0 AS did FROM person GROUP BY is_held
UNION ALL
SELECT '', is_held, 0, count(*) FROM (SELECT DISTINCT customer_id FROM done WHERE kind = ANY(%(any)s)) AS doer
JOIN person USING (customer_id) GROUP BY is_held
UNION ALL
SELECT kind, is_held, 0, count(*) FROM done JOIN person USING (customer_id) GROUP BY kind, is_held
"""
