"""When a mailing stops itself: too many bounces, complaints or readers who unsubscribe, out of those it reached.

Asked after each few hundred messages, so first what costs nothing: how many there can be at most. Only a mailing that
might be over a limit is counted exactly.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _

from common.sql import rows
from mailings.models import SendingSettings

_AT_MOST = """
SELECT mailing.id, mailing.unsubscribe_count AS unsubscribes,
    (SELECT count(*) FROM mailings_message AS message
     WHERE message.mailing_id = mailing.id AND message.state = 'failed') + since.bounces AS bounces,
    since.complaints
FROM mailings_mailing AS mailing
CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE reason = 'bounce') AS bounces, count(*) FILTER (WHERE reason = 'complaint')
        AS complaints
    FROM mailings_suppression WHERE since >= mailing.created_at
) AS since
WHERE mailing.state = 'sending' AND mailing.brake <> 'released' AND mailing.id = ANY(%(mailings)s)
"""
# A mail that was refused on the spot and one that came back later are both a bounce, once.
_EXACTLY = """
SELECT count(*) AS tried,
    count(*) FILTER (WHERE message.state = 'failed' OR suppression.reason = 'bounce') AS bounces,
    count(*) FILTER (WHERE suppression.reason = 'complaint') AS complaints
FROM mailings_message AS message
JOIN mailings_mailing AS mailing ON mailing.id = message.mailing_id
LEFT JOIN mailings_suppression AS suppression
    ON suppression.address = lower(message.address) AND suppression.since >= mailing.created_at
    AND suppression.reason IN ('bounce', 'complaint')
WHERE message.mailing_id = %(mailing)s AND message.channel = 'email'
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
        told = {"count": self.count, "tried": self.tried, "limit": f"{self.limit / 10:g}"}
        if self.kind == "bounces":
            return _("The brake: %(count)d of %(tried)d messages bounced, more than %(limit)s%%.") % told
        if self.kind == "complaints":
            return _("The brake: %(count)d of %(tried)d readers reported spam, more than %(limit)s%%.") % told
        return _("The brake: %(count)d of %(tried)d readers unsubscribed, more than %(limit)s%%.") % told


def overruns(mailing_ids: list[int]) -> dict[int, Overrun]:
    """Return, of mailings that are being sent, what each has too much of; those within the limits are left out."""
    settings = SendingSettings.load()
    limits = {
        "bounces": settings.brake_bounces,
        "complaints": settings.brake_complaints,
        "unsubscribes": settings.brake_unsubscribes,
    }
    limits = {kind: limit for kind, limit in limits.items() if limit}
    if not limits or not mailing_ids:
        return {}
    found = {}
    for at_most in rows(_AT_MOST, {"mailings": mailing_ids}):
        suspect = [kind for kind in limits if at_most[kind] * 1000 >= limits[kind] * settings.brake_after]
        if not suspect:
            continue
        exact = {**rows(_EXACTLY, {"mailing": at_most["id"]})[0], "unsubscribes": at_most["unsubscribes"]}
        if exact["tried"] < settings.brake_after:
            continue
        over = [kind for kind in suspect if exact[kind] * 1000 > limits[kind] * exact["tried"]]
        if over:
            found[at_most["id"]] = Overrun(over[0], exact[over[0]], exact["tried"], limits[over[0]])
    return found
