"""Hold, go on with, stop, cancel and finish a mailing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils.translation import gettext as _

from common.errors import Refused
from common.sql import execute
from customers.models import Customer
from mailings import gate
from mailings.actions.history import By, noted
from mailings.brake import count_suspects
from mailings.experiments.splitting import keep_moments
from mailings.models import Decision, Mailing, Message

AT_ONCE = 5000  # messages in a transaction; of a large mailing the rest follows from the scheduler
IN_ALL = 100_000  # of each mailing, at each ring

_WITHDRAW = """
WITH unsent AS (
    SELECT id FROM mailings_message
    WHERE mailing_id = %(mailing)s AND state IN ('queued', 'deferred')
    LIMIT %(most)s FOR NO KEY UPDATE SKIP LOCKED
)
UPDATE mailings_message AS message SET state = 'withdrawn', withdrawn_because = 'cancelled', state_at = %(now)s,
    claim = NULL
FROM unsent WHERE message.id = unsent.id
"""


@transaction.atomic
def pause(mailing: Mailing, *, reason: str = "", by: By = None, now: dt.datetime) -> None:
    """Hold what was not sent yet; workers notice before their next message. Raises Refused unless it is being sent."""
    mailing = locked_in(mailing, Mailing.State.SENDING)
    set_state(mailing, Mailing.State.PAUSED, by=by, reason=reason or _("By hand"))


@transaction.atomic
def brake_mailings(*mailings: Mailing, now: dt.datetime) -> int:
    """Put each of these (without any: all) on pause of which too much came back; return how many that stopped.

    How many messages were tried is remembered of those that had to be counted, so that they rarely have to.
    """
    running = Mailing.objects.filter(state=Mailing.State.SENDING)
    ids = [mailing.pk for mailing in mailings] or list(running.values_list("pk", flat=True))
    counted = count_suspects(ids)
    found = {one.mailing: one.over.words for one in counted if one.over}
    for one in counted:
        Mailing.objects.filter(pk=one.mailing, brake_tried__lt=one.tried).update(brake_tried=one.tried)
    stopped = 0
    for mailing in running.filter(pk__in=found).select_for_update(no_key=True):
        mailing.brake = Mailing.Brake.HELD
        mailing.save(update_fields=["brake"])
        set_state(mailing, Mailing.State.PAUSED, by=None, reason=found[mailing.pk])
        stopped += 1
    return stopped


@transaction.atomic
def resume(mailing: Mailing, *, by: By = None, now: dt.datetime) -> None:
    """Go on with a mailing on pause; the brake does not stop it a second time. Raises Refused when it is not on
    pause.
    """
    mailing = locked_in(mailing, Mailing.State.PAUSED)
    if mailing.brake == Mailing.Brake.HELD:
        mailing.brake = Mailing.Brake.RELEASED
        mailing.save(update_fields=["brake"])
    set_state(mailing, Mailing.State.SENDING, by=by)
    keep_moments(mailing, now=now)
    finish_mailings(now=now)


@transaction.atomic
def cancel(mailing: Mailing, *, by: By = None, now: dt.datetime) -> int:
    """Send nothing more of it, for good, and return how many messages stay unsent. Raises Refused when it is over.

    Workers ask for its state before each message, so what is left to withdraw of a large mailing can wait.
    """
    mailing = locked_in(mailing, Mailing.State.SENDING, Mailing.State.PAUSED, Mailing.State.AWAITS)
    set_state(mailing, Mailing.State.CANCELLED, by=by, finished_at=now)
    gate.stop_waiting(mailing, now=now)
    count = Message.objects.filter(mailing=mailing, state__in=Message.UNSENT).count()
    Message.objects.filter(mailing=mailing, state=Message.State.CLAIMED).update(
        state=Message.State.WITHDRAWN, withdrawn_because=Message.Withdrawn.CANCELLED, state_at=now, claim=None
    )
    execute(_WITHDRAW, {"mailing": mailing.pk, "most": AT_ONCE, "now": now})
    return count


def withdraw_cancelled(*, now: dt.datetime) -> int:
    """Withdraw what cancelled mailings still hold unsent, also what a worker gave back later; return how many."""
    unsent = Message.objects.filter(mailing=OuterRef("pk"), state__in=(Message.State.QUEUED, Message.State.DEFERRED))
    cancelled = Mailing.objects.filter(Exists(unsent), state=Mailing.State.CANCELLED).values_list("pk", flat=True)
    withdrawn = 0
    for pk in list(cancelled):
        for _portion in range(IN_ALL // AT_ONCE):
            count = execute(_WITHDRAW, {"mailing": pk, "most": AT_ONCE, "now": now})
            withdrawn += count
            if count < AT_ONCE:
                break
    return withdrawn


def withdraw_of(mailings: Collection[int], *, customers: QuerySet[Customer], now: dt.datetime) -> int:
    """Withdraw what waits in these mailings (ids) for customers who should not have it any more; return how many."""
    waiting = Message.objects.filter(mailing__in=mailings, state__in=(Message.State.QUEUED, Message.State.DEFERRED))
    concerned = waiting.filter(customer__in=customers.filter(pk__in=waiting.values("customer")).values("pk"))
    found = list(concerned.values_list("pk", flat=True))
    # By id, since PostgreSQL looks again at the state of a row it had to wait for, but not inside a subquery.
    return waiting.filter(pk__in=found).update(
        state=Message.State.WITHDRAWN, withdrawn_because=Message.Withdrawn.LEFT, state_at=now, claim=None
    )


def finish_mailings(*, now: dt.datetime) -> int:
    """Close every mailing of which nothing and nobody is waiting or under way any more; return how many."""
    still_open = Message.objects.filter(mailing=OuterRef("pk"), state__in=Message.OPEN)
    waiting = Decision.objects.filter(mailing=OuterRef("pk"), outcome=Decision.Outcome.WAITS)
    done = Mailing.objects.filter(~Exists(still_open), ~Exists(waiting), state=Mailing.State.SENDING)
    return done.update(state=Mailing.State.FINISHED, finished_at=now)


def locked_in(mailing: Mailing, *states: Mailing.State) -> Mailing:
    """Return the mailing with its row held; raises Refused when it is in none of these states."""
    mailing = Mailing.objects.select_for_update(no_key=True).get(pk=mailing.pk)
    if mailing.state not in states:
        raise not_in_state(mailing)
    return mailing


def not_in_state(mailing: Mailing) -> Refused:
    """Return what is said of a mailing with which that cannot be done any more."""
    words = _("That cannot be done any more: this mailing is now “%s”.") % mailing.get_state_display()
    return Refused("wrong_state", words)


def set_state(
    mailing: Mailing, state: Mailing.State, *, by: By, reason: str = "", finished_at: dt.datetime | None = None
) -> None:
    """Write its state and why; every change of state is history."""
    mailing.state, mailing.pause_reason, mailing.finished_at = state, reason[:200], finished_at
    with noted(by):
        mailing.save(update_fields=["state", "pause_reason", "finished_at"])
