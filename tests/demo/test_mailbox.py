import asyncio
import json
import smtplib
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path

import pytest
from aiosmtpd.smtp import Envelope

from demo.mailbox import INDEX, Mailbox
from demo.ports import free_port
from demo.processes import Children

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[int, Path]]:
    port, folder = free_port(), tmp_path / "mailbox"
    command = [sys.executable, "-m", "demo.mailbox", "--port", str(port), "--folder", str(folder)]
    with Children(tmp_path / "log", environment={"PYTHONPATH": str(ROOT)}) as children:
        children.start("mailbox", command, is_ready=lambda child: "mailbox: " in child.log.read_text())
        yield port, folder


def mail(to: str, subject: str = "Gefeliciteerd!") -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "bibliotheek@example.nl", to, subject
    message.set_content("Kom u langs?\n")
    return message


def index(folder: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (folder / INDEX).read_text(encoding="utf-8").splitlines()]


def test_accepted_mail_is_kept_as_a_file_and_in_the_index(server: tuple[int, Path]) -> None:
    port, folder = server
    with smtplib.SMTP("127.0.0.1", port) as client:
        client.send_message(mail("truus@example.nl", "Zoë, een bon voor u"))
        client.send_message(mail("jaap@example.nl"))
    assert sorted(path.name for path in folder.glob("*.eml")) == ["000001.eml", "000002.eml"]
    assert b"Kom u langs?" in (folder / "000001.eml").read_bytes()
    first, second = index(folder)
    assert (first["n"], first["to"], first["subject"]) == (1, ["truus@example.nl"], "Zoë, een bon voor u")
    assert second["from"] == "bibliotheek@example.nl"


def test_addresses_that_bounce_are_refused_for_good_and_nothing_is_kept(server: tuple[int, Path]) -> None:
    port, folder = server
    with smtplib.SMTP("127.0.0.1", port) as client:
        with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
            client.send_message(mail("Bounce.jansen@example.nl"))
        assert refused.value.recipients["Bounce.jansen@example.nl"][0] == 550
        client.send_message(mail("truus@example.nl"))
    assert len(list(folder.glob("*.eml"))) == len(index(folder)) == 1


def test_numbering_goes_on_after_a_restart(tmp_path: Path) -> None:
    envelope = Envelope()
    envelope.original_content, envelope.rcpt_tos = b"Subject: Hoi\r\n\r\nDag", ["a@example.nl"]
    assert Mailbox(tmp_path).keep(envelope, datetime.now(UTC)) == 1
    assert Mailbox(tmp_path).keep(envelope, datetime.now(UTC)) == 2
    assert [line["n"] for line in index(tmp_path)] == [1, 2]
    assert not list(tmp_path.glob("*.half"))


def test_several_connections_at_once_lose_nothing(server: tuple[int, Path]) -> None:
    port, folder = server

    def send(number: int) -> None:
        with smtplib.SMTP("127.0.0.1", port) as client:
            for place in range(5):
                client.send_message(mail(f"klant{number}.{place}@example.nl"))

    async def send_all() -> None:
        await asyncio.gather(*(asyncio.to_thread(send, number) for number in range(6)))

    asyncio.run(send_all())
    recipients = {line["to"][0] for line in index(folder)}  # type: ignore[index]
    assert len(recipients) == len(list(folder.glob("*.eml"))) == 30
