"""A mail server that really speaks SMTP, keeps what it gets and answers as a test tells it to."""

from __future__ import annotations

import socket
from asyncio import WriteTransport
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import cast

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from django.db import connections
from pytest_django import Settings

from tests.mail_rules import faults_of


@dataclass
class Received:
    """One accepted mail."""

    sender: str
    recipients: list[str]
    content: bytes
    options: list[str] = field(default_factory=list)

    @property
    def message(self) -> EmailMessage:
        return message_from_bytes(self.content, policy=policy.default)


@dataclass
class Sink:
    """The server's memory and its script.

    `at_recipient["a@example.nl"] = ["450 4.2.0 later"]` answers the next RCPT for that address so, once per
    entry; `at_data` answers after the final dot, `at_sender` every MAIL as long as it is set. An answer "drop" closes
    the connection instead; "accept and drop" keeps the mail first. `meanwhile` is done, once, when the mail of that
    number (1 is the first) has come in and before its sender hears that it did.
    """

    host: str = "127.0.0.1"
    port: int = 0
    received: list[Received] = field(default_factory=list)
    at_recipient: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    at_data: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    at_sender: str = ""
    meanwhile: dict[int, Callable[[], object]] = field(default_factory=dict)

    def to(self, address: str) -> list[EmailMessage]:
        """Return the mails accepted for this address, oldest first."""
        return [mail.message for mail in self.received if address in mail.recipients]

    def faults(self) -> list[str]:
        """Return what is wrong with the mails that came in; every test that sends one asks."""
        return [
            fault
            for mail in self.received
            for fault in faults_of(mail.content, sender=mail.sender, recipients=mail.recipients, options=mail.options)
        ]

    async def handle_MAIL(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.at_sender:
            return self.at_sender
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if script := self.at_recipient[address]:
            return self._answer(server, script.pop(0))
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        script = next((self.at_data[address] for address in envelope.rcpt_tos if self.at_data[address]), [])
        answer = script.pop(0) if script else "250 2.0.0 queued"
        if answer.startswith("2") or answer == "accept and drop":
            content = envelope.original_content or b""
            options = list(envelope.mail_options)
            self.received.append(Received(envelope.mail_from or "", list(envelope.rcpt_tos), content, options))
            if work := self.meanwhile.pop(len(self.received), None):
                with ThreadPoolExecutor(1) as pool:  # the database is not for the thread of an event loop
                    pool.submit(_with_own_connection, work).result()
        return self._answer(server, answer)

    def _answer(self, server: SMTP, answer: str) -> str:
        if answer.endswith("drop"):
            cast(WriteTransport, server.transport).abort()
        return answer


def _with_own_connection(work: Callable[[], object]) -> None:
    try:
        work()
    finally:
        connections.close_all()


@pytest.fixture
def smtp_sink(settings: Settings) -> Iterator[Sink]:
    sink = Sink()
    with socket.create_server((sink.host, 0)) as free:  # aiosmtpd calls its own port on starting, so it must know it
        sink.port = free.getsockname()[1]
    controller = Controller(sink, hostname=sink.host, port=sink.port)
    controller.start()
    settings.EMAIL_HOST, settings.EMAIL_PORT = sink.host, sink.port
    yield sink
    controller.stop()
    assert sink.faults() == []
