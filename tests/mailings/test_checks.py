"""What is found before a message goes out."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from common.errors import Refused
from customers.models import Customer, Purpose
from labels.actions import create_label, give_label
from labels.models import Label
from mailings.actions import add_picture, change_sending_settings, save_style
from mailings.checks import Finding, Proof, Report, Severity, check_content, checks, confirm
from mailings.checks.contrast import lowest_contrasts
from mailings.checks.language import sentences_of
from mailings.checks.programs import unshown_in
from mailings.checks.spam import triggers_in
from mailings.darkness import darkened
from mailings.models import Content, Picture, SendingSettings
from mailings.styles import NETWORKS
from tests.factories import BranchFactory, CustomerFactory

pytestmark = pytest.mark.django_db
Make = Callable[..., Content]


def text(words: str, **rest: Any) -> dict[str, Any]:
    return {"type": "text", "data": {"text": f"<p>{words}</p>"}, **rest}


@pytest.fixture
def check(marketing: Purpose, now: dt.datetime) -> Callable[..., Report]:
    def make(content: Content, **rest: Any) -> Report:
        return check_content(content, **{"purpose": marketing, "channels": "email", "now": now, **rest})

    return make


@pytest.fixture
def label(now: dt.datetime) -> Label:
    return create_label(code="gezin", name="Gezinnen", kind="own", by=None, now=now)


def codes(report: Report) -> set[str]:
    return {one.code for one in report.findings}


def the(report: Report, code: str) -> Finding:
    [found] = [one for one in report.findings if one.code == code]
    return found


def test_a_message_in_order_has_nothing_to_mend_or_confirm(make_content: Make, check: Any) -> None:
    content = make_content(preheader="Deze week in de bibliotheek: schrijvers en muziek", subject="Nieuws")
    report = check(content)
    assert [one.code for one in report.findings] == ["links.unknown"]
    assert report.fingerprint == ""
    assert {one.code for one in report.passed} == {one.code for one in checks if not one.is_for_texts} - {"links"}
    confirm(report, confirmed="")


def test_a_column_with_nothing_in_it_is_told(make_content: Make, check: Any) -> None:
    block = {"type": "columns", "data": {"layout": "1-1", "columns": [[text("Links")], []]}}
    content = make_content(block)
    assert the(check(content), "ready.column").place == content.blocks[0]["id"]
    content.blocks[0]["data"]["columns"][1] = content.blocks[0]["data"]["columns"][0]
    assert "ready.column" not in codes(check(content))


def test_an_empty_message_is_an_error_in_each_way(make_content: Make, check: Any) -> None:
    content = make_content(subject="")
    content.blocks = []
    report = check(content)
    assert {one.code for one in report.errors} == {"ready.empty", "ready.subject"}
    assert "ready.subject" not in codes(check(content, channels="letter"))
    with pytest.raises(Refused) as refused:
        confirm(report, confirmed=report.fingerprint)
    assert refused.value.code == "check_errors"


def test_what_is_not_there_any_more_is_an_error_at_its_block(make_content: Make, check: Any, label: Label) -> None:
    content = make_content(text("Een"), text("Twee", audience={"kind": "label", "id": label.pk}))
    content.blocks.append({"id": "oud", "type": "hologram", "data": {}, "audience": None})
    content.blocks.append({"id": "foto", "type": "image", "data": {"picture": 0, "alt": "x", "link": ""}})
    label.delete()
    report = check(content)
    found = {(one.code, one.place) for one in report.errors}
    assert found == {("ready.audience", content.blocks[1]["id"]), ("ready.block", "oud"), ("ready.gone", "foto")}


def test_an_identity_that_is_not_known_is_an_error_and_a_free_address_a_warning(
    make_content: Make, check: Any, house: SendingSettings
) -> None:
    content = make_content()
    change_sending_settings(sender_email="bibliotheek@gmail.com", privacy_url="")
    assert {"identity.sender", "identity.privacy"} <= codes(check(content))
    SendingSettings.objects.update(postal_address="")
    assert the(check(content), "identity.missing").severity == Severity.ERROR


@pytest.mark.parametrize(
    ("subject", "code"),
    [
        ("Een onderwerp dat op een telefoon niet helemaal past", "subject.long"),
        ("NIEUWS UIT DE BIBLIOTHEEK", "subject.capitals"),
        ("Kom je ook?! Doe mee!", "subject.marks"),
        ("Laatste kans: gratis geld", "spam.subject"),
    ],
)
def test_a_subject_is_judged(make_content: Make, check: Any, subject: str, code: str) -> None:
    assert the(check(make_content(subject=subject)), code).place == "subject"
    assert code not in codes(check(make_content(subject="Nieuws uit de bibliotheek")))


def test_the_preview_text_is_judged(make_content: Make, check: Any) -> None:
    assert "preheader.missing" in codes(check(make_content(subject="Nieuws")))
    assert "preheader.same" in codes(check(make_content(subject="Nieuws", preheader="nieuws")))
    assert "preheader.length" in codes(check(make_content(subject="Nieuws", preheader="Kort")))


def test_a_field_without_a_value_is_told_with_the_number_of_readers_it_hits(
    make_content: Make, check: Any, label: Label, now: dt.datetime
) -> None:
    people = [CustomerFactory(city=city) for city in ("Edam", "", "", "")]
    give_label(label, Customer.objects.filter(pk=people[1].pk), by="test", now=now)
    audience = {"kind": "label", "id": label.pk}
    content = make_content(
        text("Uit {{ city }}"),
        text("Gezin uit {{ city }}", audience=audience),
        text('Uit {{ city | default: "de buurt" }} en voor {{ first_name }}'),
        subject="Nieuws",
    )
    found = {one.place: one for one in check(content).findings if one.code == "fields.empty"}
    assert {place: one.count for place, one in found.items()} == {
        content.blocks[0]["id"]: 3,
        content.blocks[1]["id"]: 1,
    }
    assert "3 klanten" in found[content.blocks[0]["id"]].words
    assert 'default: "…"' in found[content.blocks[0]["id"]].remedy
    few = check(content, candidates=Customer.objects.filter(pk__in=[people[0].pk, people[2].pk]))
    assert the(few, "fields.empty").count == 1


def test_a_block_for_nobody_and_a_reader_without_a_block_are_told(
    make_content: Make, check: Any, label: Label, now: dt.datetime
) -> None:
    one, *_others = [CustomerFactory() for _ in range(3)]
    empty = create_label(code="leeg", name="Leeg", kind="own", by=None, now=now)
    give_label(label, Customer.objects.filter(pk=one.pk), by="test", now=now)
    content = make_content(
        text("Gezin", audience={"kind": "label", "id": label.pk}),
        text("Niemand", audience={"kind": "label", "id": empty.pk}),
    )
    report = check(content)
    assert the(report, "audiences.empty").place == content.blocks[1]["id"]
    assert the(report, "audiences.left_out").count == 2
    content.blocks.append({**text("Iedereen"), "id": "all", "audience": None})
    assert "audiences.left_out" not in codes(check(content))


def test_readers_of_a_block_in_columns_are_those_who_belong_to_both(
    make_content: Make, check: Any, label: Label, now: dt.datetime
) -> None:
    one, other, _third = CustomerFactory(city=""), CustomerFactory(city=""), CustomerFactory()
    second = create_label(code="nieuw", name="Nieuw", kind="own", by=None, now=now)
    give_label(label, Customer.objects.filter(pk=one.pk), by="test", now=now)
    give_label(second, Customer.objects.filter(pk=other.pk), by="test", now=now)
    inside = text("Uit {{ city }}", audience={"kind": "label", "id": second.pk})
    block = {"type": "columns", "data": {"layout": "1-1", "columns": [[inside], []]}}
    content = make_content({**block, "audience": {"kind": "label", "id": label.pk}})
    inner = content.blocks[0]["data"]["columns"][0][0]["id"]
    report = check(content)
    assert the(report, "audiences.empty").place == inner
    assert the(report, "audiences.left_out").count == 3
    assert "fields.empty" not in codes(report)
    give_label(label, Customer.objects.filter(pk=other.pk), by="test", now=now)
    report = check(content)
    assert "audiences.empty" not in codes(report)
    assert the(report, "audiences.left_out").count == 2
    assert (the(report, "fields.empty").place, the(report, "fields.empty").count) == (inner, 1)
    Label.objects.filter(pk=second.pk).delete()
    assert the(check(content), "ready.audience").place == inner


def test_each_house_style_that_readers_get_is_looked_at(make_content: Make, check: Any, now: dt.datetime) -> None:
    north, south = (BranchFactory(name=name) for name in ("Noord", "Zuid"))
    save_style(None, accent="#0b5563")
    save_style(north, accent="#ffe680")
    save_style(south, accent="#0b5563", sender_email="zuid@gmail.com")
    reader, other = CustomerFactory(branch=north), CustomerFactory(branch=south)
    content = make_content(text("Er is iets te doen."))

    def told(report: Report) -> list[str]:
        return sorted(one.words for one in report.findings if one.code in {"contrast.accent", "identity.sender"})

    of_north, of_south = (check(content, candidates=Customer.objects.filter(pk=one.pk)) for one in (reader, other))
    assert ["Noord" in words for words in told(of_north)] == [True]
    assert ["gmail.com" in words for words in told(of_south)] == [True]
    assert len(told(check(content))) == 2
    proof = Proof(content, Purpose.objects.get(code="marketing"), "email", now)
    assert [name for name, _preview in proof.looks] == ["", "Noord"]  # the south looks as the organisation does


def test_a_mail_that_is_too_large_in_one_house_style_is_told(make_content: Make, check: Any) -> None:
    north = BranchFactory(name="Noord")
    save_style(north, social={code: f"https://{code}.example/" for code in NETWORKS})
    blocks = [{"type": "social", "data": {"title": "Volg ons"}} for _ in range(58)]
    content = make_content(*blocks, text("Er is iets te doen."))
    assert "size.large" not in codes(check(content, candidates=Customer.objects.none()))
    reader = CustomerFactory(branch=north)
    found = the(check(content, candidates=Customer.objects.filter(pk=reader.pk)), "size.large")
    assert found.words.startswith("Voor lezers van Noord:")


def test_counting_takes_one_statement_however_many_blocks(
    make_content: Make, check: Any, django_assert_max_num_queries: Any
) -> None:
    CustomerFactory(city="")
    content = make_content(*(text(f"Uit {{{{ city }}}} {number}") for number in range(20)))
    with django_assert_max_num_queries(25):
        assert sum(one.code == "fields.empty" for one in check(content).findings) == 20


@pytest.fixture
def picture(settings: Any, tmp_path: Any, now: dt.datetime) -> Callable[..., Picture]:
    settings.MEDIA_ROOT = tmp_path

    def make(width: int = 600, *, noise: bool = False) -> Picture:
        file = BytesIO()
        drawn = Image.effect_noise((width, width), 200) if noise else Image.new("RGB", (width, width), "#0b5563")
        drawn.convert("RGB").save(file, "PNG")
        return add_picture(file=SimpleUploadedFile("x.png", file.getvalue()), alt="Een boek", by=None, now=now)

    return make


def image(picture: Picture, alt: str) -> dict[str, Any]:
    return {"type": "image", "data": {"picture": picture.pk, "alt": alt}}


@pytest.mark.parametrize(
    ("alt", "code"),
    [
        ("IMG_2041.jpg", "pictures.alt_file"),
        ("Foto van de nieuwe zaal", "pictures.alt_picture"),
        ("De zaal " * 17, "pictures.alt_long"),
    ],
)
def test_a_description_is_judged(make_content: Make, check: Any, picture: Any, alt: str, code: str) -> None:
    long = text("Er is veel te zien en te horen in de nieuwe zaal. " * 8)
    content = make_content(image(picture(), alt), image(picture(), "De nieuwe zaal"), long)
    assert the(check(content), code).place == content.blocks[0]["id"]


def test_heavy_small_and_lost_pictures_are_told(make_content: Make, check: Any, picture: Any) -> None:
    heavy, lost = picture(1100, noise=True), picture()
    content = make_content(image(heavy, "Ruis"), image(lost, "Weg"))
    assert {"pictures.heavy", "pictures.mostly"} <= codes(check(content))
    lost.file.storage.delete(lost.file.name)
    assert the(check(content), "pictures.gone").severity == Severity.ERROR


def test_contrast_is_measured_where_the_words_stand() -> None:
    head = '<style>a { color: #0b5563; }</style><body><div style="background:#ffffff">'
    parts = [
        ("", head),
        ("good", '<p style="color:#1f2933">Goed <a href="#">link</a></p>'),
        ("bad", '<td bgcolor="#eeeeee"><p style="color:#aaa">Slecht</p></td>'),
        ("large", '<p style="color:#8a8a8a;font-size:24px">Groot mag lichter</p>'),
        ("small", '<p style="color:#8a8a8a">Klein niet</p>'),
        ("hidden", '<p style="color:#fff;display:none">Niemand ziet dit</p>'),
        ("", "</div></body>"),
    ]
    assert set(lowest_contrasts(parts)) == {"bad", "small"}
    assert lowest_contrasts(parts)["bad"][1:] == ("#aaaaaa", "#eeeeee")


def test_our_own_mails_can_be_read_in_light_and_dark(make_content: Make, check: Any) -> None:
    content = make_content(
        {"type": "heading", "data": {"text": "Kop"}},
        {"type": "quote", "data": {"text": "Mooi", "source": "Anna"}},
        {"type": "button", "data": {"text": "Kom", "url": "https://www.example.nl/"}},
        {"type": "article", "data": {"title": "T", "text": "<p>Tekst</p>", "link": "https://www.example.nl/a"}},
    )
    assert not {code for code in codes(check(content)) if code.startswith("contrast")}


def test_dark_mode_turns_colours_round_and_leaves_pictures_and_links() -> None:
    cell = '<td bgcolor="#ffffff"><a href="#fff" style="color:#000">x</a><img src="a#fff">'
    dark = darkened("<style>p{color:#1f2933}</style>" + cell)
    assert 'bgcolor="#1c1c1c"' in dark
    assert 'style="color:#f2f2f2"' in dark
    assert 'href="#fff"' in dark
    assert 'src="a#fff"' in dark
    assert "#1f2933" not in dark


@pytest.mark.parametrize(
    ("html", "code"),
    [
        ("<video src=x>", "video"),
        ('<div style="display: flex">', "flex"),
        ('<img src="data:image/png;base64,x">', "data"),
        ('<td style="background:url(x.png)">', "ground"),
        ('<img src="https://x.nl/plaat.webp">', "webp"),
        ("<svg></svg>", "svg"),
        ('<p style="position:absolute">', "position"),
        ('<form action="x">', "form"),
    ],
)
def test_what_mail_programs_leave_out_is_known(html: str, code: str) -> None:
    assert [one.code for one in unshown_in(html)] == [code]
    assert unshown_in('<p style="color:#000">Een gewone tekst over video en formulieren</p>') == []


def test_a_mail_that_is_cut_off_is_told(make_content: Make, check: Any) -> None:
    long = text("Woorden, woorden, en nog eens woorden. " * 400)
    assert "size.large" in codes(check(make_content(*[long] * 8)))
    assert "size.large" not in codes(check(make_content(long)))


def test_trigger_words_are_found_whole_and_in_both_languages() -> None:
    assert triggers_in("Klik hier, u heeft gewonnen! Click HERE") == ["click here", "klik hier", "u heeft gewonnen"]
    assert triggers_in("Een prijswinnaar leest voor; gratis toegang") == []


def test_many_trigger_words_in_a_text_weigh_more_than_one(make_content: Make, check: Any) -> None:
    assert the(check(make_content(text("Klik hier voor meer."))), "spam.text").severity == Severity.HINT
    loud = check(make_content(text("Klik hier, laatste kans, nu of nooit!")))
    assert the(loud, "spam.text").severity == Severity.WARNING


def test_sentences_are_told_apart_and_addresses_are_no_words() -> None:
    found = sentences_of("Kop\n===\n\nEen zin. Nog een! Zie https://example.nl/a.b.c\n\n- punt een\n- punt twee")
    assert [len(one.words) for one in found] == [1, 2, 2, 1, 2, 2]


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("Wij laten je weten dat " + "het boek dat je graag wilde lezen " * 4 + "er is.", "language.sentence"),
        ("Indien je wilt, kom dan langs. Dit geldt tevens voor kinderen.", "language.difficult"),
        ("Dit is de arbeidsongeschiktheidsverzekering.", "language.word"),
        ("De boeken worden gebracht. De zaal wordt gebouwd. Er wordt gelezen. Kom ook eens langs.", "language.passive"),
    ],
)
def test_dutch_that_is_not_plain_gets_a_hint(make_content: Make, check: Any, words: str, code: str) -> None:
    assert the(check(make_content(text(words))), code).severity == Severity.HINT
    plain = text("Kom langs. Wij lezen voor. Er is koffie. Neem je buurman mee. Het kost niets.")
    assert not {one for one in codes(check(make_content(plain))) if one.startswith("language")}


def test_warnings_are_confirmed_and_new_ones_again(make_content: Make, check: Any) -> None:
    content = make_content(subject="LAATSTE KANS VANDAAG")
    report = check(content)
    with pytest.raises(Refused) as refused:
        confirm(report, confirmed="")
    assert refused.value.code == "check_warnings"
    confirm(report, confirmed=report.fingerprint)
    content.subject = "LAATSTE KANS VANDAAG!!"
    with pytest.raises(Refused):
        confirm(check(content), confirmed=report.fingerprint)


def test_a_service_message_needs_no_way_out_of_marketing(make_content: Make, check: Any, service: Purpose) -> None:
    assert "identity.unsubscribe" not in codes(check(make_content(), purpose=service))
    assert "identity.unsubscribe" not in codes(check(make_content()))


def test_the_lines_of_a_card_are_no_single_sentence() -> None:
    card = "Verjaardagsbon\n€ 5 korting op een kaartje\nCode: V00R\nGeldig tot en met\nvrijdag"
    assert [len(one.words) for one in sentences_of(card)] == [1, 4, 3, 5]
