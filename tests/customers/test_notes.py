"""Notes and contacts: written, corrected with what stood there before, merged, erased, shown to whom they are about."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from rest_framework.test import APIClient

from common.actions import add_integration
from common.criteria import criteria
from common.errors import Refused
from common.personal import personal_tables
from common.retention import retention_rules
from common.sql import rows
from customers.actions import ensure_base_data
from customers.actions.merging import merge_customers, undo_merge
from customers.actions.notes import correct_note, remove_note, write_note
from customers.actions.privacy import erase_customer
from customers.models import Customer, CustomerChange, Erasure, Note
from customers.models.notes import LONGEST
from customers.privacy.copies import read
from customers.privacy.persons import identify
from tests.factories import NOW, CustomerFactory

DAY = dt.timedelta(days=1)


@pytest.fixture(autouse=True)
def base_data(db: None) -> None:
    ensure_base_data()


@pytest.fixture
def anna() -> Customer:
    made: Customer = CustomerFactory(number="300001")
    return made


@pytest.fixture
def desk(marketeer: User, client_of: Callable[[User], Client]) -> Client:
    return client_of(marketeer)


@pytest.fixture
def api(administrator: User) -> APIClient:
    _user, token = add_integration(name="klantcontact", by=administrator)
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
    return client


def call(customer: Customer, by: User, **fields: Any) -> Note:
    given = {"kind": "call", "text": "Belde over de zaalhuur.", "now": NOW} | fields
    return write_note(customer, by=by, **given)


def texts_in_history(note_id: int) -> list[str]:
    found = rows("SELECT text FROM customers_noteevent WHERE pgh_obj_id = %s ORDER BY pgh_id", [note_id])
    return [row["text"] for row in found]


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"text": " \n\x00 "}, "text"),
        ({"text": "x" * (LONGEST + 1)}, "text"),
        ({"kind": "gossip"}, "kind"),
        ({"happened_at": NOW + DAY}, "happened_at"),
        ({"source_code": "nowhere"}, "source"),
    ],
)
def test_a_note_that_cannot_be_is_refused_by_its_field(
    anna: Customer, marketeer: User, wrong: dict[str, Any], field: str
) -> None:
    with pytest.raises(Refused) as refused:
        call(anna, marketeer, **wrong)
    assert refused.value.field == field
    assert not Note.objects.exists()


def test_who_wrote_it_corrects_it_and_the_text_before_stays(anna: Customer, marketeer: User) -> None:
    note = call(anna, marketeer)
    correct_note(
        note, kind="complaint", text="Klaagde over de zaal.", happened_at=NOW - DAY, by=marketeer, now=NOW + DAY
    )
    note.refresh_from_db()
    assert (note.kind, note.text, note.happened_at) == ("complaint", "Klaagde over de zaal.", NOW - DAY)
    assert texts_in_history(note.pk) == ["Belde over de zaalhuur.", "Klaagde over de zaal."]
    assert note.events.latest("pgh_id").pgh_context.metadata["user"] == marketeer.pk  # type: ignore[attr-defined]


def test_a_correction_that_changes_nothing_leaves_no_trace(anna: Customer, marketeer: User) -> None:
    note = call(anna, marketeer)
    correct_note(note, kind="call", text=note.text, happened_at=NOW, by=marketeer, now=NOW + DAY)
    note.refresh_from_db()
    assert len(texts_in_history(note.pk)) == 1
    assert note.updated_at == NOW


def test_a_colleague_cannot_correct_or_remove_it_and_an_administrator_can(
    anna: Customer, marketeer: User, administrator: User, make_user: Callable[..., User]
) -> None:
    note, colleague = call(anna, marketeer), make_user("marketeer", username="collega")
    with pytest.raises(Refused):
        correct_note(note, kind="call", text="Anders", happened_at=NOW, by=colleague, now=NOW)
    with pytest.raises(Refused):
        remove_note(note, by=colleague, now=NOW)
    correct_note(note, kind="call", text="Anders", happened_at=NOW, by=administrator, now=NOW)
    note.refresh_from_db()
    assert (note.text, note.author) == ("Anders", marketeer.get_full_name() or marketeer.get_username())


def test_a_note_with_the_wrong_person_goes_with_its_history_and_that_is_told(anna: Customer, marketeer: User) -> None:
    note = call(anna, marketeer)
    key = note.pk
    remove_note(note, by=marketeer, now=NOW)
    assert not Note.objects.exists()
    assert texts_in_history(key) == []
    change = CustomerChange.objects.get(customer=anna)
    assert list(change.fields) == ["note"]
    assert "zaalhuur" not in str(change.fields)


def test_a_merge_brings_the_notes_along_and_undoing_it_brings_them_back(anna: Customer, marketeer: User) -> None:
    double = CustomerFactory(number="300002")
    mine, other = call(anna, marketeer), call(double, marketeer, text="Van het dubbele nummer")
    merge = merge_customers(anna, double, by=marketeer, now=NOW)
    assert set(Note.objects.filter(customer=anna)) == {mine, other}
    assert texts_in_history(other.pk) == ["Van het dubbele nummer"]  # moving is no correction
    undo_merge(merge, by=marketeer, now=NOW)
    assert list(Note.objects.filter(customer=anna)) == [mine]
    assert list(Note.objects.filter(customer=double)) == [other]


def test_erasing_somebody_takes_notes_and_their_earlier_texts(anna: Customer, marketeer: User) -> None:
    keeps = CustomerFactory()
    other = call(keeps, marketeer, text="Van een ander")
    note = call(anna, marketeer, text="Kanarietekst")
    correct_note(note, kind="call", text="Beter", happened_at=NOW, by=marketeer, now=NOW)
    receipt = erase_customer(anna, ground=Erasure.Ground.REQUEST, by=marketeer, now=NOW)
    assert receipt.counts["customers_note"] == 1
    assert receipt.counts["customers_noteevent"] == 2
    assert rows("SELECT text FROM customers_noteevent", {}) == [{"text": "Van een ander"}]
    assert list(Note.objects.all()) == [other]


def test_whom_a_note_is_about_can_read_it_and_what_it_said_before(anna: Customer, marketeer: User) -> None:
    note = call(anna, marketeer)
    correct_note(note, kind="call", text="Beter", happened_at=NOW, by=marketeer, now=NOW)
    persons = identify([anna.pk], now=NOW)
    shown = list(read(personal_tables["customers_note"], persons))
    assert [row["text"] for row in shown] == ["Beter"]
    assert shown[0]["source_id"] == "Werkbank"
    earlier = [row["text"] for row in read(personal_tables["customers_noteevent"], persons)]
    assert sorted(earlier) == ["Belde over de zaalhuur.", "Beter"]


@pytest.mark.parametrize(
    ("params", "found"),
    [
        ({}, {"recent", "old", "visit"}),
        ({"kind": "call"}, {"recent", "old"}),
        ({"within_days": 10}, {"recent", "visit"}),
        ({"kind": "call", "within_days": 10}, {"recent"}),
        ({"kind": "complaint"}, set()),
    ],
)
def test_a_selection_asks_for_a_kind_of_contact_in_a_period(
    marketeer: User, params: dict[str, Any], found: set[str]
) -> None:
    people = {name: CustomerFactory(first_name=name) for name in ("recent", "old", "visit", "silent")}
    call(people["recent"], marketeer, happened_at=NOW - 10 * DAY)
    call(people["old"], marketeer, happened_at=NOW - 11 * DAY)
    call(people["visit"], marketeer, kind="visit", happened_at=NOW - DAY)
    criterion = criteria["customer.note"]
    given = criterion.params(**params)
    chosen = Customer.objects.filter(criterion.to_q(given, now=NOW)).values_list("first_name", flat=True)
    assert set(chosen) == found
    assert criterion.sentence(given)


def test_the_night_removes_notes_that_are_old_and_what_they_said_before(anna: Customer, marketeer: User) -> None:
    old, young = call(anna, marketeer, happened_at=NOW - 2 * DAY), call(anna, marketeer, text="Blijft")
    correct_note(old, kind="call", text="Verbeterd", happened_at=NOW - 2 * DAY, by=marketeer, now=NOW)
    rule = retention_rules["notes"]
    before = NOW - DAY
    assert (rule.count(before, NOW), rule.apply(before, NOW), rule.apply(before, NOW)) == (1, 1, 0)
    assert list(Note.objects.all()) == [young]
    assert rows("SELECT text FROM customers_noteevent", {}) == [{"text": "Blijft"}]


def test_staff_write_correct_and_remove_a_note_on_the_page(anna: Customer, desk: Client) -> None:
    page = f"/customers/{anna.pk}/notes/"
    answer = desk.post(page + "write/", {"kind": "visit", "text": "Kwam langs <b>zonder</b> pas.", "happened_at": ""})
    assert answer.status_code == 302
    note = Note.objects.get()
    shown = desk.get(page).content.decode()
    assert "Kwam langs &lt;b&gt;zonder&lt;/b&gt; pas." in shown
    wrong = desk.post(page + "write/", {"kind": "visit", "text": "", "happened_at": ""})
    assert wrong.status_code == 422
    desk.post(page + f"{note.pk}/", {"kind": "visit", "text": "Kwam langs met pas.", "happened_at": "2026-01-05T10:00"})
    note.refresh_from_db()
    assert (note.text, note.happened_at.isoformat()) == ("Kwam langs met pas.", "2026-01-05T09:00:00+00:00")
    assert "Kwam langs &lt;b&gt;zonder" in desk.get(page + f"{note.pk}/").content.decode()  # what it said before
    desk.post(page + f"{note.pk}/remove/")
    assert not Note.objects.exists()


def test_a_note_is_only_reached_through_its_own_customer(anna: Customer, marketeer: User, desk: Client) -> None:
    note, other = call(anna, marketeer), CustomerFactory()
    assert desk.get(f"/customers/{other.pk}/notes/{note.pk}/").status_code == 404
    assert desk.post(f"/customers/{other.pk}/notes/{note.pk}/remove/").status_code == 404


def test_the_timeline_has_notes_among_all_else_and_filters_by_them(
    anna: Customer, marketeer: User, desk: Client
) -> None:
    call(anna, marketeer, text="Vroeg naar de cursus")
    line = f"/customers/{anna.pk}/timeline/"
    assert "Vroeg naar de cursus" in desk.get(line).content.decode()
    assert "Vroeg naar de cursus" in desk.get(line + "?kind=note").content.decode()
    assert "Vroeg naar de cursus" in desk.get(line + "?source=workbench").content.decode()
    for query in ("kind=consent", "kind=fact", "source=theatre", "world=reizen"):
        assert "Vroeg naar de cursus" not in desk.get(f"{line}?{query}").content.decode(), query


def test_another_system_brings_notes_once_and_reads_them(anna: Customer, api: APIClient) -> None:
    body = {
        "customer": anna.number, "kind": "complaint", "text": "Te koud in de zaal", "source": "theatre",
        "external_id": "TK-9", "author": "Kassa", "happened_at": "2026-06-01T10:00:00+02:00",
    }  # fmt: skip
    first, again = api.post("/api/v1/notes/", body, format="json"), api.post("/api/v1/notes/", body, format="json")
    assert (first.status_code, again.status_code) == (201, 200), first.data
    assert Note.objects.count() == 1
    shown = api.get(f"/api/v1/notes/?customer={anna.number}&kind=complaint").data["results"]
    assert [(row["text"], row["author"], row["source"]) for row in shown] == [
        ("Te koud in de zaal", "Kassa", "theatre")
    ]
    assert api.get("/api/v1/notes/?customer=bestaat-niet").data["results"] == []


def test_the_api_names_the_field_that_is_wrong(anna: Customer, api: APIClient) -> None:
    for field, value in (
        ("customer", "nobody"),
        ("kind", "gossip"),
        ("text", ""),
        ("happened_at", "2999-01-01T00:00Z"),
    ):
        body = {"customer": anna.number, "kind": "call", "text": "Belde", field: value}
        answer = api.post("/api/v1/notes/", body, format="json")
        assert answer.status_code in {400, 422}, field
        assert field in str(answer.data)
