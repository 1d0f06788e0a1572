"""Mail over the web: a provider of our own that speaks as Mailgun does, well and badly."""

import os
import re
import socket
import ssl
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from email import message_from_bytes
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from customers.models import Customer
from mailings.actions import save_relay
from mailings.delivery import Envelope, try_out
from mailings.delivery.providers import Provider
from mailings.models import Mailing, Message, Relay, Suppression
from mailings.worker import send_ready
from wise_marketing.environment import parse_relay

Start = Callable[..., Mailing]
Reader = Callable[..., Customer]
CERTIFICATE = Path(__file__).parent / "localhost.pem"
MAIL = Envelope(
    7, "bounce@waterland.example", "anna@example.nl",
    b"DKIM-Signature: v=1; b=x\r\nFrom: Bieb Waterland <nieuws@waterland.example>\r\nTo: anna@example.nl\r\n"
    b"Subject: =?utf-8?q?Caf=C3=A9?=\r\nMessage-ID: <mailing.1.7.x@waterland.example>\r\n"
    b"List-Unsubscribe: <https://crm.example.nl/m/u/x>\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
    b'MIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary="=_b"\r\n\r\n'
    b"\r\n--=_b\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
    b"Dag Zo=C3=AB"
    b"\r\n--=_b\r\nContent-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
    b'<p title=3D"x">Dag Zo=C3=AB</p>\r\n--=_b--\r\n',
)  # fmt: skip


class Mailgun(ThreadingHTTPServer):
    """What it does to a mail stands in the recipient's address: a status, ``drop`` or ``hang``."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Asked)
        self.asked: list[dict[str, str]] = []
        self.let_go = threading.Event()


class Asked(BaseHTTPRequestHandler):
    server: Mailgun
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        fields = fields_of(body, self.headers["Content-Type"])
        self.server.asked.append({**fields, "path": self.path, "key": self.headers["Authorization"] or ""})
        to = fields["to"].partition("@")[0]
        if to == "drop":
            self.close_connection = True
            return
        if to == "hang":
            self.server.let_go.wait(60)
        code = int(to) if to.isdigit() else 200
        answer = b'{"id": "<1@mailgun>", "message": "Queued. Thank you."}' if code == 200 else b'{"message": "no"}'
        self.send_response(code)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        pass


def fields_of(body: bytes, content_type: str) -> dict[str, str]:
    """Read a form, in either of the two ways in which it may be written."""
    mail = message_from_bytes(b"Content-Type: " + content_type.encode() + b"\r\n\r\n" + body)
    if mail.is_multipart():
        found = {}
        for part in mail.walk():
            if name := re.search(r'name="([^"]+)"', part.get("Content-Disposition", "")):
                found[name[1]] = part.get_payload(decode=True).decode()
        return found
    return dict(parse_qsl(body.decode()))


@pytest.fixture
def mailgun(settings: Settings) -> Iterator[Mailgun]:
    with Mailgun() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        port = server.server_address[1]
        settings.ANYMAIL = {"MAILGUN_API_KEY": "geheim", "MAILGUN_API_URL": f"http://127.0.0.1:{port}/v3"}
        settings.RELAYS = {"RELAY_WEB": parse_relay("anymail:mailgun")}
        yield server
        server.let_go.set()
        server.shutdown()
        thread.join()


@pytest.fixture
def relay(mailgun: Mailgun, db: None) -> Relay:
    return save_relay(
        None, variable="RELAY_WEB", name="Web", weight=1, connections=3, per_second=None, is_active=True
    )  # fmt: skip


def test_the_provider_gets_the_message_with_our_number_and_follows_nobody(mailgun: Mailgun) -> None:
    outcome = Provider("mailgun").send(MAIL)
    assert (outcome.state, outcome.reply, outcome.reached) == ("sent", "queued <1@mailgun>", True)
    (asked,) = mailgun.asked
    assert asked["path"] == "/v3/waterland.example/messages"
    assert (asked["to"], asked["subject"]) == ("anna@example.nl", "Café")
    assert "nieuws@waterland.example" in asked["from"]
    assert asked["text"].strip() == "Dag Zoë"
    assert asked["html"].strip() == '<p title="x">Dag Zoë</p>'
    headers = {name.lower(): value for name, value in asked.items() if name.startswith("h:")}
    assert headers["h:list-unsubscribe"] == "<https://crm.example.nl/m/u/x>"
    assert headers["h:list-unsubscribe-post"] == "List-Unsubscribe=One-Click"
    assert headers["h:message-id"] == "<mailing.1.7.x@waterland.example>"
    assert (asked["v:wise_message"], asked["o:tracking-clicks"], asked["o:tracking-opens"]) == ("7", "no", "no")
    assert "h:dkim-signature" not in headers


@pytest.mark.parametrize(
    ("to", "state", "reached", "pause"),
    [
        ("400", "failed", True, False),
        ("401", "deferred", False, True),
        ("404", "deferred", False, True),
        ("429", "deferred", True, False),
        ("503", "deferred", True, False),
        ("500", "in_doubt", True, False),
        ("drop", "in_doubt", True, False),
        ("hang", "in_doubt", True, False),
    ],
)
def test_what_a_no_means(mailgun: Mailgun, settings: Settings, to: str, state: str, reached: bool, pause: bool) -> None:
    settings.ANYMAIL["REQUESTS_TIMEOUT"] = (5, 0.5) if to == "hang" else 60
    outcome = Provider("mailgun").send(MAIL._replace(recipient=f"{to}@example.nl"))
    assert (outcome.state, outcome.reached, outcome.pause) == (state, reached, pause)
    assert "geheim" not in outcome.reply


def test_a_provider_that_was_not_reached_may_be_asked_again(mailgun: Mailgun, settings: Settings) -> None:
    for address in ("http://127.0.0.1:9/v3", "http://geen.invalid/v3", "geen adres"):
        settings.ANYMAIL["MAILGUN_API_URL"] = address
        outcome = Provider("mailgun").send(MAIL)
        assert (outcome.state, outcome.reached, outcome.is_unreachable) == ("deferred", False, True), address


@pytest.fixture
def breaks_off(settings: Settings) -> Iterator[list[bytes]]:
    """A provider over TLS that takes the whole message and then says something that no TLS can read."""
    context, heard = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), list[bytes]()
    context.load_cert_chain(CERTIFICATE)

    def serve(door: socket.socket) -> None:
        taken, _address = door.accept()
        try:
            with context.wrap_socket(taken, server_side=True) as line:
                while b"Dag" not in b"".join(heard):
                    if not (part := line.recv(65_536)):
                        return
                    heard.append(part)
                os.write(line.fileno(), b"this is not TLS" * 10)
                line.unwrap()
        except OSError:  # the other side does not trust us, or hung up
            pass

    with socket.create_server(("127.0.0.1", 0)) as door:
        thread = threading.Thread(target=serve, args=(door,), daemon=True)
        thread.start()
        port = door.getsockname()[1]
        settings.ANYMAIL = {"MAILGUN_API_KEY": "geheim", "MAILGUN_API_URL": f"https://localhost:{port}/v3"}
        yield heard
        thread.join(60)


def test_a_secure_line_that_breaks_after_the_message_leaves_a_doubt(
    breaks_off: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(CERTIFICATE))
    outcome = Provider("mailgun").send(MAIL)
    assert b"Dag" in b"".join(breaks_off)
    assert (outcome.state, outcome.reached) == ("in_doubt", True)


def test_a_secure_line_that_never_came_about_may_be_tried_again(breaks_off: list[bytes]) -> None:
    outcome = Provider("mailgun").send(MAIL)  # nobody vouches for this certificate
    assert (outcome.state, outcome.reached, outcome.is_unreachable) == ("deferred", False, True)
    assert breaks_off == []


def test_a_message_that_cannot_be_taken_apart_fails_by_itself(mailgun: Mailgun) -> None:
    outcome = Provider("mailgun").send(MAIL._replace(content=MAIL.content.replace(b"utf-8", b"geen-letters")))
    assert (outcome.state, outcome.reached) == ("failed", False)
    assert mailgun.asked == []


def test_a_setting_that_is_wrong_fails_nobody(mailgun: Mailgun, settings: Settings) -> None:
    settings.ANYMAIL["REQUESTS_TIMEOUT"] = "tien"
    outcome = Provider("mailgun").send(MAIL)
    assert (outcome.state, outcome.reached) == ("deferred", True)
    settings.ANYMAIL["REQUESTS_TIMEOUT"] = 10
    settings.ANYMAIL["MAILGUN_SENDER_DOMAIN"] = "geen/domein"
    outcome = Provider("mailgun").send(MAIL)
    assert (outcome.state, outcome.reached) == ("deferred", True)
    assert mailgun.asked == []


def test_without_its_key_nothing_is_lost(mailgun: Mailgun, settings: Settings) -> None:
    settings.ANYMAIL = {}
    outcome = Provider("mailgun").send(MAIL)
    assert (outcome.state, outcome.pause, outcome.reached) == ("deferred", True, False)
    assert "MAILGUN_API_KEY" in outcome.reply
    assert "MAILGUN_API_KEY" in try_out("RELAY_WEB")
    assert mailgun.asked == []


def states(mailing: Mailing) -> dict[str, int]:
    return dict(Counter(Message.objects.filter(mailing=mailing).values_list("state", flat=True)))


@pytest.mark.django_db(transaction=True)
def test_a_mailing_goes_over_the_web_with_the_same_states(
    start: Start, reader: Reader, readers: Any, relay: Relay, mailgun: Mailgun
) -> None:
    readers(12)
    for name in ("400", "429", "500"):
        reader(email=f"{name}@example.nl")
    mailing = start(now=timezone.now())
    summary = send_ready(seconds=30)
    assert summary.counts == states(mailing) == {"sent": 12, "failed": 1, "deferred": 1, "in_doubt": 1}
    assert set(Message.objects.values_list("relay", flat=True)) == {"Web"}
    numbers = Counter(int(asked["v:wise_message"]) for asked in mailgun.asked)
    assert numbers == Counter(Message.objects.values_list("pk", flat=True))
    assert not Suppression.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_key_that_is_refused_pauses_the_mailing(start: Start, reader: Reader, relay: Relay, mailgun: Mailgun) -> None:
    reader(email="401@example.nl")
    mailing = start(now=timezone.now())
    send_ready(seconds=30)
    mailing.refresh_from_db()
    assert (mailing.state, states(mailing)) == ("paused", {"deferred": 1})
    assert mailing.pause_reason.startswith("401")


@pytest.mark.django_db(transaction=True)
def test_a_provider_that_is_away_ends_the_run(start: Start, readers: Any, relay: Relay, settings: Settings) -> None:
    settings.ANYMAIL["MAILGUN_API_URL"] = "http://127.0.0.1:9/v3"
    readers(10)
    mailing = start(now=timezone.now())
    began = time.monotonic()
    assert send_ready(seconds=60).is_unreachable
    assert time.monotonic() - began < 50  # and does not go on for the whole minute
    assert states(mailing) == {"deferred": 3, "queued": 7}
    assert set(Message.objects.values_list("attempts", flat=True)) == {0}


def test_the_page_says_how_it_goes_and_looks_at_the_settings(
    client: Client, administrator: User, relay: Relay, settings: Settings
) -> None:
    client.force_login(administrator)
    assert "Mailgun" in client.get(reverse("workbench:relay_list")).content.decode()
    page = client.post(reverse("workbench:relay_try", args=[relay.pk]), follow=True).content.decode()
    assert "compleet" in page or "are complete" in page
    settings.ANYMAIL = {}
    page = client.post(reverse("workbench:relay_try", args=[relay.pk]), follow=True).content.decode()
    assert "MAILGUN_API_KEY" in page


@pytest.mark.parametrize("text", ["anymail:", "anymail:geen", "anymail:../x", "http://x"])
def test_only_providers_that_are_known_can_be_set(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the settings make words of it
        parse_relay(text)
