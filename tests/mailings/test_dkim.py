"""Signatures: another program finds them good, and finds out when anything was changed."""

import datetime as dt
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import dkim
import dns.message
import dns.rcode
import dns.rrset
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key as generate_rsa
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation
from dkim.canonicalization import Relaxed
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from customers.models import Customer
from mailings.delivery import look_up_texts, wrong_with
from mailings.dkim import _fields, _relaxed_body, signed, signers, signers_of
from mailings.models import Mailing
from mailings.worker import send_ready
from tests.smtp_sink import Sink
from wise_marketing.environment import parse_signing_key

RSA = generate_rsa(public_exponent=65537, key_size=2048)
ED25519 = Ed25519PrivateKey.generate()
OTHER = Ed25519PrivateKey.generate()
NOW = dt.datetime(2026, 6, 15, 8, tzinfo=dt.UTC)
MAIL = (
    b"From: Bieb <nieuws@waterland.example>\r\nTo: anna@example.nl\r\n"
    b"Subject: =?utf-8?q?Nieuws?=\r\n in twee  regels\r\n"
    b"Date: Mon, 15 Jun 2026 10:00:00 +0200\r\nMessage-ID: <a@b>\r\nMIME-Version: 1.0\r\n"
    b"Content-Type: text/plain; charset=utf-8\r\n\r\nDag  Anna, \t\r\n\r\n  er is iets.\r\n\r\n\r\n"
)


def setting(key: Any, place: str = "wise._domainkey.waterland.example") -> dict[str, str]:
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    return parse_signing_key(f"{place}\n{pem}")


@pytest.fixture
def use(settings: Settings) -> Callable[..., None]:
    def keys(*chosen: dict[str, str]) -> None:
        settings.DKIM = {f"DKIM_{number}": one for number, one in enumerate(chosen)}

    return keys


def published(name: bytes, **_options: Any) -> bytes | None:
    """Answer as the DNS would, with what our page says to put there."""
    found = {f"{one.place}.": one.record for one in signers()}
    text = found.get(name.decode())
    return text.encode() if text else None


def is_good(mail: bytes, number: int = 0) -> bool:
    try:
        return bool(dkim.DKIM(mail).verify(idx=number, dnsfunc=published))
    except dkim.ValidationError:
        return False


@pytest.mark.parametrize("key", [RSA, ED25519], ids=["rsa", "ed25519"])
def test_another_program_finds_the_signature_good(use: Callable[..., None], key: Any) -> None:
    use(setting(key))
    mail = signed(MAIL, author="nieuws@waterland.example", now=NOW)
    assert mail.endswith(MAIL)
    assert is_good(mail)


@pytest.mark.parametrize("key", [RSA, ED25519], ids=["rsa", "ed25519"])
@pytest.mark.parametrize(
    ("was", "becomes", "stays_good"),
    [
        (b"er is iets", b"er is niets", False),
        (b"Subject: =?utf-8?q?Nieuws?=", b"Subject: Oud", False),
        (b"From: Bieb", b"From: Dief", False),
        (b"To: anna", b"Subject: Ook dit\r\nTo: anna", False),
        (b"To: anna", b"Reply-To: dief@example.org\r\nTo: anna", False),
        (b"To: anna", b"List-Unsubscribe: <https://dief.example>\r\nTo: anna", False),
        (b"\r\n in twee  regels", b" in\r\n\ttwee regels", True),
        (b"Dag  Anna, \t\r\n", b"Dag Anna,\r\n", True),
        (b"To: anna", b"Received: from elsewhere\r\nTo: anna", True),
    ],
)
def test_what_is_changed_on_the_way_shows_and_what_is_folded_does_not(
    use: Callable[..., None], key: Any, was: bytes, becomes: bytes, stays_good: bool
) -> None:
    use(setting(key))
    mail = signed(MAIL, author="nieuws@waterland.example", now=NOW)
    assert mail.count(was) == 1
    assert is_good(mail.replace(was, becomes)) is stays_good


def test_one_key_of_each_kind_gives_two_signatures(use: Callable[..., None]) -> None:
    use(setting(RSA), setting(ED25519, "wise-ed._domainkey.waterland.example"))
    mail = signed(MAIL, author="nieuws@waterland.example", now=NOW)
    assert (is_good(mail, 0), is_good(mail, 1)) == (True, True)


def test_the_nearest_domain_signs_and_others_do_not(use: Callable[..., None]) -> None:
    edam = setting(ED25519, "edam._domainkey.edam.waterland.example")
    use(setting(RSA), edam, setting(OTHER, "x._domainkey.elders.nl"))
    signs = {
        address: [one.selector for one in signers_of(address)]
        for address in ("a@waterland.example", "a@bieb.Edam.waterland.example", "a@purmer.waterland.example", "a@b.nl",
                        "a@nietwaterland.example")
    }  # fmt: skip
    assert list(signs.values()) == [["wise"], ["edam"], ["wise"], [], []]
    assert signed(MAIL, author="a@b.nl", now=NOW) == MAIL


@pytest.mark.django_db(transaction=True)
def test_every_mail_of_a_mailing_is_signed(
    start: Callable[..., Mailing], readers: Callable[[int], list[Customer]], smtp_sink: Sink, use: Callable[..., None]
) -> None:
    use(setting(RSA), setting(ED25519, "wise-ed._domainkey.waterland.example"))
    readers(5)
    start(now=timezone.now())
    send_ready(seconds=30)
    assert len(smtp_sink.received) == 5
    for mail in smtp_sink.received:
        assert (is_good(mail.content, 0), is_good(mail.content, 1)) == (True, True)
        covered = mail.message["DKIM-Signature"].replace(" ", "").partition("h=")[2].partition(";")[0].split(":")
        assert {"list-unsubscribe", "list-unsubscribe-post", "from", "subject", "content-type"} <= set(covered)


LINES = st.lists(st.text(alphabet=" \tab.=", max_size=20), max_size=12).map(lambda lines: "\r\n".join(lines).encode())


@given(LINES)
def test_bodies_are_relaxed_as_another_program_does(body: bytes) -> None:
    assert _relaxed_body(body) == Relaxed.canonicalize_body(body + (b"\r\n" if body else b""))


@given(st.lists(st.text(alphabet=" \tab:=", max_size=30), min_size=1, max_size=4))
def test_headers_are_relaxed_as_another_program_does(parts: list[str]) -> None:
    value = "\r\n x".join(parts).encode()
    ((name, line),) = _fields(b"Subject: " + value)
    assert [(name.encode(), line)] == [
        (one, one + b":" + rest) for one, rest in Relaxed.canonicalize_headers([(b"Subject", b" " + value + b"\r\n")])
    ]


def test_a_key_is_read_in_several_forms() -> None:
    pem = ED25519.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    line = "".join(pem.splitlines()[1:-1])
    place = "Wise._domainkey.Waterland.example"
    forms = [f"{place}\n{pem}", f"{place} {line}", f"{place} " + pem.replace("\n", "\\n")]
    assert [parse_signing_key(form) for form in forms] == [setting(ED25519)] * 3


@pytest.mark.parametrize(
    "text",
    [
        "wise._domainkey.waterland.example",
        f"waterland.example {ED25519.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()}",
        "wise._domainkey.waterland.example geen sleutel",
        "wise._domainkey.waterland.example "
        + generate_private_key(SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(),
        "wise._domainkey.waterland.example "
        + ED25519.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"geheim")).decode(),
    ],
    ids=["no key", "no name", "no base64", "another kind", "with a password"],
)
def test_what_cannot_sign_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the settings make words of it
        parse_signing_key(text)


# --- the DNS ----------------------------------------------------------------------------------------------------------


@contextmanager
def serving(texts: dict[str, list[str]]) -> Iterator[str]:
    """A DNS server that knows these texts; gives host:port."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as door:
        door.bind(("127.0.0.1", 0))
        door.settimeout(0.1)
        is_over = threading.Event()

        def serve() -> None:
            while not is_over.is_set():
                try:
                    asked, guest = door.recvfrom(4096)
                except TimeoutError:
                    continue
                question = dns.message.from_wire(asked)
                answer = dns.message.make_response(question)
                name = question.question[0].name
                if found := texts.get(name.to_text(omit_final_dot=True)):
                    pieces = [" ".join(f'"{text[at : at + 200]}"' for at in range(0, len(text), 200)) for text in found]
                    answer.answer.append(dns.rrset.from_text(name, 60, "IN", "TXT", *pieces))
                else:
                    answer.set_rcode(dns.rcode.NXDOMAIN)
                door.sendto(answer.to_wire(), guest)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"127.0.0.1:{door.getsockname()[1]}"
        is_over.set()
        thread.join()


@pytest.mark.parametrize("key", [RSA, ED25519], ids=["rsa", "ed25519"])
def test_the_published_half_of_a_key_is_checked(use: Callable[..., None], settings: Settings, key: Any) -> None:
    use(setting(key))
    (signer,) = signers()
    texts: dict[str, list[str]] = {}
    with serving(texts) as settings.DNS_SERVER, translation.override("en"):
        assert "no such record" in wrong_with(signer)
        texts[signer.place] = ["v=spf1 -all"]
        assert "no such record" in wrong_with(signer)
        texts[signer.place] = ["v=DKIM1; k=ed25519; p=AAAA"]
        assert "another key" in wrong_with(signer)
        texts[signer.place] = [signer.record]
        assert wrong_with(signer) == ""
        texts[signer.place] = [signer.record, "v=DKIM1; k=ed25519; p=AAAA"]
        assert "several" in wrong_with(signer)
        assert "does not answer" in look_up_texts(f"{'x' * 70}.example").words


@pytest.mark.django_db
def test_the_page_shows_what_to_publish_and_who_signs_what(
    client: Client, administrator: User, use: Callable[..., None], settings: Settings, house: Any
) -> None:
    use(setting(ED25519))
    (signer,) = signers()
    client.force_login(administrator)
    page = client.get(reverse("workbench:relay_list")).content.decode()
    assert signer.place in page
    assert signer.record in page
    assert setting(ED25519)["key"] not in page
    with serving({signer.place: [signer.record]}) as settings.DNS_SERVER:
        page = client.post(reverse("workbench:relay_records"), follow=True).content.decode()
    assert "is published as it should be" in page or "staat goed" in page
