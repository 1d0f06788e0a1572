"""What customers received before they moved, held against who stayed: which messages, vouchers and channels go before a
move.

Who stayed has no moment of moving, so each of them gets the moment of one of those who moved; then both groups are
looked at over the same spread of days.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db.models import QuerySet

from common.sql import as_subquery, rows
from customers.models import Customer
from labels.shifts import Scale, moves_sql
from mailings.models import Mailing, Message
from vouchers.models import Definition

SAMPLE = 20_000  # of both groups: enough for shares to the tenth of a per cent, and quick
SHOWN = 25

# Which come first is by a hash, so that a sample is like the whole.
_RECEIVED = """
WITH mover AS MATERIALIZED (SELECT id FROM ({movers}) AS found ORDER BY hashint8(id), id LIMIT {sample}),
stayer AS MATERIALIZED (SELECT id FROM ({stayers}) AS found ORDER BY hashint8(id), id LIMIT {sample}),
moved AS MATERIALIZED (SELECT customer_id, max(at) AS at FROM ({moves}) AS move GROUP BY customer_id),
moment AS MATERIALIZED (SELECT array_agg(at ORDER BY at, customer_id) AS moments FROM moved),
looked AS MATERIALIZED (
    SELECT customer_id, at, true AS is_mover FROM moved
    UNION ALL
    SELECT stayer.id, moments[1 + abs(hashint8(stayer.id)::bigint) %% cardinality(moments)], false FROM stayer, moment
),
received AS (
    SELECT looked.customer_id, looked.is_mover, 'mailing' AS what, message.mailing_id AS id, message.channel
      FROM looked JOIN mailings_message AS message ON message.customer_id = looked.customer_id
       AND message.sent_at >= looked.at - make_interval(days => {days}) AND message.sent_at < looked.at
    UNION ALL
    SELECT looked.customer_id, looked.is_mover, 'voucher', voucher.definition_id, ''
      FROM looked JOIN vouchers_voucher AS voucher ON voucher.customer_id = looked.customer_id
       AND voucher.issued_at >= looked.at - make_interval(days => {days}) AND voucher.issued_at < looked.at
)
SELECT 'group' AS what, NULL::bigint AS id, '' AS channel, count(*) FILTER (WHERE is_mover) AS movers,
       count(*) FILTER (WHERE NOT is_mover) AS stayers FROM looked WHERE at IS NOT NULL
UNION ALL
SELECT 'any', NULL, '', count(DISTINCT customer_id) FILTER (WHERE is_mover),
       count(DISTINCT customer_id) FILTER (WHERE NOT is_mover) FROM received
UNION ALL
SELECT 'channel', NULL, channel, count(DISTINCT customer_id) FILTER (WHERE is_mover),
       count(DISTINCT customer_id) FILTER (WHERE NOT is_mover) FROM received WHERE what = 'mailing' GROUP BY channel
UNION ALL
SELECT what, id, channel, count(DISTINCT customer_id) FILTER (WHERE is_mover),
       count(DISTINCT customer_id) FILTER (WHERE NOT is_mover) FROM received GROUP BY what, id, channel
"""


@dataclass(frozen=True)
class Shares:
    """How many of who moved, and of who stayed, received something; ``of`` is how many of both were looked at."""

    movers: int
    stayers: int
    of: tuple[int, int]

    @property
    def mover_share(self) -> float:
        """In per cent."""
        return _share(self.movers, self.of[0])

    @property
    def stayer_share(self) -> float:
        """In per cent."""
        return _share(self.stayers, self.of[1])

    @property
    def difference(self) -> float:
        """In percentage points: above zero, who moved received it more often."""
        return round(self.mover_share - self.stayer_share, 1)


@dataclass(frozen=True)
class Line:
    """A mailing, a voucher or a channel; ``kind``: "mailing", "voucher" or "channel", which has no ``pk``."""

    kind: str
    name: str
    pk: int | None
    channel: str
    shares: Shares
    origin: str = ""

    @property
    def channel_name(self) -> str:
        """The channel in words."""
        return str(dict(Message.Channel.choices).get(self.channel, ""))


@dataclass(frozen=True)
class Received:
    """``any``: received anything at all; ``is_sample``: not everybody was looked at."""

    movers: int
    stayers: int
    is_sample: bool
    any: Shares
    channels: list[Line] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)


def received(
    scale: Scale,
    movers: QuerySet[Customer],
    stayers: QuerySet[Customer],
    *,
    start: dt.datetime,
    end: dt.datetime,
    days: int,
) -> Received:
    """Return what ``movers`` received in the days before their last move in ``[start, end)``; two to four queries."""
    statement = _RECEIVED.format(
        movers=as_subquery(movers.order_by().values("id")),
        stayers=as_subquery(stayers.order_by().values("id")),
        moves=moves_sql(scale, start=start, end=end, among="SELECT id FROM mover"),
        sample=int(SAMPLE),
        days=int(days),
    )
    found = rows(statement, {})
    group = next(row for row in found if row["what"] == "group")
    of = (group["movers"], group["stayers"])
    anything = next(row for row in found if row["what"] == "any")
    return Received(
        *of,
        is_sample=max(of) >= SAMPLE,
        any=Shares(anything["movers"], anything["stayers"], of),
        channels=_channels(found, of),
        lines=_lines(found, of),
    )


def _channels(found: list[dict[str, Any]], of: tuple[int, int]) -> list[Line]:
    names = dict(Message.Channel.choices)
    lines = [
        Line("channel", str(names.get(row["channel"], row["channel"])), None, row["channel"], _shares(row, of))
        for row in found
        if row["what"] == "channel"
    ]
    return sorted(lines, key=lambda line: -line.shares.movers)


def _lines(found: list[dict[str, Any]], of: tuple[int, int]) -> list[Line]:
    ranked = sorted(
        (row for row in found if row["what"] in ("mailing", "voucher")), key=lambda row: (-row["movers"], -row["id"])
    )[:SHOWN]
    mailings = Mailing.objects.in_bulk([row["id"] for row in ranked if row["what"] == "mailing"])
    vouchers = Definition.objects.in_bulk([row["id"] for row in ranked if row["what"] == "voucher"])
    return [_line(row, of, mailings if row["what"] == "mailing" else vouchers) for row in ranked]


def _line(row: dict[str, Any], of: tuple[int, int], known: Mapping[int, Mailing | Definition]) -> Line:
    thing = known[row["id"]]
    origin = thing.origin.partition(":")[0] if isinstance(thing, Mailing) else ""
    return Line(row["what"], thing.name, row["id"], row["channel"], _shares(row, of), origin)


def _shares(row: dict[str, Any], of: tuple[int, int]) -> Shares:
    return Shares(row["movers"], row["stayers"], of)


def _share(part: int, whole: int) -> float:
    return round(100 * part / whole, 1) if whole else 0.0
