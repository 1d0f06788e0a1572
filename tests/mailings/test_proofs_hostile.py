"""Texts that break things, through every field of a customer and of a mail, to mail, paper, page and file: they arrive
as they were, and do nothing.

``blns.json`` is the Big List of Naughty Strings (MIT, ``blns.LICENSE``).
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

import pytest
import tinyhtml5  # type: ignore[import-untyped]
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Dialog, Page
from pypdf import PdfReader
from pytest_django.live_server_helper import LiveServer

from customers.models import ContactPoint, Customer, Purpose, Source
from labels.exports import csv_lines
from mailings.actions import print_letters
from mailings.models import Content, Mailing
from mailings.worker import send_ready
from tests.factories import CustomerFactory
from tests.mail_rules import faults_of
from tests.smtp_sink import Sink

OWN = [
    "{{ first_name }}", "{{ 7*7 }}", "{% debug %}", "%(organisation)s", "${7*7}", "#{7*7}", "{first_name.__class__}",
    "a\r\nBcc: dief@example.org", "a\nSubject: anders", "a\r\n\r\n<html>", ".\r\n", "\r\n.\r\nMAIL FROM:<a@b.nl>",
    "=?utf-8?q?=3Cscript=3E?=", '"><img src=x onerror=alert(1)>', "=cmd|' /C calc'!A0", "@SUM(1+1)*cmd|' /C calc'!A0",
    "+1+1", "-1+1", "\tx", "ⓁⒾⓃⓀ https://example.org/", "a@b.nl, c@d.nl", "x" * 80,
]  # fmt: skip
BLNS: list[str] = json.loads((Path(__file__).parent / "blns.json").read_text())
TEXTS = [text for text in dict.fromkeys(one[:150] for one in BLNS + OWN) if text.strip()]
#: Elements and attributes that act, load or lead somewhere.
ACTING = {"script", "iframe", "object", "embed", "img", "svg", "style", "link", "form", "base", "meta", "video",
          "audio", "body", "a", "button", "input", "math", "template"}  # fmt: skip
FIELDS = {"first_name": 80, "last_name": 100, "city": 80, "street": 100, "name_prefix": 20, "initials": 20,
          "house_number_addition": 20}  # fmt: skip


def bare(text: str) -> str:
    """Return a text without what no header, page or file promises to keep: spaces, line ends and control signs."""
    return "".join(sign for sign in text if not sign.isspace() and unicodedata.category(sign) != "Cc")


def elements(html: str) -> list[Element]:
    """Return the elements as a browser would see them."""
    tree = tinyhtml5.parse(html, namespace_html_elements=False)
    return [one for one in tree.iter() if isinstance(one.tag, str)]


def acts(html: str) -> Counter[tuple[str, str]]:
    """Return the elements and attributes of a page that could do something."""
    found: Counter[tuple[str, str]] = Counter()
    for one in elements(html):
        if one.tag.lower() in ACTING:
            found[(one.tag.lower(), "")] += 1
        found.update((one.tag.lower(), name.lower()) for name in one.attrib if name.lower().startswith("on"))
    return found


def seen(html: str) -> str:
    tree = tinyhtml5.parse(html, namespace_html_elements=False)
    return bare("".join(tree.find("body").itertext()))


def part_of(mail: EmailMessage, kind: str) -> str:
    part = mail.get_body((kind,))
    assert part is not None
    return str(part.get_content())


def mailbox(person: Customer) -> str:
    return f"{person.number.lower()}@example.nl"


@pytest.fixture
def now() -> dt.datetime:
    return timezone.now()


@pytest.fixture
def crowd(house: Any) -> Callable[[Iterable[str]], list[Customer]]:
    """Let customers come in of whom each text is once each field, straight into the table as an import might."""

    def make(texts: Iterable[str]) -> list[Customer]:
        texts, source = list(texts), Source.objects.get(code="library")
        people = CustomerFactory.build_batch(len(texts), source=source)
        for number, person in enumerate(people):
            person.number = f"H{number:04d}"
            for shift, (name, length) in enumerate(FIELDS.items()):
                setattr(person, name, texts[(number + shift) % len(texts)][:length])
        Customer.objects.bulk_create(people)
        ContactPoint.objects.bulk_create(
            ContactPoint(customer=one, channel="email", value=mailbox(one), source=source, updated_at=one.updated_at)
            for one in people
        )
        return people

    return make


MERGED = ("first_name", "city", "full_name", "salutation")
WORDS = " ".join(f'[{name}:{{{{ {name} | default: "-" }}}}]' for name in MERGED)
BLOCKS: list[dict[str, Any]] = [
    {"type": "heading", "data": {"text": WORDS}},
    {"type": "text", "data": {"text": f"<p>{WORDS}</p>"}},
    {"type": "button", "data": {"text": "{{ first_name }}", "url": "https://www.example.nl/"}},
    {"type": "quote", "data": {"text": WORDS, "source": "{{ city }}"}},
]


@pytest.mark.django_db(transaction=True)
def test_what_a_customer_is_called_reaches_mail_unharmed_and_inert(
    crowd: Any, start: Callable[..., Mailing], make_content: Callable[..., Content], service: Purpose, smtp_sink: Sink
) -> None:
    people = {mailbox(one): one for one in crowd(TEXTS)}
    start(content=make_content(*BLOCKS, subject="Dag [{{ first_name }}]"), purpose=service)
    send_ready(seconds=60)
    assert {mail.recipients[0] for mail in smtp_sink.received} == set(people)
    usual = None
    for mail in smtp_sink.received:
        person, message = people[mail.recipients[0]], mail.message
        faults = faults_of(mail.content, sender=mail.sender, recipients=mail.recipients)
        assert [fault for fault in faults if "unfinished" not in fault] == [], person.first_name
        assert bare(message["Subject"]) == bare(f"Dag [{person.first_name}]")
        html, text = part_of(message, "html"), bare(part_of(message, "plain"))
        usual = usual or acts(html)
        assert acts(html) == usual, person.first_name
        for name in ("first_name", "city"):
            expected = bare(f"[{name}:{getattr(person, name)}]")
            assert seen(html).count(expected) >= 3, expected
            assert text.lower().count(expected.lower()) >= 3, expected
    smtp_sink.received.clear()  # who is called {{ first_name }} gets a mail that looks unfinished


@pytest.mark.django_db
def test_letters_hold_no_more_than_words(
    crowd: Any, start: Callable[..., Mailing], make_content: Any, now: dt.datetime, settings: Any, tmp_path: Path
) -> None:
    settings.MEDIA_ROOT = tmp_path
    acting = [text for text in TEXTS if "<" in text or "{" in text]
    some = acting[::8] + TEXTS[::40]
    crowd(some)
    mailing = start(content=make_content(*BLOCKS), channels="letter")
    with print_letters(mailing, now=now).file.open("rb") as file:
        reader = PdfReader(io.BytesIO(file.read()))
    assert len(reader.pages) >= len(some)
    root: Any = reader.trailer["/Root"]
    assert not {"/OpenAction", "/AA", "/JavaScript", "/AcroForm"} & set(root)
    assert "/EmbeddedFiles" not in root.get("/Names", {})


@pytest.mark.django_db
def test_a_file_of_customers_holds_every_text_and_no_formula(crowd: Any) -> None:
    people = crowd(TEXTS)
    codes = [name for name in FIELDS if name != "house_number"]
    lines = "".join(csv_lines(Customer.objects.all(), ["number", *codes])).removeprefix("\ufeff")
    head, *rows = csv.reader(io.StringIO(lines, newline=""), delimiter=";")
    assert len(rows) == len(people)
    order = ["number", "initials", "first_name", "name_prefix", "last_name", "street", "house_number_addition", "city"]
    by_number = {row[0]: row for row in rows}
    for person in people:
        cells = dict(zip(order, by_number[person.number], strict=True))
        for name in codes:
            text = getattr(person, name)
            expected = f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text
            assert cells[name] == expected, (name, text)
    assert len(head) == len(order)


@pytest.mark.django_db
def test_pages_of_customers_hold_no_more_than_words(crowd: Any, client: Client, administrator: User) -> None:
    client.force_login(administrator, backend="django.contrib.auth.backends.ModelBackend")
    people = crowd(TEXTS)
    shown, number = 0, 0
    while shown < len(people):
        number += 1
        html = client.get(reverse("workbench:customer_list"), {"page": number}).content.decode()
        text = seen(html)
        page = [one for one in people if f"/customers/{one.pk}/" in html]
        assert page, number
        shown += len(page)
        assert not [key for key in acts(html) if key[1]], number
        for person in page:
            assert bare(person.last_name) in text, person.last_name
    assert shown == len(people)


@pytest.mark.django_db(transaction=True)
def test_nothing_of_it_runs_in_a_browser(
    page: Page, live_server: LiveServer, crowd: Any, client: Client, administrator: User, settings: Any
) -> None:
    """The page of a test notices errors, broken policies and requests to elsewhere by itself; and here a dialog."""
    acting = [text for text in TEXTS if "<" in text or "javascript" in text.lower()]
    people = crowd(acting)
    dialogs: list[str] = []

    def close(dialog: Dialog) -> None:
        dialogs.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", close)
    client.force_login(administrator, backend="django.contrib.auth.backends.ModelBackend")
    session = client.cookies[settings.SESSION_COOKIE_NAME].value
    page.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": live_server.url}])
    for path in (f"/customers/?page={number}" for number in (1, 2, 3)):
        page.goto(path)
    for person in people[:: len(people) // 5]:
        page.goto(f"/customers/{person.pk}/")
        assert bare(person.last_name) in bare(page.inner_text("h1"))
    assert dialogs == []
