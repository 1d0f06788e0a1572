"""A second person looks at a large mailing before it leaves."""

from __future__ import annotations

import datetime as dt

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext as _

from common.errors import Refused
from common.sql import execute
from customers.models import Purpose
from mailings.actions.queueing import prepare_blocks
from mailings.actions.states import cancel, finish_mailings, locked_in, set_state
from mailings.actions.turns import GATE_LOCK, give_turns
from mailings.experiments.splitting import keep_moments
from mailings.follow_ups import follow_ups
from mailings.frozen import mark_of_mailing
from mailings.models import Decision, Mailing, SendingSettings


def needs_approval(mailing: Mailing, identity: SendingSettings) -> bool:
    """Whether so many messages may go out, now or when those who wait have their turn, that a second person looks."""
    if not may_need_approval(mailing.purpose, identity):
        return False
    may_get_it = (Decision.Outcome.ACCEPTED, Decision.Outcome.WAITS)
    return mailing.decisions.filter(outcome__in=may_get_it).count() >= identity.approval_from


def may_need_approval(purpose: Purpose, identity: SendingSettings) -> bool:
    """Whether a second person looks at large mailings of this purpose; from how many on is ``approval_from``."""
    return bool(identity.approval_from) and purpose.rule != Purpose.Rule.SERVICE


@transaction.atomic
def approve(mailing: Mailing, *, seen: str, by: User, now: dt.datetime) -> None:
    """Let a mailing that awaits approval go out; ``seen`` is the mark of what the second person looked at
    (``mailings.frozen``). What its readers need (vouchers) is given out now and counts from now. Raises Refused for who
    set it going, when it awaits none, when what goes out, or the text that it was made of, is not as it was seen, and
    when there is no voucher to give any more.
    """
    execute("SELECT pg_advisory_xact_lock(%s)", [GATE_LOCK])  # before the row, as the hourly turns do
    mailing = locked_in(mailing, Mailing.State.AWAITS)
    _check_second_person(mailing, by)
    if seen != mark_of_mailing(mailing):
        words = _("This is not what you looked at: it changed in the meantime. Look again, and approve then.")
        raise Refused("not_as_seen", words, field="seen")
    mailing.approved_by, mailing.approved_at = by, now
    mailing.save(update_fields=["approved_by", "approved_at"])
    prepare_blocks(mailing, now)
    set_state(mailing, Mailing.State.SENDING, by=by)
    keep_moments(mailing, now=now)
    for follow_up in follow_ups:
        follow_up.accepted(mailing, now)
    give_turns(now=now)
    finish_mailings(now=now)


@transaction.atomic
def refuse(mailing: Mailing, *, reason: str, by: User, now: dt.datetime) -> int:
    """Cancel a mailing that awaits approval, with the reason; return how many messages that withdrew. Raises Refused
    for who set it going (who may cancel it), and when it awaits none.
    """
    mailing = locked_in(mailing, Mailing.State.AWAITS)
    _check_second_person(mailing, by)
    count = cancel(mailing, by=by, now=now)
    mailing.refresh_from_db()
    set_state(mailing, mailing.State.CANCELLED, by=by, reason=reason, finished_at=mailing.finished_at)
    return count


def _check_second_person(mailing: Mailing, by: User) -> None:
    if mailing.was_set_going_by(by):
        raise Refused("same_person", _("You started or planned this mailing yourself; a colleague has to approve it."))
