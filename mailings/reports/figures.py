"""What follows from the messages of a scope, read once: the groups, what was done afterwards, and at which hour.

The readers are laid down first, and what they clicked and did beside them; everything is counted from those.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from common.sql import rows
from mailings.reports.afterwards import ANY, Afterwards, amounts
from mailings.reports.groups import Group
from mailings.reports.outcomes import DOMAIN
from mailings.reports.scope import SENT, WITHIN, Scope, activity_kinds, report_kinds

Hours = Mapping[str, Mapping[dt.datetime, int]]


@dataclass(frozen=True)
class Figures:
    """``groups`` that got something, the largest first; ``afterwards``, the row of anything at all first; ``hours``:
    what happened -> hour by the clock of Amsterdam -> people.
    """

    groups: list[Group] = field(default_factory=list)
    afterwards: list[Afterwards] = field(default_factory=list)
    hours: Hours = field(default_factory=dict)


def figures(scope: Scope) -> Figures:
    """Read the figures of a scope; none before anything has left."""
    if scope.sent[0] is None:
        return Figures()
    values = {**scope.values, "told": [kind.code for kind in report_kinds()], "any": activity_kinds()}
    found: dict[str, list[dict[str, Any]]] = {"group": [], "kind": [], "hour": []}
    for row in rows(_SUM if scope.is_sum else _SINGLE, values):
        found[row["part"]].append(row)
    hours: dict[str, dict[dt.datetime, int]] = {}
    for row in found["hour"]:
        hours.setdefault(row["key"], {})[row["hour"]] = row["sent"]
    return Figures(_groups(scope, found["group"]), _afterwards(scope, found["kind"]), hours)


def groups(scope: Scope) -> list[Group]:
    """Return every group that got something, the largest first."""
    return figures(scope).groups


def afterwards(scope: Scope) -> list[Afterwards]:
    """Return what was done, by most people first; the first row, of kind ``ANY``, is about anything at all."""
    return figures(scope).afterwards


def _groups(scope: Scope, found: list[dict[str, Any]]) -> list[Group]:
    shown = [Group(**{name: row[name] for name in Group.__dataclass_fields__}) for row in found]
    shown.sort(key=lambda group: (-group.sent, group.dimension, group.key))
    has_versions = not scope.is_sum and any(group.dimension == "version" and group.key for group in shown)
    return [group for group in shown if group.dimension != "version" or has_versions]


def _afterwards(scope: Scope, found: list[dict[str, Any]]) -> list[Afterwards]:
    cents = amounts(scope)
    done = [Afterwards(row["key"], row["sent"], row["bounced"], cents.get(row["key"], 0)) for row in found]
    return sorted(done, key=lambda one: (one.kind != ANY, -one.people, one.kind))


_FIGURES = {"sent": "true", "bounced": "came_back", "complained": "complained", "clicked": "has_clicked",
            "did": "has_done"}  # fmt: skip
# Of one mailing each row is a person, so all dimensions together are counted first: that leaves few rows to add up.
_CELLS = f"""SELECT channel, version, audiences, branch, domain,
    {", ".join(f"count(*) FILTER (WHERE {condition}) AS {name}_here" for name, condition in _FIGURES.items())}
    FROM placed GROUP BY channel, version, audiences, branch, domain"""  # noqa: S608 - our own SQL
_ADDED = ", ".join(f"coalesce(sum({name}_here), 0)::bigint AS {name}" for name in _FIGURES)
_PEOPLE = ", ".join(
    f"count(DISTINCT customer_id) FILTER (WHERE {condition}) AS {name}" for name, condition in _FIGURES.items()
)
# A person who had more than one message, and an activity in the days of two of them, count once.
_OWN = "SELECT customer_id, kind, times FROM done"
_SHARED = """SELECT customer_id, kind, count(DISTINCT fact.id) AS times
        FROM done CROSS JOIN LATERAL unnest(done.facts) AS fact (id) GROUP BY customer_id, kind"""
# Bounces come whenever they come; clicks and activities count within the days.
_STATEMENT = """
WITH message AS MATERIALIZED (
    SELECT message.id, message.customer_id, message.channel, message.audiences, message.sent_at,
        coalesce(message.arm_id::text, '') AS version, {domain} AS domain
    FROM mailings_message AS message WHERE {sent}
),
bounced AS (
    SELECT message.id, bool_or(bounce.kind IN ('hard', 'soft')) AS came_back,
        bool_or(bounce.kind = 'complaint') AS complained
    FROM mailings_bounce AS bounce JOIN message ON message.id = bounce.message_id GROUP BY message.id
),
clicked AS MATERIALIZED (
    SELECT message.id, message.customer_id, min(click.clicked_at) AS at
    FROM mailings_link AS link JOIN mailings_click AS click ON click.link_id = link.id
    JOIN message ON message.id = click.message_id
    WHERE link.mailing_id = ANY(%(mailings)s) AND click.clicked_at <= message.sent_at + %(window)s
    GROUP BY message.id, message.customer_id
),
done AS MATERIALIZED (
    SELECT message.id, message.customer_id, fact.kind, {times}, min(fact.occurred_at) AS at
    FROM message JOIN customers_fact AS fact ON {within} GROUP BY message.id, message.customer_id, fact.kind
),
did AS MATERIALIZED (
    SELECT id, customer_id, min(at) AS at FROM done WHERE kind = ANY(%(kinds)s) GROUP BY id, customer_id
),
placed AS (
    SELECT message.customer_id, channel, version, audiences, domain, coalesce(customer.branch_id::text, '') AS branch,
        coalesce(bounced.came_back, false) AS came_back, coalesce(bounced.complained, false) AS complained,
        clicked.id IS NOT NULL AS has_clicked, did.id IS NOT NULL AS has_done
    FROM message JOIN customers_customer AS customer ON customer.id = message.customer_id
    LEFT JOIN bounced ON bounced.id = message.id LEFT JOIN clicked ON clicked.id = message.id
    LEFT JOIN did ON did.id = message.id
),
source AS MATERIALIZED ({source}),
doer AS MATERIALIZED ({doer}),
happened AS (
    SELECT 'sent' AS what, sent_at AS at FROM message
    UNION ALL SELECT 'clicked', min(at) FROM clicked GROUP BY customer_id
    UNION ALL SELECT 'did', min(at) FROM did GROUP BY customer_id
)
SELECT 'group' AS part, CASE grouping(channel, branch, domain, version) WHEN 15 THEN 'all' WHEN 7 THEN 'channel'
        WHEN 11 THEN 'branch' WHEN 13 THEN 'domain' ELSE 'version' END AS dimension,
    coalesce(channel, branch, domain, version, '') AS key, {figures}, NULL::timestamp AS hour
FROM source GROUP BY GROUPING SETS ((), (channel), (branch), (domain), (version))
UNION ALL
SELECT 'group', 'audience', audience.key, {figures}, NULL
FROM source CROSS JOIN LATERAL jsonb_array_elements_text(source.audiences) AS audience (key) GROUP BY audience.key
UNION ALL
SELECT 'kind', '', '', count(DISTINCT customer_id), coalesce(sum(times), 0)::bigint, 0, 0, 0, NULL
FROM doer WHERE kind = ANY(%(any)s)
UNION ALL
SELECT 'kind', '', kind, count(*), sum(times)::bigint, 0, 0, 0, NULL FROM doer GROUP BY kind
UNION ALL
SELECT 'hour', '', what, count(*), 0, 0, 0, 0, date_trunc('hour', at AT TIME ZONE 'Europe/Amsterdam')
FROM happened GROUP BY what, date_trunc('hour', at AT TIME ZONE 'Europe/Amsterdam')
"""
_PARTS = {
    "sent": SENT,
    "within": WITHIN.replace("%(kinds)s", "%(told)s"),
    "domain": DOMAIN.replace("outcome.", "message."),
}
_SINGLE = _STATEMENT.format(**_PARTS, times="count(*) AS times", source=_CELLS, doer=_OWN, figures=_ADDED)
_SUM = _STATEMENT.format(
    **_PARTS, times="array_agg(fact.id) AS facts", source="SELECT * FROM placed", doer=_SHARED, figures=_PEOPLE
)
