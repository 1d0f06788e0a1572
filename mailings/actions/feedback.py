"""Take in what comes back: opens, unsubscribing, and what staff find out about doubts and addresses."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _

from common.errors import Refused
from common.sql import execute
from customers.actions import record_fact
from customers.consents import OPEN_TRACKING, PROCESSING, State, record_consent, states_of
from customers.models import Channel, Consent, ContactPoint, Customer, Purpose
from customers.names import is_email
from mailings.actions.doubts import end_doubts
from mailings.actions.history import By, name_of, noted
from mailings.facts import OPEN
from mailings.models import Link, Mailing, Message, Suppression, UnsubscribeReason

SOURCE = "mailings"
THIS, KIND, ALL_COMMERCIAL, EVERYWHERE = "purpose", "kind", "commercial", "everywhere"
SCOPES = {THIS, KIND, ALL_COMMERCIAL, EVERYWHERE}


def link_target(message_id: int, position: int) -> str:
    """Return where a link leads, without counting anything; raises Refused when message or link are gone."""
    link = Link.objects.filter(mailing__messages=message_id, position=position).first()
    if link:
        return str(link.url)
    raise Refused("unknown_link", _("This link does not work any more."))


def record_open(mailing_id: int, *, by_machine: bool = False) -> None:
    """Count an opening of a mailing, by a person or by a program of its own accord; of whom is not known."""
    counted = "machine_open_count" if by_machine else "open_count"
    Mailing.objects.filter(pk=mailing_id).update(**{counted: F(counted) + 1})


@transaction.atomic
def record_own_open(message_id: int, *, by_machine: bool = False, now: dt.datetime) -> None:
    """Count an opening of a message, and keep a person's as a fact of its reader while he allows it (Tw 11.7a)."""
    message = Message.objects.select_related("customer").filter(pk=message_id).first()
    if message is None:
        return
    record_open(message.mailing_id, by_machine=by_machine)
    if message.state != Message.State.SENT:
        end_doubts([message.pk], now=now)
    if by_machine:
        return
    states = states_of(message.customer, now=now)
    if any(state.purpose.code == OPEN_TRACKING and state.is_allowed for state in states):
        record_fact(message.customer, kind=OPEN, occurred_at=now, source_code=SOURCE, external_id=f"open:{message_id}")


@transaction.atomic
def unsubscribe(message: Message, *, scope: str, method: str, reason: str = "", now: dt.datetime) -> list[Purpose]:
    """Write a no into the ledger and return the purposes it is about; nothing more goes out once this is committed.

    ``scope``: ``purpose`` (what this message was sent for), ``kind`` (all of its sort: all newsletters, or all offers),
    ``commercial`` (all mail but service) or ``everywhere`` (also by post, telephone and text message). ``method``:
    "one-click", "page", "provider", "answer" or "call". ``reason`` (of UnsubscribeReason, or empty) is counted, with
    nobody's name. What is said about mail holds for everybody who shares the mailbox: whoever reads it said no; about a
    text message, for text messages and everybody with that number; on the telephone, for who says it. Saying it twice
    changes nothing. Raises Refused for an unknown scope or reason.
    """
    if scope not in SCOPES or reason not in {"", *UnsubscribeReason.Reason.values}:
        raise Refused("scope", _("Choose what you do not want to receive any more."))
    if method in {"one-click", "page"}:  # the link was in the mail
        end_doubts([message.pk], now=now)
    purpose = message.mailing.purpose
    if purpose.rule == Purpose.Rule.SERVICE and scope != EVERYWHERE:
        scope = ALL_COMMERCIAL
    evidence = {"mailing": message.mailing_id, "message": message.pk, "method": method}
    refused: dict[int, Purpose] = {}
    said_no = False
    for customer, is_own in _at_mailbox(message):
        channels = list(Channel) if scope == EVERYWHERE and is_own else [_channel_of(message)]
        for asked, state in _refusals(customer, purpose, scope, now):
            if asked.channel not in channels:
                continue
            refused[asked.purpose.pk] = asked.purpose
            if state:
                said_no = True
                record_consent(
                    customer, purpose=asked.purpose, channel=asked.channel, state=state, source_code=SOURCE,
                    actor="customer", event_at=now, evidence=evidence,
                )  # fmt: skip
        _withdraw_waiting(customer, refused, channels, now)
    if said_no:
        Mailing.objects.filter(pk=message.mailing_id).update(unsubscribe_count=F("unsubscribe_count") + 1)
        _count_reason(message.mailing_id, reason)
    return list(refused.values())


def _channel_of(message: Message) -> Channel:
    """Return about which channel somebody speaks who answers this message: of a letter too, mail."""
    own = {Message.Channel.SMS: Channel.SMS, Message.Channel.PHONE: Channel.PHONE}
    return own.get(Message.Channel(message.channel), Channel.EMAIL)


def _at_mailbox(message: Message) -> Iterable[tuple[Customer, bool]]:
    """Yield the message's customer and who else has the same mailbox or number, with whether it is the former."""
    is_text = message.channel == Message.Channel.SMS
    point = ContactPoint.Channel.PHONE if is_text else ContactPoint.Channel.EMAIL
    same = ContactPoint.objects.filter(channel=point, value=message.address or "-")
    own = Customer.everyone.filter(pk=message.customer_id).values_list(Coalesce("merged_into", "pk"), flat=True)
    kept = set(own)
    if message.channel == Message.Channel.PHONE:
        same = same.none()  # who speaks for himself does not speak for the house
    for customer in Customer.objects.filter(Q(pk__in=kept) | Q(pk__in=same.values("customer"))).order_by("pk"):
        yield customer, customer.pk in kept


def _refusals(customer: Customer, purpose: Purpose, scope: str, now: dt.datetime) -> Iterable[tuple[State, str]]:
    """Yield the states concerned with the one to record, empty when the ledger says no already."""
    for state in states_of(customer, now=now):
        concerned, is_refused = state.purpose, state.consent and state.consent.state != Consent.State.GRANTED
        if concerned.rule == Purpose.Rule.SERVICE or (scope == THIS and concerned != purpose):
            continue
        if scope != THIS and (concerned.code in PROCESSING or (scope == KIND and concerned.rule != purpose.rule)):
            continue
        if scope != THIS and concerned.rule == Purpose.Rule.OPT_IN and not state.is_allowed:
            continue
        is_objection = scope in {ALL_COMMERCIAL, EVERYWHERE} and concerned.rule == Purpose.Rule.MARKETING
        yield state, "" if is_refused else Consent.State.OBJECTED if is_objection else Consent.State.WITHDRAWN


def _withdraw_waiting(
    customer: Customer, purposes: Iterable[int], channels: Iterable[Channel], now: dt.datetime
) -> None:
    """Take back what waits for this customer; a message that is being marked at this moment makes us wait for it.

    No join: PostgreSQL looks again at the state of a row it had to wait for, but not inside a subquery.
    """
    Message.objects.filter(
        customer=customer,
        mailing__in=Mailing.objects.filter(purpose__in=list(purposes)),
        channel__in=[one.value for one in channels],
        state__in=[Message.State.QUEUED, Message.State.DEFERRED, Message.State.CLAIMED],
    ).update(state=Message.State.WITHDRAWN, withdrawn_because=Message.Withdrawn.NO_PERMISSION, state_at=now, claim=None)


def _count_reason(mailing_id: int, reason: str) -> None:
    if reason:
        execute(
            """INSERT INTO mailings_unsubscribereason AS known (mailing_id, reason, count) VALUES (%s, %s, 1)
            ON CONFLICT (mailing_id, reason) DO UPDATE SET count = known.count + 1""",
            [mailing_id, reason],
        )


@transaction.atomic
def suppress_address(address: str, *, detail: str = "", by: By = None, now: dt.datetime) -> Suppression:
    """Block an address by hand. Raises Refused when it is not one."""
    address = address.strip().lower()
    if not is_email(address):
        raise Refused("address", _("This is not an e-mail address."), field="address")
    values = {"reason": Suppression.Reason.MANUAL, "detail": detail[:300], "since": now, "released_at": None,
              "released_by": ""}  # fmt: skip
    with noted(by):
        current = Suppression.objects.filter(address=address, released_at=None).first()
        return current or Suppression.objects.update_or_create(address=address, defaults=values)[0]


@transaction.atomic
def release_suppression(suppression: Suppression, *, by: By = None, now: dt.datetime) -> None:
    """Let an address be used again. Releasing it twice changes nothing."""
    with noted(by):
        Suppression.objects.filter(pk=suppression.pk, released_at=None).update(released_at=now, released_by=name_of(by))
