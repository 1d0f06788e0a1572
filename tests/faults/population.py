"""What the processes of the rig do with the product: people, a mailing to them, and people who say no meanwhile. Runs
where Django is set up on the rig's database.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from common.errors import Refused
from common.sql import execute
from common.time import clock
from customers.actions.privacy import erase_customer
from customers.consents import record_consent
from customers.models import Consent, ContactPoint, Customer, Purpose, Source
from mailings.actions import change_sending_settings, save_content, start_mailing, unsubscribe
from mailings.models import Message
from tests.factories import CustomerFactory, begin, limit_messages

TEXT = {"type": "text", "data": {"text": '<p>Dag {{ first_name | default: "lezer" }}, er is iets te doen.</p>'}}
BUTTON = {"type": "button", "data": {"text": "Kom kijken", "url": "https://www.example.nl/agenda"}}


def address(key: str, number: int) -> str:
    return f"{key}{number}@example.nl"


def settle() -> None:
    """Make an organisation that may send as much as it likes."""
    begin()
    limit_messages(0)
    change_sending_settings(
        organisation="Bibliotheek Waterland",
        postal_address="Postbus 12, 1440 AA Purmerend",
        sender_name="Bibliotheek Waterland",
        sender_email="nieuws@waterland.example",
        privacy_url="https://www.example.nl/privacy",
    )


def populate(key: str, count: int) -> None:
    """Let so many people come in who said yes to marketing by e-mail."""
    now = clock()
    source, marketing = Source.objects.get(code="library"), Purpose.objects.get(code="marketing")
    people = CustomerFactory.build_batch(count, source=source)
    for number, person in enumerate(people):
        person.number = f"{key}-{number}"
    Customer.objects.bulk_create(people)
    ContactPoint.objects.bulk_create(
        ContactPoint(customer=person, channel="email", value=address(key, number), source=source, updated_at=now)
        for number, person in enumerate(people)
    )
    Consent.objects.bulk_create(
        Consent(
            customer=person, purpose=marketing, channel="email", state="granted", source=source, actor="test",
            event_at=now - dt.timedelta(days=30),
        )
        for person in people
    )  # fmt: skip


def mail(key: str, *, is_held: bool = False) -> None:
    """Start the mailing to those people; whoever comes second finds it started. ``is_held``: it has time."""
    content = save_content(None, name=key, subject="Nieuws voor {{ first_name }}", blocks=[TEXT, BUTTON], now=clock())
    mailing = start_mailing(
        name=key,
        origin="action:1",
        due_key=f"rig:{key}",
        purpose=Purpose.objects.get(code="marketing"),
        channels="email",
        content=content,
        candidates=Customer.objects.filter(number__startswith=f"{key}-"),
        now=clock(),
    )
    if is_held:
        Message.objects.filter(mailing=mailing).update(next_attempt_at=clock() + dt.timedelta(days=1))


def say_no(messages: Sequence[int]) -> None:
    """Let the readers of these messages say no, each in one of three ways, and note when that was known."""
    for number, message_id in enumerate(messages):
        message = Message.objects.select_related("customer", "mailing__purpose").get(pk=message_id)
        try:
            (_unsubscribe, _object, _erase)[number % 3](message)
        except Refused:  # his mail is on its way at this moment: an erasure waits for it
            continue
        execute("INSERT INTO rig.said_no (message_id, known_at) VALUES (%s, clock_timestamp())", [message_id])


def _unsubscribe(message: Message) -> None:
    unsubscribe(message, scope="purpose", method="one-click", now=clock())


def _object(message: Message) -> None:
    record_consent(
        message.customer, purpose=message.mailing.purpose, channel="email", state="objected", source_code="mijnmenu",
        actor="customer", event_at=clock(),
    )  # fmt: skip


def _erase(message: Message) -> None:
    erase_customer(message.customer, ground="request", by="customer", now=clock())
