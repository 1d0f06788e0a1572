"""House styles: which one a reader gets, in mail and on paper."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from common.errors import Refused
from customers.models import Purpose
from mailings.actions import add_picture, remove_style, save_style
from mailings.compiling import compile_content
from mailings.letters import Letter, letters_html
from mailings.models import Content, HouseStyle, Link, Mailing, Picture, SendingSettings
from mailings.previewing import preview_content
from mailings.rendering import fill_all, in_style_of, sender_of
from mailings.styles import FONTS, Style, load_styles
from tests.factories import BranchFactory
from tests.mailings.test_content import picture_bytes

pytestmark = pytest.mark.django_db

SOCIAL = {"type": "social", "data": {"title": "Volg {{ organisation }}"}}


@pytest.fixture
def logo(now: dt.datetime, settings: Any, tmp_path: Any) -> Picture:
    settings.MEDIA_ROOT = tmp_path
    return add_picture(file=picture_bytes(), alt="Logo", now=now)


def html_for(compiled: Any, branch_id: int | None) -> str:
    return fill_all(in_style_of(compiled, branch_id)["html"], {}, [], as_html=True)


def test_without_a_style_there_is_a_plain_one(house: SendingSettings) -> None:
    assert load_styles() == {None: Style()}


def test_a_branch_takes_from_the_organisation_what_it_leaves_open(logo: Picture) -> None:
    edam = BranchFactory()
    save_style(None, accent="#aa0000", font="georgia", logo=logo, social={"facebook": "https://fb.example/org"})
    save_style(edam, accent="#00aa00", sender_email="edam@example.nl", social={"instagram": "https://ig.example/edam"})
    styles = load_styles([edam.pk, BranchFactory().pk, None])
    assert set(styles) == {None, edam.pk}
    own = styles[edam.pk]
    assert (own.accent, own.font, own.sender_email) == ("#00aa00", FONTS["georgia"], "edam@example.nl")
    assert own.logo == styles[None].logo
    assert own.social == (("Facebook", "https://fb.example/org"), ("Instagram", "https://ig.example/edam"))


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"accent": "rood"}, "colour"),
        ({"social": {"hyves": "https://x.nl"}}, "network"),
        ({"sender_email": "a@b.nl"}, "sender"),
    ],
)
def test_a_style_that_cannot_be_is_refused(fields: dict[str, Any], code: str) -> None:
    with pytest.raises(Refused) as refused:
        save_style(None, **fields)
    assert refused.value.code == code
    assert not HouseStyle.objects.exists()


def test_there_is_one_style_for_each_and_the_database_says_so(base_data: None) -> None:
    save_style(None, accent="#111111")
    save_style(None, accent="#222222")
    assert HouseStyle.objects.get().accent == "#222222"
    branch = BranchFactory()
    save_style(branch, font="arial")
    for wrong in (HouseStyle(), HouseStyle(branch=branch)):
        with pytest.raises(IntegrityError), transaction.atomic():
            wrong.save()


def test_a_style_that_was_taken_away_is_the_organisations_again(base_data: None) -> None:
    edam = BranchFactory()
    save_style(edam, accent="#00aa00")
    for _twice in range(2):
        remove_style(edam)
    assert set(load_styles([edam.pk])) == {None}


def test_each_reader_gets_the_style_of_his_branch_and_each_style_is_compiled_once(
    start: Callable[..., Mailing], reader: Callable[..., Any], make_content: Callable[..., Content], logo: Picture
) -> None:
    edam, hoorn, without = BranchFactory(), BranchFactory(), BranchFactory()
    save_style(None, accent="#aa0000", social={"facebook": "https://fb.example/org"})
    save_style(edam, accent="#00aa00", logo=logo, social={"facebook": "https://fb.example/edam"})
    save_style(hoorn, accent="#0000aa")
    mailing = start(
        reader(branch=edam), reader(branch=edam), reader(branch=without), reader(),
        content=make_content({"type": "button", "data": {"text": "Kom", "url": "https://a.example"}}, SOCIAL),
    )  # fmt: skip
    assert set(mailing.compiled["styles"]) == {str(edam.pk)}  # nobody of Hoorn gets it
    own, others = html_for(mailing.compiled, edam.pk), html_for(mailing.compiled, without.pk)
    assert "#00aa00" in own
    assert str(logo.key) in own
    assert 'alt="Bibliotheek Waterland"' in own
    assert "#aa0000" in others
    assert str(logo.key) not in others
    assert list(Link.objects.order_by("position").values_list("url", flat=True)) == [
        "https://a.example", "https://fb.example/org", "https://fb.example/edam",
    ]  # fmt: skip


def test_letters_wear_the_style_of_the_readers_branch(
    start: Callable[..., Mailing], reader: Callable[..., Any], make_content: Callable[..., Content], logo: Picture,
    now: dt.datetime,
) -> None:  # fmt: skip
    edam = BranchFactory()
    save_style(None, accent="#aa0000")
    save_style(edam, accent="#00aa00", logo=logo)
    mailing = start(reader(branch=edam), reader(), content=make_content(SOCIAL))
    letters = [Letter([], frozenset(), {}, edam.pk), Letter([], frozenset(), {}, None)]
    html = letters_html(letters, compiled=mailing.compiled, identity=SendingSettings.load(), now=now)
    first, second = html.split('<section class="letter"')[1:]
    assert "--accent: #00aa00" in first
    assert f"picture:{logo.key}" in first
    assert "--accent: #aa0000" in second
    assert "picture:" not in second


def test_a_mailing_from_before_there_were_styles_still_reads(house: SendingSettings, now: dt.datetime) -> None:
    old = {"letter": [["", ["<p>Dag</p>"]]]}
    assert in_style_of(old, 7) == old
    assert sender_of(old, house).address == "nieuws@waterland.example"
    html = letters_html([Letter([], frozenset(), {}, 7)], compiled=old, identity=house, now=now)
    assert "<p>Dag</p>" in html


def test_social_media_are_those_of_the_style_in_every_part(
    make_content: Callable[..., Content], marketing: Purpose, house: SendingSettings
) -> None:
    column = {"type": "columns", "data": {"layout": "1-1", "columns": [[SOCIAL], []]}}
    for block in (SOCIAL, column):
        style = Style(social=(("Facebook", "https://fb.example/?a=1&b=2"),))
        done = compile_content(make_content(block), purpose=marketing, identity=house, styles={None: style})
        values = {"organisation": "de Bieb", "link:0": "https://fb.example/?a=1&b=2"}
        assert done["links"] == ["https://fb.example/?a=1&b=2"]
        for part in ("html", "text", "letter"):
            words = fill_all(done[part], values, [], as_html=part != "text").replace("&amp;", "&")
            assert "Volg de Bieb" in words
            assert "https://fb.example/?a=1&b=2" in words


def test_social_media_without_any_show_nothing(
    make_content: Callable[..., Content], marketing: Purpose, house: SendingSettings
) -> None:
    done = compile_content(make_content(SOCIAL), purpose=marketing, identity=house)
    assert done["text"][1] == ["", []]
    assert done["letter"] == [["", []]]


def test_a_preview_wears_the_style_of_the_customers_branch(
    make_content: Callable[..., Content], marketing: Purpose, reader: Callable[..., Any], now: dt.datetime
) -> None:
    edam = BranchFactory()
    save_style(edam, accent="#00aa00", sender_name="Bieb Edam", sender_email="edam@waterland.example")
    preview = preview_content(make_content(), purpose=marketing, customer=reader(branch=edam), now=now)
    assert "#00aa00" in preview.html
    assert b"From: Bieb Edam <edam@waterland.example>" in preview.mail(address="ik@example.nl", purpose=marketing)
    assert "#00aa00" not in preview_content(make_content(), purpose=marketing, now=now).html
