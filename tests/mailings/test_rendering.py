import datetime as dt
import email
import re
from collections.abc import Callable
from email import policy
from html.parser import HTMLParser
from typing import Any
from unittest.mock import ANY

import pytest

from common.blocks import slot
from customers.models import Customer, Purpose
from labels.actions import create_label
from mailings import mime
from mailings.compiling import compile_content, contrast, cut
from mailings.links import message_mark, open_url, own_open_url, read_click_token
from mailings.models import Content, SendingSettings
from mailings.recipients import values_of_customer
from mailings.rendering import PreparedMail, Recipient, Sender, fill
from mailings.styles import Style
from tests.factories import BranchFactory, CustomerFactory
from tests.mailings.conftest import BUTTON, TEXT

HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "{{ first_name }} {% debug %} ${7*7}",
    "\r\nBcc: alle@example.nl\r\n\r\nnieuwe inhoud",
    "\ue000unsubscribe_url\ue001",
    "&lt;b&gt; &amp;",
    "=?utf-8?q?nep?=",
    "--=_wise--",
    ".\r\n.\r\nQUIT",
    "Zoë ☃ 漢字 \u202e\u200d",
    "]]> --> <!-- <![endif]-->",
    "\x00\x0b\x7f",
    "=3D=0A=",
    "x" * 2000,
]


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def parse(html: str) -> Tags:
    tags = Tags()
    tags.feed(html)
    return tags


@pytest.fixture
def render(
    house: SendingSettings, make_content: Callable[..., Content], marketing: Purpose, now: dt.datetime
) -> Callable[..., Any]:
    def make(
        *blocks: dict[str, Any], audiences: frozenset[str] = frozenset(), purpose: Purpose = marketing,
        identity: SendingSettings = house, content: Content | None = None, is_followed: bool = False,
        style: Style | None = None, **values: str,
    ) -> Any:  # fmt: skip
        content = content or make_content(*blocks)
        compiled = compile_content(content, purpose=purpose, identity=identity, styles={None: style or Style()})
        mail = PreparedMail(
            compiled, mailing_id=7, identity=identity, list_name=purpose.name, list_code=purpose.code,
            is_service=purpose.rule == "service",
        )  # fmt: skip
        recipient = Recipient(12, 34, 0, "anna@example.nl", audiences, None, values, is_followed)
        body = mail.render(recipient, sender=Sender("Bibliotheek Wáterland", "nieuws@waterland.example"), now=now)
        return email.message_from_bytes(body, policy=policy.default)

    return make


def html_of(message: Any) -> str:
    return str(message.get_body(("html",)).get_content())


def text_of(message: Any) -> str:
    return str(message.get_body(("plain",)).get_content())


def test_values_stand_in_subject_html_and_text(render: Callable[..., Any]) -> None:
    message = render(first_name="Fatima")
    assert message["Subject"] == "Nieuws voor Fatima"
    assert "Dag Fatima, er is iets te doen." in html_of(message)
    assert "Dag Fatima, er is iets te doen." in text_of(message)


def test_the_picture_tells_of_a_person_only_with_his_yes(render: Callable[..., Any]) -> None:
    assert own_open_url(12).rpartition(":")[0].rpartition(":")[0] in html_of(render(is_followed=True))
    plain = html_of(render())
    assert open_url(7).rpartition(":")[0].rpartition(":")[0] in plain
    assert own_open_url(12).rpartition(":")[0].rpartition(":")[0] not in plain


def test_a_block_in_columns_is_only_in_the_mail_of_who_belongs_to_both(
    render: Callable[..., Any], now: dt.datetime
) -> None:
    labels = [create_label(code=code, name=code, kind="own", by=None, now=now) for code in ("een", "ander")]
    outer, inner = ({"kind": "label", "id": one.pk} for one in labels)
    mine = {"type": "heading", "data": {"text": "Alleen voor jou"}, "audience": inner}
    beside = {"type": "heading", "data": {"text": "Naast"}}
    block = {"type": "columns", "data": {"layout": "1-1", "columns": [[mine], [beside]]}, "audience": outer}
    keys = [f"label:{one.pk}" for one in labels]
    for audiences, expected in (
        ([], [False, False]), (keys[:1], [False, True]), (keys[1:], [False, False]), (keys, [True, True]),
    ):  # fmt: skip
        message = render(block, audiences=frozenset(audiences))
        for words in (html_of(message), text_of(message)):
            assert [one in words for one in ("Alleen voor jou", "Naast")] == expected


def test_the_texts_own_fallback_comes_before_the_fields(render: Callable[..., Any]) -> None:
    message = render()
    assert message["Subject"] == "Nieuws voor klant"
    assert "Dag lezer," in html_of(message)


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_values_are_inert_text(render: Callable[..., Any], text: str) -> None:
    harmless, hostile = render(first_name="Anna"), render(first_name=text)
    expected, found = parse(html_of(harmless)), parse(html_of(hostile))
    assert [tag for tag, _attrs in found.seen] == [tag for tag, _attrs in expected.seen]
    assert len(hostile.keys()) == len(harmless.keys())
    assert [part.get_content_type() for part in hostile.walk()] == [part.get_content_type() for part in harmless.walk()]
    visible = " ".join(text.replace("\r\n", "\n").split())
    assert visible in " ".join("".join(found.words).split())
    assert visible in " ".join(text_of(hostile).split())


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_content_is_inert_text(render: Callable[..., Any], text: str) -> None:
    text = (
        text.replace("{{", "{ {")
        .replace("{%", "{ %")
        .replace("%}", "% }")
        .replace("}}", "} }")
        .replace("\x00", "")[:190]
    )
    blocks = [
        {"type": "heading", "data": {"text": text}},
        {"type": "quote", "data": {"text": text, "source": text[:90]}},
        {
            "type": "article",
            "data": {"title": text[:140], "text": "<p>Goed</p>", "link": "https://x.nl", "link_text": ""},
        },
    ]
    if not text.strip():
        return
    tags = parse(html_of(render(*blocks)))
    names = {name for _tag, attrs in tags.seen for name in attrs}
    assert not {name for name in names if name.startswith("on")}
    assert "script" not in {tag for tag, _attrs in tags.seen}
    assert [tag for tag, _attrs in tags.seen].count("img") == 1  # the pixel of our own


def test_lines_are_short_and_end_in_crlf(render: Callable[..., Any]) -> None:
    body = bytes(render(TEXT, BUTTON, first_name="é" * 3000).as_bytes(policy=policy.SMTP))
    assert max(len(line) for line in body.split(b"\r\n")) <= 998
    assert b"\n" not in body.replace(b"\r\n", b"")


def test_pieces_that_are_encoded_apart_decode_to_the_whole() -> None:
    import quopri

    pieces = ["Dag ", "Zoë = ☃", "", " \t", "\n.\nx ", "x" * 200, "a=b", "eind \n", "\r\nnog", "=\n"]
    encoded = b"".join(mime.encode(piece) for piece in pieces)
    assert quopri.decodestring(encoded).decode().replace("\r\n", "\n") == "".join(pieces).replace("\r\n", "\n")
    assert all(len(line) <= 76 for line in encoded.split(b"\r\n"))
    assert b"\n" not in encoded.replace(b"\r\n", b"")


def test_links_are_tracked_by_position_and_ours_are_not(render: Callable[..., Any], settings: Any) -> None:
    message = render(TEXT, BUTTON)
    addresses = [attrs["href"] for tag, attrs in parse(html_of(message)).seen if tag == "a" and "href" in attrs]
    button, unsubscribe, preferences, privacy = map(str, addresses)
    assert button.startswith(f"{settings.BASE_URL}/m/c/")
    assert read_click_token(button.rpartition("/")[2])[:2] == (12, 0)
    assert unsubscribe.startswith(f"{settings.BASE_URL}/m/u/")
    assert preferences.startswith(f"{settings.BASE_URL}/mijn/")
    assert privacy == "https://www.example.nl/privacy"
    assert all(address in text_of(message) for address in (button, privacy))


def test_the_same_address_is_one_link_and_its_escapes_are_undone(
    make_content: Callable[..., Content], marketing: Purpose, house: SendingSettings
) -> None:
    inline = {
        "type": "text",
        "data": {"text": '<p>Zie <a href="https://www.example.nl/agenda?a=1&amp;b=2">hier</a>.</p>'},
    }
    compiled = compile_content(make_content(BUTTON, inline), purpose=marketing, identity=house)
    assert compiled["links"] == ["https://www.example.nl/agenda?a=1&b=2"]


def test_an_address_in_plain_text_loses_no_punctuation(
    make_content: Callable[..., Content], marketing: Purpose, house: SendingSettings
) -> None:
    text = {"type": "text", "data": {"text": "<p>Kijk op https://www.example.nl/a, of (https://www.example.nl/b).</p>"}}
    compiled = compile_content(make_content(text), purpose=marketing, identity=house)
    assert compiled["links"] == ["https://www.example.nl/a", "https://www.example.nl/b"]


def test_the_unsubscribe_link_of_the_body_is_that_of_the_header(render: Callable[..., Any]) -> None:
    message = render()
    address = re.search(r"<(https?://[^>]+)>", message["List-Unsubscribe"])
    assert address
    assert address[1] in text_of(message)
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


def test_every_mail_says_who_sent_it_from_where_and_how_to_stop_it(render: Callable[..., Any]) -> None:
    for body in (html_of(message := render()), text_of(message)):
        for words in ("Bibliotheek Waterland", "Postbus 12, 1440 AA Purmerend", "/m/u/", "/mijn/", "privacy"):
            assert words in body


def test_service_mail_is_no_list_and_says_so(render: Callable[..., Any], service: Purpose) -> None:
    message = render(purpose=service)
    assert message["List-Unsubscribe"] is None
    assert message["Precedence"] is None
    assert message["Auto-Submitted"] == "auto-generated"
    assert "/m/u/" in html_of(message)


def test_a_block_with_an_audience_is_left_out_for_others(render: Callable[..., Any], make_content: Any) -> None:
    content = make_content(
        {"type": "heading", "data": {"text": "Voor allen"}}, {"type": "heading", "data": {"text": "Voor gezinnen"}}
    )
    content.blocks[1]["audience"] = {"kind": "selection", "id": 3}
    others, families = render(content=content), render(content=content, audiences=frozenset({"selection:3"}))
    for body_of in (html_of, text_of):
        assert "Voor allen" in body_of(others)
        assert "Voor gezinnen" not in body_of(others)
        assert "Voor gezinnen" in body_of(families)
    assert [tag for tag, _ in parse(html_of(others)).seen].count("table") < [
        tag for tag, _ in parse(html_of(families)).seen
    ].count("table")


def test_headers_are_encoded_and_point_home(render: Callable[..., Any], house: SendingSettings) -> None:
    house.reply_to, house.unsubscribe_email = "info@waterland.example", "afmelden@waterland.example"
    message = render(identity=house, first_name="Zoë")
    assert message["From"] == "Bibliotheek Wáterland <nieuws@waterland.example>"
    assert message["To"] == "anna@example.nl"
    assert message["Reply-To"] == "info@waterland.example"
    assert message["Message-ID"] == f"<mailing.7.12.{message_mark(12)}@waterland.example>"
    assert "<marketing.waterland.example>" in message["List-Id"]
    assert "<mailto:afmelden@waterland.example?subject=unsubscribe>" in message["List-Unsubscribe"]
    assert message["Precedence"] == "bulk"
    assert message["Date"].datetime == dt.datetime(2026, 6, 15, 8, 0, tzinfo=dt.UTC)
    assert message["Subject"] == "Nieuws voor Zoë"
    assert message.defects == []


def test_no_header_comes_twice(render: Callable[..., Any]) -> None:
    names = [name.lower() for name in render()]
    assert len(names) == len(set(names))


def test_html_is_fit_for_screen_readers(render: Callable[..., Any]) -> None:
    tags = parse(html_of(render(TEXT, BUTTON, {"type": "heading", "data": {"text": "Kop"}})))
    by_name = dict(reversed(tags.seen))
    assert by_name["html"]["lang"] == "nl"
    assert all(attrs.get("role") == "presentation" for tag, attrs in tags.seen if tag == "table")
    assert all("alt" in attrs for tag, attrs in tags.seen if tag == "img")
    assert by_name["title"] == ANY


@pytest.mark.parametrize("colour", ["#ffffff", "#ffff00", "#0b5563", "#000000", "#8a8a8a"])
def test_text_on_the_accent_colour_can_always_be_read(render: Callable[..., Any], colour: str) -> None:
    html = html_of(render(style=Style(accent=colour)))
    [button] = re.findall(r"display:inline-block;background:(#\w{6});color:(#\w{6})", html)
    assert contrast(*button) >= 4.5


def test_nothing_is_loaded_from_elsewhere(render: Callable[..., Any], settings: Any) -> None:
    html = html_of(render())
    sources = re.findall(r'(?:src|background)="([^"]+)"', html)
    assert all(source.startswith(settings.BASE_URL) for source in sources)
    assert "@import" not in html
    assert "fonts.googleapis" not in html


@pytest.mark.django_db
def test_merge_fields_are_read_from_the_customer(house: SendingSettings, now: dt.datetime) -> None:
    branch = BranchFactory(name="Bibliotheek Edam", email="edam@waterland.example")
    customer: Customer = CustomerFactory(
        number="2000123", first_name="Fatima", name_prefix="van der", last_name="Berg", gender="f",
        birth_date=dt.date(1992, 6, 16), branch=branch, city="Edam",
    )  # fmt: skip
    assert values_of_customer(customer.pk, identity=house, now=now) == {
        "first_name": "Fatima",
        "full_name": "Fatima van der Berg",
        "salutation": "mevrouw Van der Berg",
        "customer_number": "2000123",
        "city": "Edam",
        "age": "33",
        "birth_year": "1992",
        "branch_name": "Bibliotheek Edam",
        "branch_email": "edam@waterland.example",
        "organisation": "Bibliotheek Waterland",
    }


@pytest.mark.django_db
def test_merge_fields_that_are_not_known_are_absent(house: SendingSettings, now: dt.datetime) -> None:
    customer = CustomerFactory(first_name="", initials="", last_name="", birth_date=None, city="", gender="")
    values = values_of_customer(customer.pk, identity=house, now=now)
    assert set(values) == {"customer_number", "organisation"}


def test_a_slot_that_holds_html_of_ours_is_not_escaped() -> None:
    pieces = cut(f"<p>{slot('a!')}{slot('a')}</p>")
    assert fill(pieces, {"a!": "<b>x</b>", "a": "<b>"}, as_html=True) == "<p><b>x</b>&lt;b&gt;</p>"
