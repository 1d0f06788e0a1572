"""What EMAIL_URL can ask for: a password, TLS; and what happens when the server does not agree."""

import socket
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from mailings.delivery import Connection, Envelope
from mailings.models import Mailing, Message
from mailings.worker import send_ready
from tests.smtp_sink import Sink

# aiosmtpd warns that a password over a plain connection is unsafe; here nobody listens.
pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS:UserWarning")

CERTIFICATE = Path(__file__).parent / "localhost.pem"
MAIL = Envelope(1, "a@example.nl", "b@example.nl", b"Subject: x\r\n\r\nx\r\n")
Serve = Callable[..., Sink]


@pytest.fixture
def serve(settings: Any) -> Iterator[Serve]:
    running: list[Controller] = []

    def start(**options: Any) -> Sink:
        sink = Sink()
        with socket.create_server((sink.host, 0)) as free:
            sink.port = free.getsockname()[1]
        controller = Controller(sink, hostname=sink.host, port=sink.port, auth_require_tls=False, **options)
        controller.start()
        running.append(controller)
        settings.EMAIL_HOST, settings.EMAIL_PORT = sink.host, sink.port
        return sink

    yield start
    for controller in running:
        controller.stop()


def check(password: bytes) -> Callable[..., AuthResult]:
    def authenticate(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        return AuthResult(success=data.password == password, handled=False)

    return authenticate


def test_the_password_is_given(serve: Serve, settings: Any) -> None:
    sink = serve(authenticator=check(b"geheim"), auth_required=True)
    settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = "nieuws", "geheim"
    assert Connection().send(MAIL).state == "sent"
    assert len(sink.received) == 1


@pytest.mark.parametrize(
    ("options", "changes", "words"),
    [
        ({"authenticator": check(b"anders"), "auth_required": True}, {"EMAIL_HOST_USER": "x"}, "535"),
        ({"authenticator": check(b"anders"), "auth_required": True}, {}, "530"),
        ({}, {"EMAIL_USE_TLS": True}, "STARTTLS"),
    ],
)
def test_a_server_that_will_not_have_us_is_said_to_be_so_and_nothing_is_lost(
    serve: Serve, settings: Any, options: dict[str, Any], changes: dict[str, Any], words: str
) -> None:
    sink = serve(**options)
    for name, value in changes.items():
        setattr(settings, name, value)
    outcome = Connection().send(MAIL)
    assert (outcome.state, outcome.pause, outcome.reached, outcome.suppress) == ("deferred", True, False, False)
    assert words in outcome.reply
    assert sink.received == []


@pytest.mark.django_db(transaction=True)
def test_a_wrong_password_pauses_the_mailing(
    serve: Serve, settings: Any, start: Callable[..., Mailing], readers: Any
) -> None:
    serve(authenticator=check(b"anders"), auth_required=True)
    settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = "nieuws", "geheim"
    readers(20)
    mailing = start()
    send_ready(seconds=20)
    mailing.refresh_from_db()
    assert mailing.state == "paused"
    assert "535" in mailing.pause_reason
    assert set(Message.objects.values_list("state", "attempts")) <= {("queued", 0), ("deferred", 0)}


@pytest.fixture
def tls() -> ssl.SSLContext:
    """A certificate for localhost that nobody signed, made for these tests."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    return context


@pytest.mark.parametrize("kind", ["starttls", "smtps"])
@pytest.mark.parametrize("is_trusted", [True, False])
def test_only_a_server_with_a_good_certificate_gets_our_mail(
    serve: Serve, settings: Any, tls: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch, kind: str, is_trusted: bool
) -> None:
    if is_trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
    if kind == "starttls":
        sink = serve(tls_context=tls, require_starttls=True)
        settings.EMAIL_USE_TLS = True
    else:
        sink = serve(ssl_context=tls)
        settings.EMAIL_USE_SSL = True
    outcome = Connection().send(MAIL)
    assert outcome.state == ("sent" if is_trusted else "deferred")
    assert len(sink.received) == is_trusted
    assert is_trusted or "CERTIFICATE_VERIFY_FAILED" in outcome.reply


def test_a_connection_serves_many_mails(serve: Serve) -> None:
    sink = serve()
    connection = Connection()
    for number in range(5):
        assert connection.send(MAIL._replace(message_id=number)).state == "sent"
    connection.quit()
    assert len(sink.received) == 5


def test_a_refused_reader_does_not_cost_the_connection(serve: Serve) -> None:
    sink = serve()
    sink.at_recipient["weg@example.nl"] = ["550 5.1.1 unknown"]
    connection = Connection()
    refused = connection.send(MAIL._replace(recipient="weg@example.nl"))
    open_before = connection._smtp
    assert (refused.state, refused.suppress) == ("failed", True)
    assert connection.send(MAIL).state == "sent"
    assert connection._smtp is open_before
    connection.quit()


def test_a_server_that_closes_after_a_refusal_is_called_again(serve: Serve) -> None:
    sink = serve()
    sink.at_recipient["vol@example.nl"] = ["421 4.3.2 too busy"]
    connection = Connection()
    assert connection.send(MAIL._replace(recipient="vol@example.nl")).state == "deferred"
    assert connection._smtp is None
    assert connection.send(MAIL).state == "sent"
    connection.quit()
