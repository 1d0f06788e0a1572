"""Texts that break things, through everything that marketeers write: each arrives as it was, and does nothing."""

from __future__ import annotations

import datetime as dt
import email
import html
import io
from collections import Counter
from collections.abc import Callable, Iterator
from email import policy
from typing import Any

import pytest
from django import forms
from django.contrib.auth.models import User
from django.test import Client
from pypdf import PdfReader

from common.blocks import MERGE_FIELD, strip_private
from common.errors import Refused
from customers.models import Purpose
from labels.actions import create_label
from mailings.actions import add_block, add_picture, keep_block, save_content, save_style
from mailings.blocks.fields import WebAddress
from mailings.content import check_blocks
from mailings.fields import check_merge_fields
from mailings.models import Content, SendingSettings
from mailings.previewing import Preview, preview_content
from mailings.richtext import clean
from tests.factories import BranchFactory
from tests.mailings.test_content import picture_bytes
from tests.mailings.test_proofs_hostile import TEXTS, acts, bare, elements, seen

pytestmark = pytest.mark.django_db

MJML = [
    "</mj-text></mj-column></mj-section>", '<mj-include path="/etc/passwd" />',
    "<mj-raw><script>alert(1)</script></mj-raw>",
    '<mj-image src="x" alt="', "<!-- htmlmin:ignore -->", "<!--[if mso]><p>", "<![endif]-->", "-->", "]]>",
    "<![CDATA[<b>]]>",
    "</title><script>alert(1)</script>", "</style><script>alert(1)</script>",
    "</blockquote></td></tr></table><img src=x>",
    '" onmouseover="alert(1)', "' onfocus='alert(1)", "\\u003cscript\\u003e", "\\", "a\\", '\\"', "&amp;amp;",
    "&#60;b&#62;", "&lt;b&gt;",
    "picture:00000000-0000-0000-0000-000000000000", "font:latin", "file:///etc/passwd", "url(file:///etc/passwd)",
    "}</style>", "\ue000link:0\ue001", "\ue0023\ue002", "100%", "%%", "%s %d", "{", "}", "{ first_name }", "a|b",
    "$1 \\1 \\g<0>",
]  # fmt: skip


def may_stand(text: str) -> bool:
    try:
        check_merge_fields(text)
    except Refused:
        return False
    return True


ALL = list(dict.fromkeys([*TEXTS, *MJML]))
#: What no form keeps: the characters between which slots stand, and spaces around a text.
WRITTEN = [
    text for one in ALL if may_stand(one) and not MERGE_FIELD.search(one) and (text := strip_private(one).strip())
]
REFUSED = [one for one in ALL if not may_stand(one)]
#: Of the fields of each block: how long, and whether it is words, a formatted text or the description of a picture.
WORDS, RICH, ALT = "words", "rich", "alt"
FIELDS: dict[str, dict[str, tuple[int, str]]] = {
    "heading": {"text": (200, WORDS)},
    "text": {"text": (20_000, RICH)},
    "button": {"text": (60, WORDS)},
    "article": {"title": (150, WORDS), "text": (20_000, RICH), "link_text": (60, WORDS)},
    "quote": {"text": (500, WORDS), "source": (100, WORDS)},
    "image": {"alt": (200, ALT)},
    "event": {"title": (150, WORDS), "place": (120, WORDS), "text": (20_000, RICH),
              "alt": (200, ALT), "link_text": (60, WORDS)},
    "products": {"title_1": (100, WORDS), "title_2": (100, WORDS), "alt_1": (200, ALT)},
    "social": {"title": (100, WORDS)},
    "mijnmenu": {"text": (60, WORDS)},
}  # fmt: skip
GIVEN: dict[str, dict[str, Any]] = {
    "button": {"url": "https://www.example.nl/"},
    "article": {"link": "https://www.example.nl/"},
    "event": {"day": "2026-12-05", "link": "https://www.example.nl/"},
}
PLACES = [(code, name, *rest) for code, fields in FIELDS.items() for name, rest in fields.items()]
NOT_ON_PAPER = {("mijnmenu", "text"), ("article", "link_text"), ("event", "link_text")}
ROWS_IN_A_CONTENT = 60 // len(FIELDS)


def written(text: str, length: int) -> str:
    return text[:length].strip()


class Written:
    """One content in which each field of each block says another text, and what it should say."""

    def __init__(self, texts: list[str], picture: int) -> None:
        self.blocks: list[dict[str, Any]] = []
        self.said: list[tuple[str, str]] = []
        given = iter(texts)
        for _row in range(ROWS_IN_A_CONTENT):
            for code, fields in FIELDS.items():
                data = dict(GIVEN.get(code, {}))
                for name, (length, kind) in fields.items():
                    text = written(next(given), length)
                    self.said.append((kind, text))
                    data[name] = f"<p>{html.escape(text)}</p>" if kind == RICH else text
                    if kind == ALT:
                        data[name.replace("alt", "picture")] = picture
                self.blocks.append({"type": code, "data": data})


@pytest.fixture
def picture(settings: Any, tmp_path: Any, now: dt.datetime) -> int:
    settings.MEDIA_ROOT = tmp_path
    return int(add_picture(file=picture_bytes(), alt="De zee", now=now).pk)


def lists(*, every: int = 1) -> Iterator[list[str]]:
    """Yield texts for one content after the other, until each text has stood in each field (of each ``every``-th)."""
    in_one = ROWS_IN_A_CONTENT * len(PLACES)
    for shift in range(0, len(PLACES), every):
        for start in range(0, len(WRITTEN), in_one):
            yield [WRITTEN[(start + shift + number) % len(WRITTEN)] for number in range(in_one)]


def alts(page: str) -> Counter[str]:
    return Counter(bare(one.attrib.get("alt", "")) for one in elements(page) if one.tag.lower() == "img")


@pytest.fixture
def read(house: SendingSettings, marketing: Purpose, picture: int, now: dt.datetime) -> Callable[..., Any]:
    """Write texts into a content, and return them beside how it reads."""
    save_style(None, social={"facebook": "https://www.facebook.example/waterland"})

    def make(texts: list[str] | None = None) -> tuple[Written, Preview]:
        mine = Written(texts or ["woord"] * ROWS_IN_A_CONTENT * len(PLACES), picture)
        content = save_content(None, name="x", subject="Nieuws", preheader="Kort", blocks=mine.blocks, now=now)
        return mine, preview_content(content, purpose=marketing, now=now)

    return make


def test_what_is_written_into_blocks_reaches_each_part_unharmed_and_inert(read: Callable[..., Any]) -> None:
    usual = read()[1]
    expected = acts(usual.html), acts(usual.letter_html())
    for texts in lists(every=7):
        mine, preview = read(texts)
        mail, letter = preview.html, preview.letter_html()
        assert (acts(mail), acts(letter)) == expected
        shown, on_paper, in_text = seen(mail), seen(letter), bare(preview.text)
        alts_of_mail, alts_of_letter = alts(mail), alts(letter)
        for (code, name, _length, kind), (_kind, text) in zip(PLACES * ROWS_IN_A_CONTENT, mine.said, strict=True):
            word = bare(text)
            if kind == ALT:
                assert alts_of_mail[word], (code, name, text)
                assert alts_of_letter[word], (code, name, text)
            else:
                assert word in shown, (code, name, text)
                assert word in in_text, (code, name, text)
                assert word in on_paper or (code, name) in NOT_ON_PAPER, (code, name, text)


def test_subject_and_preview_text_are_a_line_each(
    house: SendingSettings, marketing: Purpose, make_content: Callable[..., Content], now: dt.datetime
) -> None:
    lines = [text for text in (written(one, 200) for one in WRITTEN) if text.isprintable()]
    content = make_content({"type": "heading", "data": {"text": "Dag"}})
    usual = acts(preview_content(content, purpose=marketing, now=now).html)
    for subject, preheader in zip(lines[::3], lines[1::3], strict=False):
        save_content(content, name="x", subject=subject, preheader=preheader, now=now)
        content.refresh_from_db()
        preview = preview_content(content, purpose=marketing, now=now)
        page = preview.html
        assert acts(page) == usual, (subject, preheader)
        assert bare(preheader) in seen(page)
        [title] = [one for one in elements(page) if one.tag == "title"]
        assert bare("".join(title.itertext())) == bare(subject)
        mail = email.message_from_bytes(preview.mail(address="a@example.nl", purpose=marketing), policy=policy.default)
        assert bare(str(mail["Subject"])) == bare(f"[Test] {subject}")


def test_what_looks_like_a_field_and_is_none_is_refused_and_not_kept(
    make_content: Callable[..., Content], now: dt.datetime
) -> None:
    assert {"{{ 7*7 }}", "{% debug %}"} <= set(REFUSED)
    content = make_content({"type": "heading", "data": {"text": "Dag"}})
    for text in REFUSED:
        with pytest.raises(Refused) as refused:
            add_block(content, block="heading", data={"text": text}, now=now)
        assert refused.value.code == "merge_field"
    content.refresh_from_db()
    assert len(content.blocks) == 1


def test_html_that_is_pasted_into_a_text_does_nothing(
    house: SendingSettings, marketing: Purpose, now: dt.datetime
) -> None:
    for start in range(0, len(WRITTEN), 50):
        blocks = [
            {"id": f"b{number}", "type": "text", "data": {"text": f"<p>woord {text}</p>"}, "audience": None}
            for number, text in enumerate(WRITTEN[start : start + 50])
        ]
        content = Content(name="x", subject="x", blocks=check_blocks(blocks))
        preview = preview_content(content, purpose=marketing, now=now)
        for page in (preview.html, preview.letter_html()):
            body = page[page.index("<body") :]
            assert {key for key in acts(body) if key[1]} == set()
            assert {tag for tag, _name in acts(body)} <= {"a", "body", "img"}
            assert body.count("<img") <= 1  # our own, that counts
            hrefs = {one.attrib.get("href", "").partition(":")[0] for one in elements(body) if one.tag == "a"}
            assert hrefs <= {"http", "https", "mailto", "tel", "#", ""}


def test_a_number_of_a_sign_becomes_no_slot_and_no_control_sign(read: Callable[..., Any]) -> None:
    text = clean("<p>&#xE000;link:0&#xE001; &#27;[0m &#xE002;</p>")
    assert text == "<p>link:0 [0m </p>"


def test_an_address_leads_to_the_web_or_is_refused() -> None:
    kept = 0
    for text in [*ALL, "javascript:alert(1)", "data:text/html,<b>", "//example.nl", "JaVaScRiPt://x%0aalert(1)"]:
        try:
            address = WebAddress(label="x").clean(text)
        except forms.ValidationError:
            continue
        kept += 1
        assert address.split(":")[0] in {"http", "https", "ftp", "ftps"}, text
        assert not set(address) & set("<>\"' \r\n\t"), text
    assert kept


def test_pages_about_messages_hold_no_more_than_words(
    read: Callable[..., Any], client: Client, administrator: User, now: dt.datetime
) -> None:
    client.force_login(administrator, backend="django.contrib.auth.backends.ModelBackend")
    acting = [text for text in WRITTEN if any(sign in text for sign in "<\"'&")]
    texts = [acting[number % len(acting)] for number in range(ROWS_IN_A_CONTENT * len(PLACES))]

    def pages(content: Content, name: str) -> list[tuple[str, str]]:
        content.name = content.subject = content.preheader = name[:120]
        content.save()
        branch = BranchFactory(code="noord")
        branch.name = name[:80]
        branch.save()
        save_style(branch, sender_name=name[:80])
        create_label(code=f"l{content.pk}", name=name[:60], kind="own", by=None, now=now)
        keep_block(content, content.blocks[0]["id"], name=name[:80], now=now)
        one = f"/content/{content.pk}/"
        addresses = (
            one, f"{one}preview/", f"{one}checks/", f"{one}versions/", f"{one}blocks/{content.blocks[0]['id']}/",
            "/saved-blocks/", "/house-styles/",
        )  # fmt: skip
        return [(address, client.get(address).content.decode()) for address in addresses]

    usual = pages(read()[1].content, "woord")
    name = "\"><script>alert(1)</script><img src=x onerror='alert(1)'>"
    mine = pages(read(texts)[1].content, name)
    for (_address, harmless), (address, page) in zip(usual, mine, strict=True):
        assert {key for key in acts(page) if key[1]} == {key for key in acts(harmless) if key[1]}, address
        assert acts(page)[("script", "")] == acts(harmless)[("script", "")], address
        assert bare(name[:40]) in seen(page), address


def test_a_letter_of_it_is_paper_and_can_be_read(read: Callable[..., Any]) -> None:
    texts = [text for text in WRITTEN if text.isascii()]  # others are read well by people, and not by all libraries
    mine, preview = read([texts[number % len(texts)] for number in range(0, 4 * ROWS_IN_A_CONTENT * len(PLACES), 4)])
    reader = PdfReader(io.BytesIO(preview.letter()))
    root: Any = reader.trailer["/Root"]
    assert not {"/OpenAction", "/AA", "/JavaScript", "/AcroForm"} & set(root)
    assert "/EmbeddedFiles" not in root.get("/Names", {})
    words = bare("".join(page.extract_text() for page in reader.pages))
    for (code, name, _length, kind), (_kind, text) in zip(PLACES * ROWS_IN_A_CONTENT, mine.said, strict=True):
        if kind != ALT and (code, name) not in NOT_ON_PAPER:
            assert bare(text)[:20] in words, (code, name, text)
