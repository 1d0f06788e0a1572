"""Columns, events and products as they are read: in a mail, as plain text and on paper."""

import datetime as dt
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest

from customers.models import Customer, Purpose
from labels.actions import create_label, give_label
from mailings.actions import add_picture
from mailings.blocks.fields import price_words
from mailings.compiling import Compiled, compile_content
from mailings.models import Content, Picture, SendingSettings
from mailings.rendering import fill_all
from tests.mailings.test_content import columns, heading, picture_bytes

pytestmark = pytest.mark.django_db

EVENT = {
    "type": "event",
    "data": {
        "title": "Lezing voor {{ first_name }}",
        "day": "2026-12-05",
        "starts_at": "20:15",
        "place": "De Waterlander & Co",
        "price_cents": 1250,
        "text": "<p>Over <strong>water</strong></p>",
        "link": "https://www.example.nl/lezing?a=1&b=2",
    },
}


@pytest.fixture
def picture(now: dt.datetime, settings: Any, tmp_path: Any) -> Picture:
    settings.MEDIA_ROOT = tmp_path
    return add_picture(file=picture_bytes(), alt="De zee", now=now)


@pytest.fixture
def compiled(make_content: Callable[..., Content], marketing: Purpose, house: SendingSettings) -> Callable[..., Any]:
    def make(*blocks: dict[str, Any]) -> Compiled:
        return compile_content(make_content(*blocks), purpose=marketing, identity=house)

    return make


def read(compiled: Compiled, part: str) -> str:
    links = {f"link:{position}": url for position, url in enumerate(compiled["links"])}
    return fill_all(compiled[part], {"first_name": "Zoë", **links}, [], as_html=part != "text")


def test_an_event_tells_when_where_and_for_how_much(compiled: Callable[..., Compiled]) -> None:
    done = compiled(EVENT)
    for part in ("html", "text", "letter"):
        words = " ".join(unescape(read(done, part)).split())
        for fact in (
            "Lezing voor Zoë",
            "zaterdag 5 december 2026, 20:15 uur",
            "De Waterlander & Co · € 12,50",
            "water",
        ):
            assert fact in words
        assert "https://www.example.nl/lezing?a=1&b=2" in words
    assert done["links"] == ["https://www.example.nl/lezing?a=1&b=2"]


def test_an_event_needs_no_more_than_a_title_and_a_day(compiled: Callable[..., Compiled]) -> None:
    done = compiled({"type": "event", "data": {"title": "Lezing", "day": "2026-12-05"}})
    assert "zaterdag 5 december 2026\n" in read(done, "text")
    assert "€" not in read(done, "html")


def test_the_picture_of_an_event_stands_beside_its_words(compiled: Callable[..., Compiled], picture: Picture) -> None:
    with_picture = {"type": "event", "data": {**EVENT["data"], "picture": picture.pk, "alt": "De zee"}}  # type: ignore[dict-item]
    done = compiled(with_picture)
    html = read(done, "html")
    assert 'alt="De zee"' in html
    assert "mj-column-per-40" in html
    assert f"picture:{picture.key}" in read(done, "letter")
    inside = read(compiled(columns([with_picture], [heading("x")])), "html")
    assert 'alt="De zee"' in inside
    assert "mj-column-per-40" not in inside


def test_columns_stand_beside_each_other_and_read_from_left_to_right(compiled: Callable[..., Compiled]) -> None:
    done = compiled(columns([heading("Links {{ first_name }}"), EVENT], [heading("Rechts")], layout="1-2"))
    html, text, letter = (read(done, part) for part in ("html", "text", "letter"))
    for words in (html, text, letter):
        assert words.index("Links Zoë") < words.index("Lezing voor Zoë") < words.index("Rechts")
    assert "mj-column-per-34" in html
    assert "mj-column-per-66" in html
    assert letter.count("<div>") == letter.count("</div>") - letter.count('<div class="') == 2


def test_a_block_in_columns_is_for_some_of_those_who_see_the_columns(
    make_content: Callable[..., Content], marketing: Purpose, house: SendingSettings, now: dt.datetime
) -> None:
    [one, other] = (create_label(code=code, name=code, kind="own", by=None, now=now) for code in ("een", "ander"))
    for_one, for_other = ({"kind": "label", "id": label.pk} for label in (one, other))
    inside = columns([{**heading("Binnen"), "audience": for_other}, heading("Naast")], [heading("Rechts")])
    content = make_content(heading("Boven"), {**inside, "audience": for_one}, heading("Onder"))
    done = compile_content(content, purpose=marketing, identity=house)
    both = f"label:{one.pk}+label:{other.pk}"
    for part in ("html", "text", "letter"):
        assert [audience for audience, _pieces in done[part] if "+" in audience] == [both]
        read_by = {
            name: fill_all(done[part], {}, audiences, as_html=part != "text")
            for name, audiences in {
                "nobody": set[str](), "one": {f"label:{one.pk}"}, "other": {f"label:{other.pk}"},
                "both": {f"label:{one.pk}", f"label:{other.pk}"},
            }.items()
        }  # fmt: skip
        shown = {
            name: [word for word in ("Boven", "Binnen", "Naast", "Rechts", "Onder") if word in words]
            for name, words in read_by.items()
        }
        assert shown == {
            "nobody": ["Boven", "Onder"],
            "one": ["Boven", "Naast", "Rechts", "Onder"],
            "other": ["Boven", "Onder"],
            "both": ["Boven", "Binnen", "Naast", "Rechts", "Onder"],
        }, part
        for words in read_by.values():
            assert "\ue002" not in words
            assert "\n\n\n" not in words or part != "text"
            assert words.count("<td") == words.count("</td>")
            assert words.count("<div") == words.count("</div>")
    inner = content.blocks[1]["data"]["columns"][0][0]["id"]
    top = [one["id"] for one in content.blocks]
    assert done["places"] == ["", top[0], top[1], inner, top[1], top[2], ""]
    assert len(done["places"]) == len(done["html"]) == len(done["text"])


def test_readers_carry_both_audiences_of_a_block_in_columns(
    make_content: Callable[..., Content], start: Any, reader: Any, now: dt.datetime
) -> None:
    [one, other] = (create_label(code=code, name=code, kind="own", by=None, now=now) for code in ("een", "ander"))
    for_one, for_other = ({"kind": "label", "id": label.pk} for label in (one, other))
    both, neither = reader(), reader()
    for label in (one, other):
        give_label(label, Customer.objects.filter(pk=both.pk), by="test", now=now)
    inside = columns([{**heading("Alleen voor jou"), "audience": for_other}, heading("Samen")], [])
    mailing = start(both, neither, content=make_content({**inside, "audience": for_one}, heading("Dag")))
    told = dict(mailing.messages.values_list("customer", "audiences"))
    assert told == {both.pk: sorted(f"label:{label.pk}" for label in (one, other)), neither.pk: []}


def test_fields_stand_in_descriptions_and_places_too(compiled: Callable[..., Compiled], picture: Picture) -> None:
    words = "Voor {{ first_name }} <3"
    event = {**EVENT["data"], "place": words, "picture": picture.pk, "alt": words}  # type: ignore[dict-item]
    done = compiled({"type": "event", "data": event}, {"type": "image", "data": {"picture": picture.pk, "alt": words}})
    for part in ("html", "letter"):
        assert read(done, part).count('alt="Voor Zoë &lt;3"') == 2
        assert "Voor Zoë <3 · € 12,50" in " ".join(unescape(read(done, part)).split())
    assert "[Voor Zoë <3]" in read(done, "text")
    assert "Voor Zoë <3 · € 12,50" in " ".join(read(done, "text").split())


def test_a_row_of_products_has_titles_prices_and_links(compiled: Callable[..., Compiled], picture: Picture) -> None:
    data = {
        "title_1": "Roman <3", "price_cents_1": 1999, "link_1": "https://www.example.nl/1",
        "picture_1": picture.pk, "alt_1": "Omslag", "title_2": "Cursus", "price_cents_2": 0,
    }  # fmt: skip
    done = compiled({"type": "products", "data": data})
    html = read(done, "html")
    assert html.count("mj-column-per-50") >= 2
    assert 'alt="Omslag"' in html
    assert "Roman &lt;3" in html
    assert read(done, "text").split("\n\n")[1:3] == [
        "Roman <3\n€\u00a019,99\nhttps://www.example.nl/1",
        "Cursus\nGratis",
    ]
    assert "€\u00a019,99" in read(done, "letter")


@pytest.mark.parametrize(
    ("cents", "words"), [(None, ""), (0, "Gratis"), (5, "€\u00a00,05"), (125000, "€\u00a01.250,00")]
)
def test_prices_in_words(cents: int | None, words: str) -> None:
    assert price_words(cents) == words
