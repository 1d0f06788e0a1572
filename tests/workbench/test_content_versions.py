import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import Page, expect

from mailings.actions import change_block
from mailings.models import Content, Draft, SavedBlock
from tests.mailings.conftest import base_data, house, make_content
from tests.workbench.test_content import HTMX, client, content, texts

__all__ = ["base_data", "client", "content", "house", "make_content"]

pytestmark = pytest.mark.django_db


def test_versions_are_listed_looked_at_and_put_back(client: Client, content: Content) -> None:
    first = content.blocks[0]["id"]
    client.post(f"/content/{content.pk}/blocks/{first}/", {"text": "1", "audience": ""}, headers=HTMX)
    page = client.get(f"/content/{content.pk}/versions/").content.decode()
    assert "Versie 2" in page
    assert "veranderd: Kop" in page
    assert "marketeer" in page.casefold()
    assert "Een" in client.get(f"/content/{content.pk}/versions/1/").content.decode()
    assert "Een" in client.get(f"/content/{content.pk}/versions/1/frame/").content.decode()
    assert client.get(f"/content/{content.pk}/versions/9/").status_code == 404
    assert client.post(f"/content/{content.pk}/versions/1/restore/").status_code == 302
    assert texts(content) == ["Een", "Twee"]


def test_undo_and_redo_are_offered_when_there_is_something_to_go_to(client: Client, content: Content) -> None:
    page = f"/content/{content.pk}/"
    assert "/undo/" not in client.get(page).content.decode()
    client.post(f"{page}blocks/{content.blocks[0]['id']}/", {"text": "1", "audience": ""}, headers=HTMX)
    assert "/undo/" in client.get(page).content.decode()
    client.post(f"{page}undo/")
    assert texts(content) == ["Een", "Twee"]
    assert "/redo/" in client.get(page).content.decode()
    client.post(f"{page}redo/")
    assert texts(content) == ["1", "Twee"]


def test_what_was_typed_comes_back_until_it_is_saved(client: Client, content: Content) -> None:
    block, page = content.blocks[0]["id"], f"/content/{content.pk}/"
    form = f"{page}blocks/{block}/"
    keep = f"{page}drafts/?place=block:{block}"
    assert client.post(keep, {"text": "Half af", "audience": ""}).status_code == 204
    assert "Nog niet opgeslagen" in client.get(page).content.decode()
    shown = client.get(form, headers=HTMX).content.decode()
    assert 'value="Half af"' in shown
    assert texts(content) == ["Een", "Twee"]
    client.post(form, {"text": "Helemaal af", "audience": ""}, headers=HTMX)
    assert not Draft.objects.written().exists()
    assert "Nog niet opgeslagen" not in client.get(page).content.decode()


def test_what_was_under_way_when_it_was_saved_does_not_come_back(client: Client, content: Content) -> None:
    block, page = content.blocks[0]["id"], f"/content/{content.pk}/"
    form, keep = f"{page}blocks/{block}/", f"{page}drafts/?place=block:{block}"
    mine = {"text": "Half af", "audience": "", "page_form": "abc"}
    assert client.post(f"{keep}&step=2", mine).status_code == 204
    assert client.post(f"{keep}&step=1", {**mine, "text": "Nog minder"}).status_code == 409
    assert 'value="Half af"' in client.get(form, headers=HTMX).content.decode()
    assert client.post(form, {**mine, "text": "Af"}, headers=HTMX).status_code == 200
    assert client.post(f"{keep}&step=3", mine).status_code == 409
    assert 'value="Af"' in client.get(form, headers=HTMX).content.decode()
    assert client.post(f"{keep}&step=1", {**mine, "page_form": "def"}).status_code == 204
    assert 'value="Half af"' in client.get(form, headers=HTMX).content.decode()


def test_each_form_of_a_page_has_a_name_of_its_own_and_keeps_it_with_an_error(client: Client, content: Content) -> None:
    address = f"/content/{content.pk}/blocks/add/button/"

    def name(page: str) -> str:
        found = re.search(r'name="page_form" value="(\w+)"', page)
        assert found
        return found[1]

    first, second = (name(client.get(address, headers=HTMX).content.decode()) for _ in range(2))
    assert first != second
    wrong = client.post(address, {"text": "", "url": "", "page_form": first}, headers=HTMX)
    assert wrong.status_code == 422
    assert name(wrong.content.decode()) == first
    dropped = re.search(rf"/drafts/drop/\?place=add%3Abutton%3A&amp;form={first}", wrong.content.decode())
    assert dropped
    client.post(dropped[0].replace("&amp;", "&").replace("/drafts", f"/content/{content.pk}/drafts"))
    keep = f"/content/{content.pk}/drafts/?place=add:button:&step=9"
    assert client.post(keep, {"text": "Te laat", "page_form": first}).status_code == 409


def test_a_block_that_was_being_added_is_found_again_or_thrown_away(client: Client, content: Content) -> None:
    page = f"/content/{content.pk}/"
    client.post(f"{page}drafts/?place=add:button:", {"text": "Kom", "url": "https://x.nl"})
    shown = client.get(page).content.decode()
    assert "blocks/add/button/" in shown
    assert 'value="https://x.nl"' in client.get(f"{page}blocks/add/button/").content.decode()
    assert client.post(f"{page}drafts/drop/?place=add:button:").headers["Location"] == f"{page}blocks/add/button/"
    assert "https://x.nl" not in client.get(f"{page}blocks/add/button/").content.decode()


def test_unsaved_work_of_a_colleague_is_not_shown(
    client: Client, content: Content, administrator: User, client_of: Any
) -> None:
    client.post(f"/content/{content.pk}/drafts/?place=head", {"subject": "Geheim plan"})
    assert "Geheim plan" in client.get(f"/content/{content.pk}/").content.decode()
    assert "Geheim plan" not in client_of(administrator).get(f"/content/{content.pk}/").content.decode()


def test_a_colleague_who_was_first_is_told_and_saving_again_overwrites(
    client: Client, content: Content, now: Any
) -> None:
    block = content.blocks[0]["id"]
    form = f"/content/{content.pk}/blocks/{block}/"
    was = re.search(r'name="was" value="(\w+)"', client.get(form).content.decode())
    assert was
    change_block(content, block, data={"text": "Van een collega"}, now=now)
    mine = {"text": "Van mij", "audience": "", "was": was[1]}
    answer = client.post(form, mine, headers=HTMX)
    assert answer.status_code == 422
    shown = answer.content.decode()
    assert 'value="Van mij"' in shown
    again = re.search(r'name="was" value="(\w+)"', shown)
    assert again
    assert texts(content)[0] == "Van een collega"
    assert client.post(form, {**mine, "was": again[1]}, headers=HTMX).status_code == 200
    assert texts(content)[0] == "Van mij"


def test_a_block_is_saved_for_later_and_used_again(client: Client, content: Content) -> None:
    block = content.blocks[0]["id"]
    client.post(f"/content/{content.pk}/blocks/{block}/keep/", {"name": "Onze kop"})
    saved = SavedBlock.objects.get()
    assert "Onze kop" in client.get("/saved-blocks/").content.decode()
    assert "Onze kop" in client.get(f"/content/{content.pk}/").content.decode()
    assert client.post(f"/content/{content.pk}/saved/{saved.pk}/use/", headers=HTMX).status_code == 200
    assert texts(content) == ["Een", "Twee", "Een"]
    client.post(f"/saved-blocks/{saved.pk}/", {"name": "Andere naam"})
    assert client.post(f"/content/{content.pk}/blocks/{block}/keep/", {"name": "andere NAAM"}).status_code == 422
    client.post(f"/saved-blocks/{saved.pk}/remove/")
    assert not SavedBlock.objects.exists()
    assert texts(content) == ["Een", "Twee", "Een"]


def test_another_message_is_copied(client: Client, content: Content, make_content: Any) -> None:
    source = make_content({"type": "heading", "data": {"text": "Bron"}})
    page = f"/content/{content.pk}/take-over/"
    assert source.name in client.get(page).content.decode()
    client.post(page, {"source": source.pk})
    assert texts(content) == ["Een", "Twee", "Bron"]
    client.post(page, {"source": source.pk, "in_place": "on"})
    assert texts(content) == ["Bron"]
    assert client.post(page, {"source": content.pk}).status_code == 422


@pytest.mark.django_db(transaction=True)
def test_nothing_is_lost_when_the_browser_closes(
    page: Page, sign_in: Any, axe: Any, marketeer: User, make_content: Any, settings: Any, live_server: Any
) -> None:
    settings.BASE_URL = live_server.url
    content = make_content({"type": "heading", "data": {"text": "Eerste"}})
    sign_in(marketeer)
    page.goto(f"/content/{content.pk}/")
    page.get_by_role("link", name="Wijzigen").click()
    page.get_by_label("Tekst", exact=True).fill("Bijna klaar ")
    block = page.locator("li .content-form")
    block.get_by_text("Velden over de lezer").click()
    block.get_by_role("button", name="Voornaam").click()
    block.get_by_label("Woord voor lezers zonder waarde").fill('de "buurt"')
    block.get_by_role("button", name="Plaats", exact=True).click()
    expect(block.get_by_text("Onder het typen bewaard")).to_be_visible()
    axe()
    page.on("dialog", lambda dialog: dialog.accept())
    page.goto(f"/content/{content.pk}/")
    expect(page.get_by_text("Nog niet opgeslagen")).to_be_visible()
    page.get_by_role("link", name="Wijzigen").click()
    expect(page.get_by_label("Tekst", exact=True)).to_have_value(
        'Bijna klaar {{ first_name }}{{ city | default: "de buurt" }}'
    )
    axe()
    page.locator("li .content-form").get_by_role("button", name="Opslaan").click()
    expect(page.frame_locator(".mail-frame").locator("h2")).to_have_text("Bijna klaar FatimaMonnickendam")
    expect(page.get_by_text("Nog niet opgeslagen")).to_have_count(0)
    page.locator("body").press("Control+z")
    expect(page.frame_locator(".mail-frame").locator("h2")).to_have_text("Eerste")
    page.get_by_role("button", name="Opnieuw uitvoeren").click()
    expect(page.frame_locator(".mail-frame").locator("h2")).to_have_text("Bijna klaar FatimaMonnickendam")
    page.get_by_role("link", name="Wijzigen").click()
    page.get_by_label("Tekst", exact=True).fill("Toch niet")
    expect(page.get_by_text("Onder het typen bewaard")).to_be_visible()
    page.get_by_role("link", name="Annuleren").click()
    expect(page.get_by_label("Tekst", exact=True)).to_have_count(0)
    expect(page.get_by_text("Nog niet opgeslagen")).to_have_count(0)
    assert not Draft.objects.written().exists()


def lists_can_be_dragged(page: Page) -> None:
    """Wait until each list of the page as it is now was given to the script that drags."""
    page.wait_for_function(
        "[...document.querySelectorAll('[data-sortable]')].every((list) => window.Sortable?.get(list))"
    )


@pytest.mark.django_db(transaction=True)
def test_columns_are_filled_and_reordered_in_a_browser(
    page: Page, sign_in: Any, axe: Any, marketeer: User, make_content: Any, settings: Any, live_server: Any
) -> None:
    settings.BASE_URL = live_server.url
    inner = [{"type": "heading", "data": {"text": text}} for text in ("Links", "Midden")]
    content = make_content({"type": "columns", "data": {"layout": "1-1", "columns": [inner, []]}})
    sign_in(marketeer)
    page.goto(f"/content/{content.pk}/")
    page.get_by_text("Toevoegen aan kolom 2").click()
    page.locator(".content-column").nth(1).get_by_role("link", name="Knop").click()
    page.get_by_label("Tekst op de knop").fill("Kom kijken")
    page.get_by_label("Link", exact=False).last.fill("https://example.org")
    page.get_by_role("button", name="Toevoegen", exact=True).click()
    expect(page.frame_locator(".mail-frame").get_by_role("link", name="Kom kijken")).to_be_visible()
    axe()
    left = page.get_by_role("list", name="Blokken van kolom 1 op volgorde")
    with page.expect_response("**/blocks/order/**"):
        left.get_by_role("button", name="omlaag").first.press("Enter")
    expect(left.get_by_role("listitem").first).to_contain_text("Midden")
    right = page.get_by_role("list", name="Blokken van kolom 2 op volgorde")
    lists_can_be_dragged(page)
    with page.expect_response("**/blocks/order/**"):
        left.get_by_text("Midden").first.drag_to(right)
    expect(right.get_by_role("listitem")).to_have_count(2)
    expect(page.frame_locator(".mail-frame").locator("h2").first).to_have_text("Links")
    content.refresh_from_db()
    kinds = [[one["type"] for one in column] for column in content.blocks[0]["data"]["columns"]]
    assert [sorted(column) for column in kinds] == [["heading"], ["button", "heading"]]


@pytest.mark.django_db(transaction=True)
def test_blocks_go_into_columns_and_out_by_keyboard_and_by_mouse(
    page: Page, sign_in: Any, axe: Any, marketeer: User, make_content: Any, settings: Any, live_server: Any
) -> None:
    settings.BASE_URL = live_server.url
    inner = [{"type": "heading", "data": {"text": "Links"}}]
    content = make_content(
        {"type": "heading", "data": {"text": "Boven"}},
        {"type": "columns", "data": {"layout": "1-1", "columns": [inner, []]}},
    )

    def kept() -> list[Any]:
        content.refresh_from_db()
        return [
            [[inner["data"]["text"] for inner in column] for column in one["data"]["columns"]]
            if one["type"] == "columns"
            else one["data"]["text"]
            for one in content.blocks
        ]

    sign_in(marketeer)
    page.goto(f"/content/{content.pk}/")
    top = page.locator(".content-block", has_text="Boven").first
    top.locator("summary", has_text="Verplaatsen").press("Enter")
    axe()
    top.get_by_role("button", name="Kolom 2").press("Enter")
    right = page.get_by_role("list", name="Blokken van kolom 2 op volgorde")
    expect(right.get_by_text("Boven", exact=True)).to_be_visible()
    expect(right.locator(".content-block")).to_be_focused()
    assert kept() == [[["Links"], ["Boven"]]]
    right.locator("summary", has_text="Verplaatsen").press("Enter")
    right.get_by_role("button", name="Uit de kolommen").press("Enter")
    expect(right.get_by_role("listitem")).to_have_count(0)
    assert kept() == [[["Links"], []], "Boven"]
    lists_can_be_dragged(page)
    with page.expect_response("**/blocks/order/**"):
        page.locator(".content-block-summary", has_text="Boven").drag_to(right)
    assert kept() == [[["Links"], ["Boven"]]]
