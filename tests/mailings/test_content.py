import datetime as dt
import io
from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image

from common.blocks import SLOT
from common.errors import Refused
from mailings.actions import (
    add_block,
    add_picture,
    change_block,
    move_block,
    order_blocks,
    put_block,
    remove_block,
    save_content,
)
from mailings.content import block_type, check_blocks
from mailings.fields import check_merge_fields
from mailings.models import Content, Picture
from mailings.richtext import clean, first_words
from tests.mailings.conftest import BUTTON, TEXT

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "text",
    [
        "Beste {{ first_name }}",
        'Beste {{ first_name | default: "lezer" }}',
        "Beste {{first_name|default:“lezer”}}",
        "Een accolade { hier } mag, en 50% korting ook",
        "",
    ],
)
def test_known_merge_fields_and_plain_text_are_fine(text: str) -> None:
    check_merge_fields(text)


@pytest.mark.parametrize(
    "text",
    [
        "{{ voornaam }}",
        "{{ first_name.__class__ }}",
        "{{ first_name | upper }}",
        "{{ first_name | default: lezer }}",
        "{{ first_name",
        "first_name }}",
        "{% if first_name %}",
        "{{ 7*7 }}",
        '{{ first_name | default: "{{ last_name }}" }}',
        "{{}}",
    ],
)
def test_anything_else_between_braces_is_refused(text: str) -> None:
    with pytest.raises(Refused) as refused:
        check_merge_fields(text)
    assert refused.value.code == "merge_field"


def test_an_unknown_field_is_refused_with_those_that_exist() -> None:
    with pytest.raises(Refused) as refused:
        check_merge_fields("{{ iban }}")
    assert "iban" in str(refused.value)
    assert "first_name" in str(refused.value)


@pytest.mark.parametrize(
    ("block", "code"),
    [
        ({"type": "script", "data": {}}, "unknown_block"),
        ({"type": "heading", "data": {"text": "Hallo", "onclick": "x"}}, "unknown_field"),
        ({"type": "heading", "data": {}}, "block_data"),
        ({"type": "heading", "data": {"text": "x" * 201}}, "block_data"),
        ({"type": "heading", "data": {"text": "{{ wachtwoord }}"}}, "merge_field"),
        ({"type": "text", "data": {"text": "<p><br></p>"}}, "block_data"),
        ({"type": "text", "data": {"text": "<script>alert(1)</script>"}}, "block_data"),
        ({"type": "button", "data": {"text": "Klik", "url": "javascript:alert(1)"}}, "block_data"),
        ({"type": "button", "data": {"text": "Klik", "url": "https://x.nl/{{first_name}}"}}, "link"),
        ({"type": "text", "data": {"text": '<p><a href="https://x.nl/?q={{first_name}}">x</a></p>'}}, "link"),
        ({"type": "image", "data": {"picture": 999, "alt": "Een boek"}}, "block_data"),
        ({"type": "heading", "data": {"text": "Hallo"}, "audience": {"kind": "selection", "id": 999}}, "audience"),
        ({"type": "heading", "data": {"text": "Hallo"}, "audience": {"kind": "table", "id": 1}}, "audience"),
        ({"type": "heading", "data": {"text": "Hallo"}, "extra": 1}, "block"),
        ("heading", "block"),
    ],
)
def test_a_block_that_is_not_right_is_refused(block: Any, code: str) -> None:
    with pytest.raises(Refused) as refused:
        check_blocks([block])
    assert refused.value.code == code


def test_a_text_keeps_its_marking_and_loses_everything_else() -> None:
    dirty = (
        '<div onclick="x()">Dag <b>allemaal</b> <a href="javascript:alert(1)">kwaad</a> '
        '<a href="https://x.nl" style="position:fixed">goed</a><img src=x onerror=alert(1)></div>'
        "<ul><li>een</li></ul><style>body{}</style><iframe></iframe>"
    )
    [block] = check_blocks([{"type": "text", "data": {"text": dirty}}])
    assert block["data"]["text"] == (
        '<p>Dag <strong>allemaal</strong> <a>kwaad</a> <a href="https://x.nl">goed</a></p><ul><li>een</li></ul>'
    )


@pytest.mark.parametrize(
    ("typed", "address"),
    [
        ("https://www.example.nl/a?b=1", "https://www.example.nl/a?b=1"),
        ("www.example.nl", "https://www.example.nl"),
        ("example.nl/agenda", "https://example.nl/agenda"),
        ("info@example.nl", "mailto:info@example.nl"),
        ("tel:0201234567", "tel:0201234567"),
        ("/agenda", None),
        ("javascript:alert(1)", None),
        ("\\x00javascript:alert(1)", None),
    ],
)
def test_a_link_in_a_text_leads_somewhere_or_is_none(typed: str, address: str | None) -> None:
    done = clean(f'<p><a href="{typed}">hier</a></p>')
    assert done == (f'<p><a href="{address}">hier</a></p>' if address else "<p><a>hier</a></p>")


def test_characters_that_delimit_slots_cannot_come_in() -> None:
    [block] = check_blocks([{"type": "heading", "data": {"text": "a\ue000unsubscribe_url\ue001b"}}])
    assert block["data"]["text"] == "aunsubscribe_urlb"


def test_a_subject_is_one_line(now: dt.datetime) -> None:
    with pytest.raises(Refused):
        save_content(None, name="x", subject="Hallo\r\nBcc: iedereen@example.nl", now=now)


def texts(content: Content) -> list[str]:
    content.refresh_from_db()
    return [block["data"]["text"] for block in content.blocks]


def heading(text: str) -> dict[str, Any]:
    return {"type": "heading", "data": {"text": text}}


def test_blocks_are_added_changed_moved_and_removed(make_content: Callable[..., Content], now: dt.datetime) -> None:
    content = make_content(heading("een"), heading("drie"))
    first = content.blocks[0]["id"]
    second = add_block(content, block="heading", data={"text": "twee"}, after=first, now=now)
    last = add_block(content, block="heading", data={"text": "vier"}, now=now)
    assert texts(content) == ["een", "twee", "drie", "vier"]
    move_block(content, last, by_places=-2, now=now)
    move_block(content, first, by_places=-1, now=now)
    assert texts(content) == ["een", "vier", "twee", "drie"]
    change_block(content, second, data={"text": "2"}, now=now)
    remove_block(content, first, now=now)
    remove_block(content, first, now=now)
    assert texts(content) == ["vier", "2", "drie"]
    order_blocks(content, [second, last], now=now)
    assert texts(content) == ["2", "vier", "drie"]


def test_a_block_that_somebody_else_removed_is_refused(make_content: Callable[..., Content], now: dt.datetime) -> None:
    with pytest.raises(Refused) as refused:
        change_block(make_content(), "nope", data={"text": "x"}, now=now)
    assert refused.value.code == "block_gone"


def test_a_change_that_is_refused_changes_nothing(make_content: Callable[..., Content], now: dt.datetime) -> None:
    content = make_content(TEXT, BUTTON)
    before = content.blocks
    with pytest.raises(Refused):
        save_content(content, name="x", blocks=[heading("ok"), {"type": "kwaad"}], now=now)
    content.refresh_from_db()
    assert content.blocks == before


def picture_bytes(kind: str = "JPEG", size: tuple[int, int] = (1600, 400), **options: Any) -> io.BytesIO:
    out = io.BytesIO()
    Image.new("RGB", size, "navy").save(out, kind, **options)
    out.seek(0)
    return out


def test_a_picture_is_drawn_anew_and_made_no_larger_than_needed(now: dt.datetime, settings: Any, tmp_path: Any) -> None:
    settings.MEDIA_ROOT = tmp_path
    exif = Image.Exif()
    exif[0x010E] = "thuisadres"
    picture = add_picture(file=picture_bytes(exif=exif), alt="Zee", now=now)
    assert (picture.width, picture.height) == (1200, 300)
    with picture.file.open("rb") as file:
        assert b"thuisadres" not in file.read()
    assert str(picture.key) in str(picture.file.name)


@pytest.mark.parametrize("body", [b"", b"<svg onload=alert(1)>", b"GIF89a kapot", b"\x89PNG\r\n\x1a\n" + b"0" * 50])
def test_what_is_not_a_picture_is_refused(body: bytes, now: dt.datetime) -> None:
    with pytest.raises(Refused) as refused:
        add_picture(file=io.BytesIO(body), alt="x", now=now)
    assert refused.value.code == "picture"
    assert not Picture.objects.exists()


def test_a_picture_of_too_many_bytes_or_pixels_is_refused(now: dt.datetime) -> None:
    for file in (io.BytesIO(b"x" * 5_000_001), picture_bytes("PNG", (10_000, 5_000))):
        with pytest.raises(Refused) as refused:
            add_picture(file=file, alt="x", now=now)
        assert refused.value.code == "picture_size"


def columns(*lists: list[dict[str, Any]], layout: str = "1-1") -> dict[str, Any]:
    return {"type": "columns", "data": {"layout": layout, "columns": list(lists)}}


def words_in(content: Content) -> list[list[str]]:
    content.refresh_from_db()
    return [[one["data"]["text"] for one in column] for column in content.blocks[0]["data"]["columns"]]


@pytest.mark.parametrize(
    ("block", "words"),
    [
        (columns([{"type": "columns", "data": {"layout": "1-1"}}]), "kolom"),
        (columns([{"type": "voucher", "data": {}}]), "kolom"),
        (columns([{**heading("x"), "audience": {"kind": "label", "id": 0}}]), "bestaat niet meer"),
        ({**heading("x"), "id": "a b"}, "streepjes"),
        ({**heading("x"), "id": '"><b>'}, "streepjes"),
        (columns([heading("{{ iban }}")]), "iban"),
        ({"type": "columns", "data": {"layout": "9-9"}}, "9-9"),
        ({"type": "columns", "data": {"layout": "1-1", "columns": "geen json"}}, "JSON"),
        ({"type": "columns", "data": {"layout": "1-1", "columns": [[], [], [], []]}}, "3"),
        ({"type": "event", "data": {"title": "Lezing", "day": "morgen"}}, "datum"),
        ({"type": "event", "data": {"title": "Lezing", "day": "2026-12-05", "price_cents": "veel"}}, "12,50"),
        ({"type": "event", "data": {"title": "Lezing", "day": "2026-12-05", "price_cents": -5}}, "12,50"),
        ({"type": "products", "data": {"title_1": "Een", "title_2": "Twee", "price_cents_3": "5"}}, "titel"),
        ({"type": "products", "data": {"title_1": "Een"}}, "vereist"),
    ],
)
def test_columns_and_cards_that_are_not_right_are_refused(block: Any, words: str) -> None:
    with pytest.raises(Refused, match=words):
        check_blocks([block])


def test_what_a_block_keeps_is_kept_the_same_when_it_is_checked_again() -> None:
    raw = [
        {
            "type": "event",
            "data": {"title": "Lezing", "day": "2026-12-05", "starts_at": "20:15", "price_cents": "12,50"},
        },
        {"type": "products", "data": {"title_1": "Een", "title_2": "Twee", "price_cents_1": "0"}},
        columns([heading("links")], [heading("rechts")]),
    ]
    kept = check_blocks(raw)
    assert check_blocks(kept) == kept
    event, products, _columns = (one["data"] for one in kept)
    assert (event["day"], event["starts_at"], event["price_cents"]) == ("2026-12-05", "20:15", 1250)
    assert (products["price_cents_1"], products["price_cents_2"]) == (0, None)


def test_fewer_columns_lose_nothing(make_content: Callable[..., Content], now: dt.datetime) -> None:
    content = make_content(columns([heading("a")], [heading("b")], [heading("c")], layout="1-1-1"))
    change_block(content, content.blocks[0]["id"], data={"layout": "2-1"}, now=now)
    assert words_in(content) == [["a"], ["b", "c"]]


def test_blocks_in_columns_are_added_changed_moved_and_removed(
    make_content: Callable[..., Content], now: dt.datetime
) -> None:
    content = make_content(columns([heading("a")], []))
    outer = content.blocks[0]["id"]
    [a], _right = ([one["id"] for one in column] for column in content.blocks[0]["data"]["columns"])
    b = add_block(content, block="heading", data={"text": "b"}, into=f"{outer}:0", now=now)
    c = add_block(content, block="heading", data={"text": "c"}, after=a, into=f"{outer}:0", now=now)
    assert words_in(content) == [["a", "c", "b"], []]
    change_block(content, c, data={"text": "C"}, now=now)
    move_block(content, b, by_places=-2, now=now)
    assert words_in(content) == [["b", "a", "C"], []]
    order_blocks(content, [c], into=f"{outer}:1", now=now)
    assert words_in(content) == [["b", "a"], ["C"]]
    remove_block(content, a, now=now)
    assert words_in(content) == [["b"], ["C"]]


def test_a_block_is_put_into_a_column_and_out_of_it_again(
    make_content: Callable[..., Content], now: dt.datetime
) -> None:
    content = make_content(columns([heading("a")], [heading("b")]), heading("c"))
    outer, last = (one["id"] for one in content.blocks)
    put_block(content, last, into=f"{outer}:1", now=now)
    assert words_in(content) == [["a"], ["b", "c"]]
    put_block(content, last, into=f"{outer}:0", now=now)
    assert words_in(content) == [["a", "c"], ["b"]]
    add_block(content, block="heading", data={"text": "d"}, now=now)
    put_block(content, last, now=now)
    assert words_in(content) == [["a"], ["b"]]
    assert [one["data"].get("text") for one in content.blocks] == [None, "c", "d"]
    number = content.version
    put_block(content, last, now=now)
    content.refresh_from_db()
    assert content.version == number
    with pytest.raises(Refused) as refused:
        put_block(content, outer, into=f"{outer}:0", now=now)
    assert refused.value.code == "column"


def test_a_column_that_is_gone_and_columns_in_columns_are_refused(
    make_content: Callable[..., Content], now: dt.datetime
) -> None:
    content = make_content(columns([], []), columns([], []))
    first, second = (one["id"] for one in content.blocks)
    for into in (f"{first}:7", "nope:0", f"{first}:x"):
        with pytest.raises(Refused) as refused:
            add_block(content, block="heading", data={"text": "x"}, into=into, now=now)
        assert refused.value.code == "block_gone"
    with pytest.raises(Refused) as refused:
        order_blocks(content, [second], into=f"{first}:0", now=now)
    assert refused.value.code == "column"


def test_blocks_in_columns_count_as_blocks() -> None:
    with pytest.raises(Refused) as refused:
        check_blocks([columns([heading("x")] * 30, [heading("y")] * 30)])
    assert refused.value.code == "too_many_blocks"


def test_a_line_below_a_heading_is_never_longer_than_its_words() -> None:
    data = {"text": 'Dag {{ first_name | default: "lezer" }}, dit is nieuw'}
    words, line = block_type("heading").text(data).split("\n")
    assert len(line) == len(SLOT.sub("", words)) == len("Dag , dit is nieuw")


def test_the_first_words_of_a_text_keep_a_bold_word_in_its_sentence() -> None:
    assert (
        first_words("<p>Lezen is <strong>leuk</strong>.</p><ul><li>een</li><li>twee</li></ul>")
        == "Lezen is leuk. een twee"
    )
