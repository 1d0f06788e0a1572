"""What came of the versions: how many readers each had, and how many of those did what counts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from common.sql import rows
from mailings.experiments.significance import Verdict, judge, likely
from mailings.models import Arm, Experiment


@dataclass(frozen=True)
class Score:
    """One version: messages that were ``sent``, readers ``reached``, and ``waiting`` messages still to leave."""

    arm: Arm
    sent: int
    reached: int
    waiting: int = 0

    @property
    def share(self) -> float:
        """Part of its readers that was reached, 0 to 1."""
        return self.reached / self.sent if self.sent else 0.0

    @property
    def likely(self) -> tuple[float, float]:
        """Between which shares the true one lies, with 95% certainty."""
        return likely(self.sent, self.reached)


# What counts is that it happened after his own message, and within the hours that every version gets.
_CLICKED = """SELECT FROM mailings_click AS click WHERE click.message_id = message.id
    AND click.clicked_at <= message.sent_at + %(window)s"""
_DID = """SELECT FROM customers_fact AS fact WHERE fact.customer_id = message.customer_id AND fact.kind = %(kind)s
    AND fact.occurred_at >= message.sent_at AND fact.occurred_at <= message.sent_at + %(window)s"""
_COUNT = """
    SELECT message.arm_id, count(*) FILTER (WHERE message.state = 'sent') AS sent,
        count(*) FILTER (WHERE message.state IN ('queued', 'claimed', 'sending', 'deferred')) AS waiting,
        count(*) FILTER (WHERE message.state = 'sent' AND EXISTS ({reached})) AS reached
    FROM mailings_message AS message WHERE message.arm_id = ANY(%(arms)s) GROUP BY message.arm_id
"""
_SENT = """
    SELECT EXISTS (SELECT FROM mailings_message AS message
            WHERE message.arm_id = ANY(%(arms)s) AND message.state IN ('queued', 'claimed', 'sending')) AS is_busy,
        (SELECT max(latest.at) FROM unnest(%(arms)s::bigint[]) AS one (arm_id), LATERAL (
            SELECT message.sent_at AS at FROM mailings_message AS message
            WHERE message.arm_id = one.arm_id AND message.state = 'sent'
            ORDER BY message.sent_at DESC LIMIT 1) AS latest) AS last_at
"""


def scores_of(experiment: Experiment) -> list[Score]:
    """Return what came of each version so far, in order; the figures it was decided on once it is decided."""
    arms = experiment.versions
    if kept := {row[0]: row[1:] for row in experiment.result.get("arms", [])}:
        return [Score(arm, *kept.get(arm.pk, (0, 0))) for arm in arms]
    reached = _DID if experiment.metric == Experiment.Metric.FACTS else _CLICKED
    found = {
        row["arm_id"]: row
        for row in rows(
            _COUNT.format(reached=reached),
            {"arms": [arm.pk for arm in arms], "window": experiment.window, "kind": experiment.fact_kind},
        )
    }
    none = {"sent": 0, "reached": 0, "waiting": 0}
    return [Score(arm, **{key: found.get(arm.pk, none)[key] for key in none}) for arm in arms]


def verdict_on(scores: Sequence[Score]) -> Verdict:
    """Say whether these versions differ."""
    return judge([(score.sent, score.reached) for score in scores])


def due_at(experiment: Experiment) -> dt.datetime | None:
    """Return when it can be decided: so long after the last reader in the test got his message that everybody had his
    hours; None while some have yet to get it.
    """
    if experiment.started_at is None:
        return None
    [row] = rows(_SENT, {"arms": [arm.pk for arm in experiment.versions]})
    return None if row["is_busy"] else (row["last_at"] or experiment.started_at) + experiment.window


def awaiting_choice(*, now: dt.datetime) -> list[Experiment]:
    """Return the tests with complete figures of which somebody has to choose the version for the rest."""
    found = Experiment.objects.under_way().filter(is_automatic=False).select_related("content").order_by("id")
    return [one for one in found if (due := due_at(one)) is not None and due <= now]
