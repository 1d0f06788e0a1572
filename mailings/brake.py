"""When a mailing stops itself: too many bounces, complaints or readers who unsubscribe, out of those it reached.

Asked after each few hundred messages, so first what indexes tell: what came back at most, against how many messages
were tried when they were counted last. Only a mailing that might be over a limit is counted anew, which takes ever
longer as it grows; while it stays under its limits that is a few times in all.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.formats import number_format
from django.utils.translation import gettext as _

from common.sql import rows
from mailings.models import SendingSettings

_AT_MOST = """
SELECT mailing.id, mailing.brake_tried AS tried, mailing.unsubscribe_count AS unsubscribes,
    (SELECT count(*) FROM mailings_message AS message
     WHERE message.mailing_id = mailing.id AND message.state = 'failed') + reported.bounces AS bounces,
    reported.complaints
FROM mailings_mailing AS mailing
CROSS JOIN LATERAL (
    SELECT count(DISTINCT coalesce(bounce.message_id, -bounce.id)) FILTER (WHERE bounce.kind <> 'complaint') AS bounces,
        count(DISTINCT coalesce(bounce.message_id, -bounce.id)) FILTER (WHERE bounce.kind = 'complaint') AS complaints
    FROM mailings_bounce AS bounce LEFT JOIN mailings_message AS message ON message.id = bounce.message_id
    WHERE bounce.received_at >= mailing.created_at AND bounce.kind IN ('hard', 'soft', 'complaint')
    AND (message.mailing_id = mailing.id OR bounce.message_id IS NULL AND bounce.source = 'provider')
) AS reported
WHERE mailing.state = 'sending' AND mailing.brake <> 'released' AND mailing.id = ANY(%(mailings)s)
"""
# A mail that was refused on the spot and one that came back later are both a bounce, once. A provider may name the
# address alone.
_EXACTLY = """
WITH reported AS (
    SELECT bounce.message_id, bounce.address, bounce.kind FROM mailings_bounce AS bounce
    WHERE bounce.received_at >= (SELECT created_at FROM mailings_mailing WHERE id = %(mailing)s)
    AND bounce.kind IN ('hard', 'soft', 'complaint') AND (bounce.message_id IS NOT NULL OR bounce.source = 'provider')
),
by_message AS (
    SELECT message_id, bool_or(kind <> 'complaint') AS bounced, bool_or(kind = 'complaint') AS complained
    FROM reported WHERE message_id IS NOT NULL GROUP BY message_id
),
by_address AS (
    SELECT address, bool_or(kind <> 'complaint') AS bounced, bool_or(kind = 'complaint') AS complained
    FROM reported WHERE message_id IS NULL AND address <> '' GROUP BY address
)
SELECT count(*) AS tried,
    count(*) FILTER (WHERE message.state = 'failed' OR by_message.bounced OR by_address.bounced) AS bounces,
    count(*) FILTER (WHERE by_message.complained OR by_address.complained) AS complaints
FROM mailings_message AS message
LEFT JOIN by_message ON by_message.message_id = message.id
LEFT JOIN by_address ON by_address.address = lower(message.address)
WHERE message.mailing_id = %(mailing)s AND message.channel IN ('email', 'sms')
    AND (message.state IN ('sent', 'in_doubt') OR message.state = 'failed' AND message.attempts > 0)
"""


@dataclass(frozen=True)
class Overrun:
    """What there is too much of: how many of how many messages, and the limit in per mille."""

    kind: str
    count: int
    tried: int
    limit: int

    @property
    def words(self) -> str:
        """Why the mailing stopped, for staff."""
        told = {"count": self.count, "tried": self.tried, "limit": number_format(Decimal(self.limit) / 10)}
        if self.kind == "bounces":
            return _("The brake: %(count)d of %(tried)d messages bounced, more than %(limit)s%%.") % told
        if self.kind == "complaints":
            return _("The brake: %(count)d of %(tried)d readers reported spam, more than %(limit)s%%.") % told
        return _("The brake: %(count)d of %(tried)d readers unsubscribed, more than %(limit)s%%.") % told


@dataclass(frozen=True)
class Counted:
    """A mailing that was counted: how many of its messages were tried, and what there is too much of, if anything."""

    mailing: int
    tried: int
    over: Overrun | None


def count_suspects(mailing_ids: list[int]) -> list[Counted]:
    """Count those mailings that are being sent and might be over a limit; all others are within theirs."""
    settings = SendingSettings.load()
    limits = {
        "bounces": settings.brake_bounces,
        "complaints": settings.brake_complaints,
        "unsubscribes": settings.brake_unsubscribes,
    }
    limits = {kind: limit for kind, limit in limits.items() if limit}
    if not limits or not mailing_ids:
        return []
    return [
        _count(at_most, limits, least=settings.brake_after)
        for at_most in rows(_AT_MOST, {"mailings": mailing_ids})
        if any(at_most[kind] * 1000 > limits[kind] * max(at_most["tried"], settings.brake_after) for kind in limits)
    ]


def _count(at_most: dict[str, Any], limits: dict[str, int], *, least: int) -> Counted:
    exact = rows(_EXACTLY, {"mailing": at_most["id"]})[0] | {"unsubscribes": at_most["unsubscribes"]}
    tried: int = exact["tried"]
    over = [kind for kind in limits if exact[kind] * 1000 > limits[kind] * tried] if tried >= least else []
    found = Overrun(over[0], exact[over[0]], tried, limits[over[0]]) if over else None
    return Counted(at_most["id"], tried, found)
