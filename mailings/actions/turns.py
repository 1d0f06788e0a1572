"""Look again at those who wait because they had had enough messages."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.db.models import Exists, OuterRef

from common.errors import Refused
from common.sql import execute
from mailings import gate
from mailings.actions.queueing import prepare_blocks, queue_messages
from mailings.actions.states import finish_mailings, set_state
from mailings.follow_ups import follow_ups
from mailings.models import Decision, Mailing

# One gate at a time, so that two mailings that start together see each other's messages in the frequency cap.
GATE_LOCK = 0x67617465


@transaction.atomic
def decide_about_waiting(*, now: dt.datetime) -> int:
    """Look again at everybody who waits for his turn in a mailing under way; return about how many that changed.

    The most important mailings come first. Those of a mailing on pause keep waiting.
    """
    execute("SELECT pg_advisory_xact_lock(%s)", [GATE_LOCK])
    changed = give_turns(now=now)
    finish_mailings(now=now)
    return changed


def give_turns(*, priority_below: int | None = None, now: dt.datetime) -> int:
    """The same for mailings below a priority: who gave way has another turn, or none."""
    waiting = Decision.objects.filter(mailing=OuterRef("pk"), outcome=Decision.Outcome.WAITS)
    found = Mailing.objects.filter(Exists(waiting), state=Mailing.State.SENDING).select_related("purpose", "content")
    if priority_below is not None:
        gave_way = waiting.filter(until__lte=now)
        found = found.filter(Exists(gave_way), priority__lt=priority_below)
    changed = 0
    for mailing in found.order_by("-priority", "id"):
        try:
            changed += _take_turns(mailing, now)
        except Refused as refused:  # a voucher that has run out, say: nobody waits in vain for what staff can mend
            fresh = Mailing.objects.select_for_update(no_key=True).get(pk=mailing.pk)
            if fresh.state == Mailing.State.SENDING:  # cancelled meanwhile, it stays so
                set_state(fresh, Mailing.State.PAUSED, by=None, reason=str(refused))
    return changed


@transaction.atomic
def _take_turns(mailing: Mailing, now: dt.datetime) -> int:
    changed = gate.decide_again(mailing, now=now)
    let_in = Decision.objects.filter(mailing=mailing, outcome=Decision.Outcome.ACCEPTED, decided_at=now)
    if changed and let_in.exists():
        queue_messages(mailing, now)
        prepare_blocks(mailing, now)
        for follow_up in follow_ups:
            follow_up.accepted(mailing, now)
    return changed
