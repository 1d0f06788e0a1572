"""Call customers on a list, and write down what came of it."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext as _

from common.errors import Refused
from common.sql import rows
from common.time import AMSTERDAM, local_date
from customers.actions import record_fact
from customers.consents import verdicts_sql
from customers.models import Channel, ContactPoint, Customer
from mailings.actions.feedback import ALL_COMMERCIAL, unsubscribe
from mailings.actions.history import By, noted
from mailings.actions.states import finish_mailings
from mailings.calling import calls_today, in_hand, is_calling_hour, token_of, waiting
from mailings.facts import CALL
from mailings.models import Call, CallSettings, Mailing, Message, Suppression

SOURCE = "mailings"
HELD_MINUTES = 30  # so long a customer is one caller's; then he is anybody's again
FURTHEST_DAYS = 366  # a list does not wait longer for one customer
Outcome = Call.Outcome


@transaction.atomic
def take_call(mailing: Mailing, *, by: User, now: dt.datetime) -> Message | None:
    """Give this person somebody to call whom nobody else has, or the one he has; None when nobody is left for now.

    Permission, a block and the number are asked again; who may not be called any more is taken off the list. Raises
    Refused outside the hours, when enough calls were made today, and when the mailing is on hold.
    """
    _check_may_call(mailing, now)
    if mine := in_hand(mailing, by):
        return mine
    while message := waiting(mailing).select_for_update(skip_locked=True).filter(next_attempt_at__lte=now).first():
        message.state_at = now
        if obstacle := _obstacle(message, now):
            message.state, message.withdrawn_because = Message.State.WITHDRAWN, obstacle
        else:
            message.state, message.claim = Message.State.CLAIMED, token_of(by)
            message.lease_until = now + dt.timedelta(minutes=HELD_MINUTES)
        message.save(update_fields=["state", "state_at", "withdrawn_because", "claim", "lease_until", "address"])
        if not obstacle:
            return message
    finish_mailings(now=now)
    return None


def _check_may_call(mailing: Mailing, now: dt.datetime) -> None:
    if Mailing.objects.get(pk=mailing.pk).state != Mailing.State.SENDING:
        raise Refused("wrong_state", _("Nobody is called for a mailing that is on hold or over."))
    if not is_calling_hour(now=now):
        raise Refused("hours", _("Customers are not called at this hour."))
    most = CallSettings.load().per_day
    if most and calls_today(now=now) >= most:
        raise Refused("enough_today", _("Enough customers were called today. Go on tomorrow."))


def _obstacle(message: Message, now: dt.datetime) -> str:
    """Return why this customer may not be called any more, else take over the number he has now."""
    purpose = message.mailing.purpose
    verdicts = verdicts_sql(
        f"VALUES ({message.customer_id:d}::bigint)", purpose=purpose, channel=Channel.PHONE, as_of=now
    )
    if rows(f"SELECT verdict FROM ({verdicts}) AS judged", {})[0]["verdict"] != "allowed":  # noqa: S608
        return Message.Withdrawn.NO_PERMISSION
    points = ContactPoint.objects.filter(customer=message.customer_id, channel="phone", is_primary=True)
    message.address = points.values_list("value", flat=True).first() or ""
    if not message.address:
        return Message.Withdrawn.NO_ADDRESS
    is_blocked = Suppression.objects.in_force().filter(address=message.address).exists()
    return Message.Withdrawn.SUPPRESSED if is_blocked else ""


@transaction.atomic
def record_call(
    message: Message,
    *,
    outcome: str,
    note: str = "",
    again_on: dt.date | None = None,
    is_elsewhere: bool = False,
    by: User,
    now: dt.datetime,
) -> Call:
    """Write down what came of a call, with what follows: the list goes on, or waits for another day; a no is a no,
    also when it is told after the list or the half hour ended.

    ``is_elsewhere``: a call centre made it, which took nobody in hand here. Raises Refused when somebody else has this
    customer, or nothing is to be called any more, and for a day that is not to come.
    """
    message = Message.objects.select_for_update(of=("self",)).select_related("mailing__purpose").get(pk=message.pk)
    if outcome not in Outcome.values:
        raise Refused("outcome", _("Choose what came of it."), field="outcome")
    is_open = _is_in_hand(message, by) or _is_free(message, is_elsewhere, now)
    if not is_open and outcome != Outcome.WANTS_NONE:
        raise Refused("not_yours", _("You do not have this customer in hand any more. Take the next one."))
    if outcome == Outcome.LATER and not _is_day_to_come(again_on, now):
        raise Refused("again_on", _("Choose a day to come, within a year."), field="again_on")
    if not is_open and (said := message.calls.filter(outcome=Outcome.WANTS_NONE).first()):
        return said  # sent twice
    call = Call.objects.create(
        message=message, outcome=outcome, note=note.strip()[:500], called_by=by, called_at=now,
        again_on=again_on if outcome == Outcome.LATER else None,
    )  # fmt: skip
    if is_open:
        _follow(message, call, now)
    if outcome == Outcome.WANTS_NONE:
        unsubscribe(message, scope=ALL_COMMERCIAL, method="call", now=now)
    finish_mailings(now=now)
    return call


def _is_in_hand(message: Message, by: User) -> bool:
    return message.state == Message.State.CLAIMED and message.claim == token_of(by)


def _is_free(message: Message, is_elsewhere: bool, now: dt.datetime) -> bool:
    """Tell whether nobody has this customer. Whose half hour passed while he was calling may still say what came of
    it; but not a second time, once he waits for another day.
    """
    is_waiting = message.state in (Message.State.QUEUED, Message.State.DEFERRED)
    return is_waiting and (is_elsewhere or message.next_attempt_at <= now)


def _is_day_to_come(day: dt.date | None, now: dt.datetime) -> bool:
    today = local_date(now)
    return day is not None and today < day <= today + dt.timedelta(days=FURTHEST_DAYS)


def _follow(message: Message, call: Call, now: dt.datetime) -> None:
    limits = CallSettings.load()
    message.attempts += 1
    message.first_attempt_at = message.first_attempt_at or now
    message.claim, message.lease_until, message.state_at = None, None, now
    message.reply = str(call.get_outcome_display())[:300]
    day = call.again_on or local_date(now) + dt.timedelta(days=1)
    if call.outcome in (Outcome.REACHED, Outcome.WANTS_NONE):
        message.state, message.sent_at = Message.State.SENT, now
    elif call.outcome == Outcome.WRONG_NUMBER or (
        call.outcome == Outcome.NOT_REACHED and message.attempts >= limits.most_attempts
    ):
        message.state = Message.State.FAILED
    else:
        message.state = Message.State.DEFERRED
        message.next_attempt_at = dt.datetime.combine(day, dt.time(limits.from_hour), tzinfo=AMSTERDAM)
    message.save()
    if message.state == Message.State.SENT:
        customer = Customer.everyone.get(pk=message.customer_id)
        record_fact(customer, kind=CALL, occurred_at=now, source_code=SOURCE, external_id=f"call:{call.pk}")
    if call.outcome == Outcome.WRONG_NUMBER:
        _block(message.address, call, now)


def _block(number: str, call: Call, now: dt.datetime) -> None:
    """Let nobody be called or texted at a number that is somebody else's."""
    values = {"reason": Suppression.Reason.MANUAL, "detail": str(call.get_outcome_display()), "since": now,
              "released_at": None, "released_by": ""}  # fmt: skip
    with noted(call.called_by):
        if not Suppression.objects.in_force().filter(address=number).exists():
            Suppression.objects.update_or_create(address=number, defaults=values)


@transaction.atomic
def put_back_call(message: Message, *, by: User, now: dt.datetime) -> None:
    """Let somebody else call this customer; doing it twice is no error."""
    mine = Message.objects.filter(pk=message.pk, state=Message.State.CLAIMED, claim=token_of(by))
    mine.update(state=Message.State.QUEUED, state_at=now, claim=None, lease_until=None)


@transaction.atomic
def change_call_settings(*, by: By = None, **fields: Any) -> CallSettings:
    """Change how customers are called, from the next call on. Raises Refused."""
    CallSettings.objects.get_or_create(pk=1)
    current = CallSettings.objects.select_for_update().get(pk=1)
    for name, value in fields.items():
        setattr(current, name, value)
    if not current.from_hour < current.until_hour <= 24:
        raise Refused("hours", _("Calling has to stop after it starts."), field="until_hour")
    if current.most_attempts < 1:
        raise Refused("attempts", _("Somebody is tried at least once."), field="most_attempts")
    with noted(by):
        current.save()
    return current
