"""The funnel: candidates, who might be reached, what was sent, came back and was clicked, and who did something."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Sum

from common.sql import rows
from mailings.models import Mailing
from mailings.reports.groups import Group, whole
from mailings.reports.scope import Scope


@dataclass(frozen=True)
class Funnel:
    """People at each step; ``by_channel`` tells apart what left as mail, as letter and so on. ``opens`` are guesses of
    the whole, of nobody in particular; ``machine_opens`` and ``machine_clicks`` are those of programs.
    """

    candidates: int
    allowed: int
    sent: Group
    by_channel: dict[str, int]
    unsubscribes: int
    opens: int
    machine_opens: int
    machine_clicks: dict[str, int]

    @property
    def arrived(self) -> int:
        """Who had it and did not bounce, as far as we heard."""
        return self.sent.sent - self.sent.bounced


def funnel(scope: Scope, found: list[Group]) -> Funnel:
    """Return the funnel; ``found`` are the groups of the same scope, so that nothing is counted twice."""
    given = {"mailings": list(scope.mailings)}
    [decided] = rows(
        f"""SELECT {scope.people} AS candidates,
            {scope.people} FILTER (WHERE outcome = 'accepted') AS allowed
        FROM mailings_decision WHERE mailing_id = ANY(%(mailings)s)""",  # noqa: S608 - our own SQL
        given,
    )
    machines = rows(
        """SELECT click.reason, count(*) AS n FROM mailings_link AS link
        JOIN mailings_machineclick AS click ON click.link_id = link.id
        WHERE link.mailing_id = ANY(%(mailings)s) GROUP BY click.reason""",
        given,
    )
    told = Mailing.objects.filter(pk__in=scope.mailings).aggregate(
        unsubscribes=Sum("unsubscribe_count", default=0),
        opens=Sum("open_count", default=0),
        machine_opens=Sum("machine_open_count", default=0),
    )
    return Funnel(
        candidates=decided["candidates"],
        allowed=decided["allowed"],
        sent=whole(found),
        by_channel={group.key: group.sent for group in found if group.dimension == "channel"},
        machine_clicks={row["reason"]: row["n"] for row in machines},
        **told,
    )
