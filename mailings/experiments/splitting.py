"""Who gets which version: a part of the readers by a hash of mailing and customer, the rest waits for the outcome.

A message that waits is queued as any other, only not before ``HELD``: whatever takes queued messages back (a cancel,
an erasure, one of higher priority) takes these back too, and no worker claims them.
"""

from __future__ import annotations

import datetime as dt
from itertools import accumulate

from django.db.models import Exists, OuterRef, QuerySet

from common.sql import execute
from common.time import AMSTERDAM
from mailings.models import Arm, Experiment, Mailing, Message

HELD = dt.datetime(9999, 1, 1, tzinfo=dt.UTC)
PARTS = 10_000
PART_OF_REST = 20_000  # messages let go at once
#: The same customer falls in the same part of a mailing however often it is asked; 0 to 9999.
PART = "('x' || substr(md5('version:' || mailing_id || ':' || customer_id), 1, 7))::bit(28)::int %% 10000"


def experiment_of(mailing: Mailing) -> Experiment | None:
    """Return the test that a mailing is, or None."""
    return Experiment.objects.filter(mailing=mailing).first()


def divide(mailing: Mailing, *, now: dt.datetime) -> int:
    """Give the readers who were just queued a version, or let them wait; return how many.

    Only the first readers of a mailing are part of its test. Who is let through later waits with the rest, and once it
    is decided gets what the rest gets.
    """
    experiment = experiment_of(mailing)
    if experiment is None:
        return 0
    if experiment.started_at is None:
        return _divide_first(experiment, mailing, now)
    moment = _rest_from(experiment, now) if experiment.decided_at else HELD
    return execute(
        f"""UPDATE mailings_message SET arm_id = NULL, next_attempt_at = greatest(next_attempt_at, %(moment)s)
        WHERE {_JUST_QUEUED}""",  # noqa: S608 - ours
        {"mailing": mailing.pk, "now": now, "moment": moment},
    )


_JUST_QUEUED = "mailing_id = %(mailing)s AND channel = 'email' AND state = 'queued' AND state_at = %(now)s"


def _divide_first(experiment: Experiment, mailing: Mailing, now: dt.datetime) -> int:
    arms = experiment.versions
    experiment.started_at = now
    experiment.save(update_fields=["started_at"])
    bounds = list(accumulate((arm.percent * PARTS // 100 for arm in arms), initial=0))
    return execute(
        f"""
        UPDATE mailings_message SET arm_id = (%(arms)s::bigint[])[width_bucket({PART}, %(bounds)s::int[])],
            next_attempt_at = CASE WHEN {PART} >= %(end)s THEN %(held)s
                ELSE greatest(next_attempt_at,
                    (%(moments)s::timestamptz[])[width_bucket({PART}, %(bounds)s::int[])]) END
        WHERE {_JUST_QUEUED}
        """,  # noqa: S608 - ours
        {
            "mailing": mailing.pk,
            "now": now,
            "arms": [arm.pk for arm in arms],
            "moments": [moment_of(arm, now) for arm in arms],
            "bounds": bounds,
            "end": bounds[-1],
            "held": HELD,
        },
    )


def release_rest(experiment: Experiment, mailing: Mailing, *, now: dt.datetime) -> int:
    """Let a part of those who wait for the outcome have their message, and return how many; none when all have.

    In parts that are committed by themselves, so that the gate never waits long for a row. What somebody else holds at
    this moment (it gives way, say) is passed over. The part is an array, read once: rows that lock could be read again
    for each row they are joined with, and be others each time.
    """
    return execute(
        """UPDATE mailings_message SET next_attempt_at = %(moment)s WHERE id = ANY(ARRAY(
            SELECT id FROM mailings_message WHERE mailing_id = %(mailing)s AND channel = 'email' AND state = 'queued'
            AND next_attempt_at = %(held)s LIMIT %(part)s FOR UPDATE SKIP LOCKED))""",
        {"mailing": mailing.pk, "held": HELD, "moment": _rest_from(experiment, now), "part": PART_OF_REST},
    )


def half_done() -> QuerySet[Experiment]:
    """Return the tests that are decided and of which readers still wait, in mailings that may go on."""
    waiting = Message.objects.filter(
        mailing=OuterRef("mailing"), channel=Message.Channel.EMAIL, state=Message.State.QUEUED, next_attempt_at=HELD
    )
    decided = Experiment.objects.filter(decided_at__isnull=False, mailing__state=Mailing.State.SENDING)
    return decided.filter(Exists(waiting)).select_related("mailing", "winner").order_by("pk")


def keep_moments(mailing: Mailing, *, now: dt.datetime) -> int:
    """Put the readers of versions with a time of their own at the next such time, after the mailing stood still:
    versions that all leave when it goes on would compare nothing. Return how many messages that were.
    """
    experiment = experiment_of(mailing)
    if experiment is None or experiment.started_at is None:
        return 0
    return sum(
        execute(
            """UPDATE mailings_message SET next_attempt_at = %(moment)s
            WHERE arm_id = %(arm)s AND state = 'queued' AND attempts = 0 AND next_attempt_at < %(moment)s""",
            {"arm": arm.pk, "moment": moment_of(arm, now)},
        )
        for arm in experiment.versions
        if arm.moment
    )


def _rest_from(experiment: Experiment, now: dt.datetime) -> dt.datetime:
    return (experiment.winner and moment_of(experiment.winner, now)) or now


def moment_of(arm: Arm, now: dt.datetime) -> dt.datetime | None:
    """Return when readers of a version get it, the next time it is that late in Amsterdam; None is at once."""
    if arm.moment is None:
        return None
    day = now.astimezone(AMSTERDAM).date()
    moment = dt.datetime.combine(day, arm.moment, tzinfo=AMSTERDAM)
    return moment if moment >= now else dt.datetime.combine(day + dt.timedelta(days=1), arm.moment, tzinfo=AMSTERDAM)
