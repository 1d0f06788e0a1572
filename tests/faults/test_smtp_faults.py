"""Connections that break at every step: what the database says must agree with what the server took."""

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from customers.models import Customer
from mailings import delivery, worker
from mailings.models import Mailing, Message
from tests.faults.scripted_smtp import Server

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def now() -> Any:
    return timezone.now()


@pytest.mark.parametrize(
    ("address", "state", "is_taken"),
    [
        ("drop-at-rcpt@example.nl", "deferred", False),
        ("drop-after-dot@example.nl", "in_doubt", False),
        ("accept-and-drop@example.nl", "in_doubt", True),
        ("gewoon@example.nl", "sent", True),
    ],
)
def test_a_connection_lost_before_the_dot_defers_and_after_it_leaves_a_doubt(
    start: Callable[..., Mailing], reader: Callable[..., Customer], mail_server: Server,
    address: str, state: str, is_taken: bool,
) -> None:  # fmt: skip
    reader(email=address)
    start()
    worker.send_ready(seconds=20)
    message = Message.objects.get()
    assert message.state == state, message.reply
    assert (len(mail_server.accepted()) == 1) is is_taken


def test_a_connection_lost_in_the_body_defers(mail_server: Server) -> None:
    """The body is larger than any buffer on the way, so the loss shows before the dot."""
    content = b"Subject: x\r\n\r\n" + b"x" * 70 + b"\r\n" * 10_000_000
    connection = delivery.Connection()
    outcome = connection.send(delivery.Envelope(1, "a@example.nl", "drop-in-body@example.nl", content))
    assert outcome.state == "deferred", outcome
    assert mail_server.accepted() == []


def test_faults_of_all_kinds_at_once_lose_and_repeat_nothing(
    start: Callable[..., Mailing], reader: Callable[..., Customer], mail_server: Server
) -> None:
    kinds = ["drop-at-rcpt", "drop-in-body", "drop-after-dot", "accept-and-drop", *["gewoon"] * 6]
    for number in range(100):
        reader(email=f"{kinds[number % 10]}{number}@example.nl")
    mailing = start()
    worker.send_ready(seconds=30, connections=5)
    taken = [line.split()[0] for line in mail_server.accepted()]
    assert len(taken) == len(set(taken)) == 70
    by_state: dict[str, set[str]] = {}
    for address, state in Message.objects.filter(mailing=mailing).values_list("address", "state"):
        by_state.setdefault(state, set()).add(address.partition("@")[0].rstrip("0123456789"))
    assert by_state["sent"] == {"gewoon"}
    # A short body may be on its way, dot and all, before the client can notice that nobody reads it.
    assert by_state["in_doubt"] - {"drop-in-body"} == {"drop-after-dot", "accept-and-drop"}
    assert by_state["deferred"] - {"drop-in-body"} == {"drop-at-rcpt"}
    assert sum(map(len, by_state.values())) in {5, 6}


def test_an_idle_connection_that_the_server_closed_is_opened_again_without_loss(
    start: Callable[..., Mailing], reader: Callable[..., Customer], mail_server: Server
) -> None:
    connection = delivery.Connection()
    envelope = delivery.Envelope(1, "a@example.nl", "b@example.nl", b"Subject: x\r\n\r\nx\r\n")
    assert connection.send(envelope).state == "sent"
    assert connection._smtp is not None
    assert connection._smtp.sock is not None
    connection._smtp.sock.shutdown(2)
    assert connection.send(envelope._replace(message_id=2)).state == "sent"
    assert mail_server.connections == 2
    connection.quit()
