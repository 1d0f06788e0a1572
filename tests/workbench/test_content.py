import datetime as dt
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from playwright.sync_api import Dialog, Page, expect

from campaigns.models import Action
from common.blocks import blocks
from customers.models import Purpose
from labels.actions import create_label, give_label
from labels.models import Label
from mailings.models import Content, Message, Picture
from tests.factories import CustomerFactory, DefinitionFactory
from tests.mailings.conftest import base_data, house, make_content, marketing, reader, readers, service, start
from tests.mailings.test_content import picture_bytes
from tests.smtp_sink import Sink

__all__ = ["base_data", "house", "make_content", "marketing", "reader", "readers", "service", "start"]

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}


@pytest.fixture
def client(marketeer: User, client_of: Callable[[User], Client]) -> Client:
    return client_of(marketeer)


@pytest.fixture
def content(make_content: Callable[..., Content]) -> Content:
    return make_content({"type": "heading", "data": {"text": "Een"}}, {"type": "heading", "data": {"text": "Twee"}})


@pytest.fixture
def label(now: dt.datetime) -> Label:
    return create_label(code="gezin", name="Gezinnen", kind="own", by=None, now=now)


def texts(content: Content) -> list[Any]:
    content.refresh_from_db()
    return [block["data"].get("text") for block in content.blocks]


def test_the_editor_shows_the_blocks_and_all_types(client: Client, content: Content) -> None:
    page = client.get(f"/content/{content.pk}/").content.decode()
    for words in ("Een", "Twee", "/blocks/add/voucher/", "/blocks/add/text/", "Nieuws voor {{ first_name }}"):
        assert words in page


def test_the_list_of_blocks_names_the_fields_and_the_form_keeps_them(
    client: Client, make_content: Callable[..., Content]
) -> None:
    content = make_content(
        {"type": "heading", "data": {"text": 'Dag {{ first_name | default: "lezer" }} uit {{ city }}'}}
    )
    page = client.get(f"/content/{content.pk}/").content.decode()
    assert "Dag [Voornaam] uit [Plaats]" in page
    form = client.get(f"/content/{content.pk}/blocks/{content.blocks[0]['id']}/").content.decode()
    assert "{{ first_name | default: &quot;lezer&quot; }}" in form


def test_fields_can_be_put_into_the_subject_and_every_block_with_words(client: Client, content: Content) -> None:
    page = client.get(f"/content/{content.pk}/").content.decode()
    assert 'data-insert="first_name"' in page
    assert f'href="/content/{content.pk}/checks/"' in page
    forms = {one.code: client.get(f"/content/{content.pk}/blocks/add/{one.code}/").content.decode() for one in blocks}
    without = {code for code, form in forms.items() if 'data-insert="first_name"' not in form}
    assert without == {"divider", "voucher", "columns"}


def test_the_pages_of_a_content_lead_back_to_what_it_belongs_to(
    client: Client, content: Content, service: Purpose, now: dt.datetime
) -> None:
    action = Action.objects.create(name="Welkom", content=content, purpose=service, created_at=now)
    block = content.blocks[0]["id"]
    trail = [("Acties", "/actions/"), ("Welkom", f"/actions/{action.pk}/")]
    assert client.get(f"/content/{content.pk}/").context["crumbs"] == trail
    deeper = [*trail, ("Inhoud", f"/content/{content.pk}/")]
    for address in (f"blocks/{block}/", "blocks/add/text/", "preview/"):
        assert client.get(f"/content/{content.pk}/{address}").context["crumbs"] == deeper


def test_the_subject_is_saved_and_checked(client: Client, content: Content) -> None:
    client.post(f"/content/{content.pk}/", {"subject": "Hallo {{ city }}", "preheader": "Kort"})
    content.refresh_from_db()
    assert (content.subject, content.preheader) == ("Hallo {{ city }}", "Kort")
    answer = client.post(f"/content/{content.pk}/", {"subject": "Hallo {{ iban }}", "preheader": ""})
    assert answer.status_code == 422
    assert "iban" in answer.content.decode()


def test_a_block_is_added_with_its_audience(client: Client, content: Content, label: Label) -> None:
    address = f"/content/{content.pk}/blocks/add/text/"
    assert "trix-editor" in client.get(address, headers=HTMX).content.decode()
    answer = client.post(address, {"text": "<p>Drie</p>", "audience": f"label:{label.pk}"}, headers=HTMX)
    assert answer.headers["HX-Retarget"] == "#content-body"
    assert "Gezinnen" in answer.content.decode()
    content.refresh_from_db()
    assert content.blocks[-1]["audience"] == {"kind": "label", "id": label.pk}
    assert texts(content) == ["Een", "Twee", "<p>Drie</p>"]


def test_a_block_that_is_not_right_comes_back_with_what_was_typed(client: Client, content: Content) -> None:
    address = f"/content/{content.pk}/blocks/add/button/"
    answer = client.post(address, {"text": "Klik {{ iban }}", "url": "https://x.nl", "audience": ""}, headers=HTMX)
    assert answer.status_code == 422
    assert "Klik {{ iban }}" in answer.content.decode()
    assert "HX-Retarget" not in answer.headers
    assert len(texts(content)) == 2


def test_a_block_is_changed_removed_and_moved(client: Client, content: Content) -> None:
    first, second = (block["id"] for block in content.blocks)
    client.post(f"/content/{content.pk}/blocks/{first}/", {"text": "1", "audience": ""}, headers=HTMX)
    assert texts(content) == ["1", "Twee"]
    assert client.post(f"/content/{content.pk}/blocks/order/", {"order": [second, first]}).status_code == 204
    assert texts(content) == ["Twee", "1"]
    client.post(f"/content/{content.pk}/blocks/{second}/remove/", headers=HTMX)
    assert texts(content) == ["1"]
    gone = client.post(f"/content/{content.pk}/blocks/{second}/", {"text": "x", "audience": ""}, headers=HTMX)
    assert gone.status_code == 422


def test_without_scripts_the_same_forms_are_pages(client: Client, content: Content) -> None:
    address = f"/content/{content.pk}/blocks/add/heading/"
    assert "<h1" in client.get(address).content.decode()
    answer = client.post(address, {"text": "Drie", "audience": ""})
    assert answer.status_code == 302
    assert answer["Location"].startswith(f"/content/{content.pk}/")


def test_unknown_types_and_contents_are_refused(client: Client, content: Content) -> None:
    assert client.get(f"/content/{content.pk}/blocks/add/script/").status_code == 302
    assert client.get("/content/0/").status_code == 404


def test_a_picture_is_uploaded_with_its_block(client: Client, content: Content, settings: Any, tmp_path: Any) -> None:
    settings.MEDIA_ROOT = tmp_path
    address = f"/content/{content.pk}/blocks/add/image/"
    fields = {"alt": "De zee", "link": "", "audience": ""}
    empty = client.post(address, fields, headers=HTMX)
    assert empty.status_code == 422
    wrong = client.post(address, {**fields, "upload": SimpleUploadedFile("x.png", b"<svg/>")}, headers=HTMX)
    assert wrong.status_code == 422
    assert not Picture.objects.exists()
    file = SimpleUploadedFile("foto.jpg", picture_bytes().getvalue())
    assert client.post(address, {**fields, "upload": file}, headers=HTMX).status_code == 200
    content.refresh_from_db()
    assert content.blocks[-1]["data"] == {"picture": Picture.objects.get().pk, "alt": "De zee", "link": ""}


def test_a_picture_that_is_chosen_is_offered_however_old_it_is(
    client: Client, content: Content, settings: Any, tmp_path: Any
) -> None:
    settings.MEDIA_ROOT = tmp_path
    file = SimpleUploadedFile("foto.jpg", picture_bytes().getvalue())
    fields = {"alt": "De zee", "link": "", "audience": "", "upload": file}
    client.post(f"/content/{content.pk}/blocks/add/image/", fields, headers=HTMX)
    (kept,) = Picture.objects.all()
    more = [Picture(file="x.jpg", alt="", width=1, height=1, created_at=kept.created_at) for _ in range(41)]
    Picture.objects.bulk_create(more)
    content.refresh_from_db()
    form = client.get(f"/content/{content.pk}/blocks/{content.blocks[-1]['id']}/").content.decode()
    assert re.search(rf'value="{kept.pk}"[^>]*checked', form)


def test_a_block_for_a_label_that_is_out_of_use_stays_for_that_label(
    client: Client, make_content: Any, label: Label
) -> None:
    block = {"type": "text", "data": {"text": "<p>Gezin</p>"}, "audience": {"kind": "label", "id": label.pk}}
    content = make_content(block)
    Label.objects.update(is_active=False)
    address = f"/content/{content.pk}/blocks/{content.blocks[0]['id']}/"
    form = client.get(address).content.decode()
    assert re.search(rf'value="label:{label.pk}"[^>]*selected', form)
    assert "niet meer in gebruik" in form
    sent = {"text": "<p>Gezinnen</p>", "audience": f"label:{label.pk}"}
    assert client.post(address, sent, headers=HTMX).status_code == 200
    content.refresh_from_db()
    assert content.blocks[0]["audience"] == {"kind": "label", "id": label.pk}


def test_the_preview_is_what_a_customer_would_read(
    client: Client, make_content: Any, label: Label, now: dt.datetime
) -> None:
    customer = CustomerFactory(first_name="Fatima")
    content = make_content(
        {"type": "heading", "data": {"text": "Dag {{ first_name }}"}},
        {"type": "heading", "data": {"text": "Gezin"}, "audience": {"kind": "label", "id": label.pk}},
        {"type": "voucher", "data": {"definition": DefinitionFactory().pk}},
    )
    frame = f"/content/{content.pk}/preview/frame/"
    html = client.get(f"{frame}?customer={customer.number}").content.decode()
    assert "Dag Fatima" in html
    assert "Gezin" not in html
    assert "V00R" in html  # a sample, worthless at the counter
    assert "Gezin" in client.get(f"{frame}?audience=label:{label.pk}").content.decode()
    give_label(label, type(customer).objects.all(), by="test", now=now)
    assert "Gezin" in client.get(f"{frame}?customer={customer.number}").content.decode()


def test_the_preview_can_do_nothing(client: Client, content: Content) -> None:
    answer = client.get(f"/content/{content.pk}/preview/frame/")
    policy = answer["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "sandbox" in policy
    assert "script-src" not in policy


def test_the_preview_page_has_text_and_letter(client: Client, content: Content) -> None:
    page = f"/content/{content.pk}/preview/"
    assert "Een\n===" in client.get(f"{page}?part=text").content.decode()
    assert "/preview/letter/" in client.get(f"{page}?part=letter").content.decode()
    letter = client.get(f"/content/{content.pk}/preview/letter/")
    assert letter.content.startswith(b"%PDF")


def test_an_unknown_customer_is_said_to_be_so(client: Client, content: Content) -> None:
    page = client.get(f"/content/{content.pk}/preview/?customer=bestaat-niet").content.decode()
    assert "Er is geen klant met dit nummer." in page


def test_previews_write_nothing(client: Client, content: Content) -> None:
    before = Content.objects.values().get()
    for address in ("", "preview/", "preview/frame/", "preview/letter/", "blocks/add/voucher/"):
        client.get(f"/content/{content.pk}/{address}")
    assert Content.objects.values().get() == before
    assert not Message.objects.exists()


def test_a_test_goes_to_ones_own_address_and_counts_nowhere(
    client: Client, make_content: Any, smtp_sink: Sink, marketeer: User
) -> None:
    content = make_content()
    client.post(f"/content/{content.pk}/test/", {"customer": "", "audience": ""})
    [mail] = smtp_sink.to(marketeer.email)
    assert mail["Subject"] == "[Test] Nieuws voor Fatima"
    body = mail.get_body(("html",)).get_content()  # type: ignore[union-attr]
    assert 'href="https://www.example.nl/agenda?a=1&amp;b=2"' in body
    assert not Message.objects.exists()


def test_a_test_that_cannot_be_sent_says_why(client: Client, content: Content, house: Any) -> None:
    page = client.post(
        f"/content/{content.pk}/test/", follow=True, headers={"Referer": f"http://testserver/content/{content.pk}/"}
    )
    assert "refused" in page.content.decode()


@pytest.mark.django_db(transaction=True)
def test_a_marketeer_writes_a_message_in_a_browser(
    page: Page, sign_in: Any, axe: Any, marketeer: User, make_content: Any, settings: Any, live_server: Any
) -> None:
    settings.BASE_URL = live_server.url
    content = make_content({"type": "heading", "data": {"text": "Eerste"}})
    sign_in(marketeer)
    page.goto(f"/content/{content.pk}/")
    axe()
    page.get_by_text("Blok toevoegen").click()
    page.get_by_role("link", name="Tekst").click()
    expect(page.locator("trix-toolbar")).to_be_visible()
    page.locator("trix-editor").click()
    page.keyboard.type('Dag {{ first_name | default: "lezer" }}')
    axe()
    page.get_by_role("button", name="Toevoegen").click()
    blocks = page.get_by_role("list", name="Blokken op volgorde").get_by_role("listitem")
    expect(blocks).to_have_count(2)
    expect(page.frame_locator(".mail-frame").get_by_text("Dag Fatima")).to_be_visible()
    blocks.nth(1).get_by_role("button", name="omhoog").press("Enter")
    expect(blocks.nth(0)).to_contain_text("Dag")
    expect(page.frame_locator(".mail-frame").locator("h2")).to_have_text("Eerste")
    blocks.nth(1).get_by_role("link", name="Wijzigen").click()
    page.get_by_label("Tekst", exact=True).fill("Tweede")
    blocks.get_by_role("button", name="Opslaan").click()
    expect(page.frame_locator(".mail-frame").locator("h2")).to_have_text("Tweede")
    blocks.nth(0).get_by_role("button", name="Verwijderen").click()
    page.locator("[data-confirm-yes]").click()
    expect(blocks).to_have_count(1)
    axe()
    content.refresh_from_db()
    assert [block["data"] for block in content.blocks] == [{"text": "Tweede"}]


@pytest.mark.django_db(transaction=True)
def test_saving_the_subject_asks_before_it_throws_away_a_block_under_the_pen(
    page: Page, sign_in: Any, marketeer: User, make_content: Any
) -> None:
    content = make_content({"type": "heading", "data": {"text": "Eerste"}})
    sign_in(marketeer)
    page.goto(f"/content/{content.pk}/")
    page.get_by_role("link", name="Wijzigen").click()
    page.get_by_label("Tekst", exact=True).fill("Bijna klaar")
    asked: list[str] = []

    def stay(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.dismiss()

    page.once("dialog", stay)
    page.get_by_label("Onderwerp").fill("Nieuw")
    page.locator("form[data-guard]").first.get_by_role("button", name="Opslaan").click()
    expect(page.get_by_label("Tekst", exact=True)).to_have_value("Bijna klaar")
    assert asked == ["beforeunload"]


def test_columns_are_filled_from_the_list_of_blocks(client: Client, make_content: Callable[..., Content]) -> None:
    content = make_content({"type": "heading", "data": {"text": "Boven"}})
    client.post(f"/content/{content.pk}/blocks/add/columns/", {"layout": "1-1", "audience": ""}, headers=HTMX)
    content.refresh_from_db()
    outer = content.blocks[1]["id"]
    page = client.get(f"/content/{content.pk}/").content.decode()
    assert f"/blocks/add/event/?into={outer}:1" in page
    assert f"/blocks/add/voucher/?into={outer}:1" not in page
    address = f"/content/{content.pk}/blocks/add/heading/?into={outer}:1"
    assert "Onder wie de kolommen ziet" in client.get(address).content.decode()
    assert client.post(address, {"text": "Rechts"}).status_code == 302  # as a page, without scripts
    content.refresh_from_db()
    inner = content.blocks[1]["data"]["columns"][1][0]
    assert inner["data"] == {"text": "Rechts"}
    client.post(f"/content/{content.pk}/blocks/{outer}/", {"layout": "2-1", "audience": ""}, headers=HTMX)
    order = f"/content/{content.pk}/blocks/order/?into={outer}:0"
    assert client.post(order, {"order": [inner["id"]]}).status_code == 204
    client.post(f"/content/{content.pk}/blocks/{inner['id']}/", {"text": "Links"}, headers=HTMX)
    content.refresh_from_db()
    assert content.blocks[1]["data"]["layout"] == "2-1"
    assert [[one["data"] for one in column] for column in content.blocks[1]["data"]["columns"]] == [
        [{"text": "Links"}],
        [],
    ]
    move = f"/content/{content.pk}/blocks/{inner['id']}/move/"
    page = client.get(f"/content/{content.pk}/").content.decode()
    assert f"{move}?into={outer}:1" in page
    assert f"{move}?into={outer}:0" not in page
    assert f"/blocks/{outer}/move/" not in page
    answer = client.post(f"{move}?into={outer}:1", headers=HTMX)
    assert answer.headers["HX-Retarget"] == "#content-body"
    content.refresh_from_db()
    assert [len(column) for column in content.blocks[1]["data"]["columns"]] == [0, 1]
    assert client.post(move).status_code == 302
    content.refresh_from_db()
    assert [one["type"] for one in content.blocks] == ["heading", "columns", "heading"]
    client.post(f"{move}?into={outer}:0", headers=HTMX)
    client.post(f"/content/{content.pk}/blocks/{inner['id']}/remove/", headers=HTMX)
    content.refresh_from_db()
    assert content.blocks[1]["data"]["columns"] == [[], []]


def test_an_event_is_written_with_a_picture_and_read_back(
    client: Client, content: Content, settings: Any, tmp_path: Any
) -> None:
    settings.MEDIA_ROOT = tmp_path
    fields = {"title": "Lezing", "day": "2026-12-05", "starts_at": "20:15", "price_cents": "12,50", "audience": ""}
    file = SimpleUploadedFile("foto.jpg", picture_bytes().getvalue())
    address = f"/content/{content.pk}/blocks/add/event/"
    undescribed = client.post(address, {**fields, "upload": file}, headers=HTMX)
    assert undescribed.status_code == 422
    picture = Picture.objects.get()
    assert client.post(address, {**fields, "picture": picture.pk, "alt": "Zee"}, headers=HTMX).status_code == 200
    content.refresh_from_db()
    block = content.blocks[-1]
    assert (block["data"]["price_cents"], block["data"]["picture"]) == (1250, picture.pk)
    form = client.get(f"/content/{content.pk}/blocks/{block['id']}/").content.decode()
    for value in ('value="2026-12-05"', 'value="20:15"', 'value="12,50"'):
        assert value in form


def test_each_product_can_have_a_picture_of_its_own(
    client: Client, content: Content, settings: Any, tmp_path: Any
) -> None:
    settings.MEDIA_ROOT = tmp_path
    fields = {"title_1": "Een", "title_2": "Twee", "alt_1": "Boek", "alt_2": "Kaart", "audience": ""}
    files = {f"upload_{n}": SimpleUploadedFile("foto.jpg", picture_bytes().getvalue()) for n in (1, 2)}
    address = f"/content/{content.pk}/blocks/add/products/"
    assert client.post(address, {**fields, **files}, headers=HTMX).status_code == 200
    content.refresh_from_db()
    assert {content.blocks[-1]["data"][f"picture_{n}"] for n in (1, 2)} == set(
        Picture.objects.values_list("pk", flat=True)
    )
