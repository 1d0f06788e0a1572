import datetime as dt
import html
import io
from collections.abc import Callable
from typing import Any
from zipfile import ZipFile

import pytest
from django.contrib.auth.models import User
from django.test import Client

from campaigns.actions import create_action
from campaigns.models import Action
from customers.models import Purpose
from mailings.actions import change_sending_settings, print_letters, save_content, undo_batch
from mailings.models import LetterBatch, Mailing, SendingSettings
from selections.actions import create_selection
from tests.factories import CustomerFactory, HouseholdFactory
from tests.mailings.conftest import base_data, house, make_content, marketing, start
from tests.workbench.test_mailings import sending_form, text

__all__ = ["base_data", "house", "make_content", "marketing", "start"]

pytestmark = pytest.mark.django_db

Start = Callable[..., Mailing]


@pytest.fixture
def client(marketeer: User, client_of: Callable[[User], Client]) -> Client:
    return client_of(marketeer)


@pytest.fixture(autouse=True)
def _files(settings: Any, tmp_path: Any) -> None:
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def batch(start: Start, now: dt.datetime) -> LetterBatch:
    home = {"email": "", "house_number": "3", "household": HouseholdFactory()}
    CustomerFactory(**home), CustomerFactory(**home)
    change_sending_settings(letter_cents=125)
    return print_letters(start(channels="letter", letters_to="names"), now=now)


def test_the_page_of_a_mailing_tells_what_waits_and_what_it_costs(client: Client, start: Start) -> None:
    home = {"email": "", "house_number": "3", "household": HouseholdFactory()}
    CustomerFactory(**home), CustomerFactory(**home), CustomerFactory(email="")
    change_sending_settings(letter_cents=125)
    mailing = start(channels="letter", letters_to="names")
    page = text(client.get(f"/mailings/{mailing.pk}/"))
    assert "2 brieven wachten" in page
    assert "voor 3 lezers" in page
    assert "€ 2,50" in page
    assert "Eén per huishouden, met alle namen" in page


def test_a_pile_has_a_page(client: Client, batch: LetterBatch) -> None:
    page = text(client.get(f"/mailings/letters/{batch.pk}/"))
    assert "Stapel van 1 brief" in page
    assert "€ 1,25" in page
    download = client.get(f"/mailings/letters/{batch.pk}/file/")
    assert download["Content-Type"] == "application/pdf"
    assert b"".join(download.streaming_content).startswith(b"%PDF")  # type: ignore[attr-defined]
    assert f"/mailings/letters/{batch.pk}/" in text(client.get(f"/mailings/{batch.mailing_id}/"))


def test_a_large_pile_is_downloaded_as_several_pdfs(
    client: Client, start: Start, now: dt.datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mailings.piles.LETTERS_PER_PDF", 1)
    CustomerFactory(email=""), CustomerFactory(email="")
    batch = print_letters(start(channels="letter"), now=now)
    assert "Downloaden (ZIP met meer PDF's)" in html.unescape(text(client.get(f"/mailings/letters/{batch.pk}/")))
    download = client.get(f"/mailings/letters/{batch.pk}/file/")
    assert download["Content-Type"] == "application/zip"
    assert '.zip"' in download["Content-Disposition"]
    with ZipFile(io.BytesIO(b"".join(download.streaming_content))) as parts:  # type: ignore[attr-defined]
        assert [parts.read(name)[:4] for name in parts.namelist()] == [b"%PDF"] * 2


def test_a_pile_is_undone_and_says_so(client: Client, batch: LetterBatch) -> None:
    client.get(f"/mailings/letters/{batch.pk}/undo/")
    assert not LetterBatch.objects.exclude(undone_at=None)
    LetterBatch.objects.update(created_at=dt.datetime.now(dt.UTC))
    page = text(client.post(f"/mailings/letters/{batch.pk}/undo/", follow=True))
    assert "1 brief wacht" in page
    assert "Ongedaan gemaakt" in page
    assert client.get(f"/mailings/letters/{batch.pk}/file/").status_code == 404


def test_what_was_posted_has_no_button_to_undo_it(client: Client, batch: LetterBatch) -> None:
    undo = f"/mailings/letters/{batch.pk}/undo/"
    LetterBatch.objects.update(created_at=dt.datetime.now(dt.UTC))
    assert undo in text(client.get(f"/mailings/letters/{batch.pk}/"))
    page = text(client.post(f"/mailings/letters/{batch.pk}/posted/", follow=True))
    assert "Op de post" in page
    assert undo not in page


def test_letters_and_labels_are_printed_again(client: Client, batch: LetterBatch) -> None:
    url = f"/mailings/letters/{batch.pk}/"
    again = client.post(f"{url}reprint/", {"first": 1, "last": 1})
    assert again.content.startswith(b"%PDF")
    assert "brieven-1-1" in again["Content-Disposition"]
    assert client.post(f"{url}address-labels/", {"skip": 3}).content.startswith(b"%PDF")
    for what, given in (("reprint", {"first": 1, "last": 9}), ("reprint", {}), ("address-labels", {"skip": 24})):
        assert client.post(f"{url}{what}/", given)["Location"]
    batch.refresh_from_db()
    assert batch.reprint_count == 1


def test_piles_are_for_those_who_may_manage_mailings(batch: LetterBatch, counter_staff: User, client_of: Any) -> None:
    visitor = client_of(counter_staff)
    for part in ("", "file/"):
        assert visitor.get(f"/mailings/letters/{batch.pk}/{part}").status_code == 403
    for part in ("undo", "posted", "reprint", "address-labels"):
        assert visitor.post(f"/mailings/letters/{batch.pk}/{part}/").status_code == 403
    batch.refresh_from_db()
    assert batch.undone_at is None


def test_before_an_action_runs_it_tells_what_its_letters_cost(
    client: Client, house: SendingSettings, marketing: Purpose, marketeer: User, now: dt.datetime
) -> None:
    home = {"email": "", "house_number": "3", "household": HouseholdFactory()}
    CustomerFactory(**home), CustomerFactory(**home)
    change_sending_settings(letter_cents=125)
    action = create_action(
        name="Post", purpose=marketing, channels="letter", letters_to="family", subject="x", by=marketeer, now=now
    )
    block = {"type": "heading", "data": {"text": "Dag!"}}
    save_content(action.content, name="Post", subject="x", blocks=[block], by=marketeer, now=now)
    rule = {"version": 2, "op": "all", "children": []}
    selection = create_selection(name="Iedereen", rule=rule, by=marketeer, now=now)
    page = text(client.get(f"/actions/{action.pk}/run/?selection={selection.pk}"))
    assert "1 brief om af te drukken" in page
    assert "€ 1,25" in page


def test_an_action_says_to_whom_its_letters_are(client: Client, marketing: Purpose) -> None:
    given = {"name": "Post", "purpose": marketing.pk, "channels": "letter", "priority": 2, "letters_to": "residents"}
    page = text(client.post("/actions/add/", given, follow=True))
    action = Action.objects.get()
    assert action.letters_to == "residents"
    assert "Eén per huishouden, aan de bewoners" in page
    client.post(f"/actions/{action.pk}/change/", {**given, "letters_to": "names"})
    action.refresh_from_db()
    assert action.letters_to == "names"


def test_the_cost_of_a_letter_is_a_setting_with_a_history(
    house: SendingSettings, administrator: User, client_of: Any
) -> None:
    admin = client_of(administrator)
    assert admin.post("/sending/", sending_form(letter_cents="1,35")).status_code == 302
    assert SendingSettings.load().letter_cents == 135
    page = text(admin.get("/sending/"))
    assert 'value="1,35"' in page
    assert "kosten van een brief" in page
    assert admin.post("/sending/", sending_form(letter_cents="duur")).status_code == 422


def test_an_undone_pile_is_shown_without_what_cannot_be_done(
    client: Client, batch: LetterBatch, now: dt.datetime
) -> None:
    undo_batch(batch, now=now)
    page = text(client.get(f"/mailings/letters/{batch.pk}/"))
    assert "reprint/" not in page
    assert "address-labels/" not in page
