"""A call list: who is next, what one says, and how far it is. Reads only."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from uuid import UUID

from django.contrib.auth.models import User
from django.db.models import Q, QuerySet
from django.db.models.expressions import RawSQL
from django.utils.translation import gettext as _

from common.errors import Refused
from common.time import AMSTERDAM, local_date
from customers.consents import verdicts_sql
from customers.models import Channel, ContactPoint, Customer
from mailings.models import Call, CallSettings, Mailing, Message, SendingSettings, Suppression
from mailings.recipients import load_recipients
from mailings.rendering import fill_all, in_style_of


@dataclass(frozen=True)
class Progress:
    """``now``: who can be called at this moment; ``later``: on another day; ``done``: nothing more follows."""

    now: int
    later: int
    done: int
    today: int  # calls that were made today, of all lists


def token_of(user: User) -> UUID:
    """Return by which claim is known that this person has somebody on the line."""
    return UUID(int=user.pk)


def waiting(mailing: Mailing) -> QuerySet[Message]:
    """Return who on the list is still to be called, whoever comes first first."""
    states = (Message.State.QUEUED, Message.State.DEFERRED)
    found = mailing.messages.filter(channel=Message.Channel.PHONE, state__in=states)
    return found.order_by("next_attempt_at", "id")


def still_to_call(mailing: Mailing, *, now: dt.datetime) -> QuerySet[Customer]:
    """Return who on the list may still be called: permission, number and blocks are asked again, as before each call.

    Raises Refused for a mailing that is on hold or over.
    """
    if mailing.state != Mailing.State.SENDING:
        raise Refused("wrong_state", _("Nobody is called for a mailing that is on hold or over."))
    own = f"SELECT customer_id FROM mailings_message WHERE mailing_id = {mailing.pk:d}"  # noqa: S608
    verdicts = verdicts_sql(own, purpose=mailing.purpose, channel=Channel.PHONE, as_of=now)
    allowed = RawSQL(f"SELECT customer_id FROM ({verdicts}) AS judged WHERE verdict = 'allowed'", [])  # noqa: S608, S611
    blocked = Suppression.objects.in_force().values("address")
    numbers = ContactPoint.objects.filter(channel=ContactPoint.Channel.PHONE, is_primary=True)
    numbers_in_use = numbers.exclude(value__in=blocked).values("customer")
    on_list = waiting(mailing).order_by().values("customer")
    return Customer.objects.filter(pk__in=on_list).filter(pk__in=allowed).filter(pk__in=numbers_in_use).usable()


def in_hand(mailing: Mailing, user: User) -> Message | None:
    """Return whom this person is calling."""
    mine = mailing.messages.filter(channel=Message.Channel.PHONE, state=Message.State.CLAIMED, claim=token_of(user))
    return mine.select_related("customer__branch").order_by("state_at", "id").first()


def progress(mailing: Mailing, *, now: dt.datetime) -> Progress:
    """Return how far a list is."""
    ready = waiting(mailing).filter(next_attempt_at__lte=now).count()
    later = waiting(mailing).filter(next_attempt_at__gt=now).count()
    still = Q(state__in=Message.OPEN)
    done = mailing.messages.filter(channel=Message.Channel.PHONE).exclude(still).count()
    return Progress(ready, later, done, calls_today(now=now))


def calls_today(*, now: dt.datetime) -> int:
    """Return how many calls were made today, of all lists."""
    midnight = dt.datetime.combine(local_date(now), dt.time(), tzinfo=AMSTERDAM)
    return Call.objects.filter(called_at__gte=midnight).count()


def is_calling_hour(*, now: dt.datetime) -> bool:
    """Tell whether customers may be called at this hour."""
    limits = CallSettings.load()
    return limits.from_hour <= now.astimezone(AMSTERDAM).hour < limits.until_hour


def script_of(message: Message, *, now: dt.datetime) -> str:
    """Return what to say to this customer: the words of the mailing as he would have read them."""
    mailing = message.mailing
    [reader] = load_recipients(
        [(message.pk, message.customer_id)], compiled=mailing.compiled, identity=SendingSettings.load(),
        origin=f"mailing:{mailing.pk}", medium="sms", now=now,
    )  # fmt: skip
    compiled = in_style_of(mailing.compiled, reader.branch_id)
    links = {f"link:{position}": url for position, url in enumerate(compiled["links"])}
    body = compiled["text"][1:-1]  # without the head and foot of a mail
    return fill_all(body, {**links, **reader.values}, frozenset(reader.audiences), as_html=False).strip()
