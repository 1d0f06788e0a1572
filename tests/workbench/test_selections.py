from __future__ import annotations

import csv
import datetime as dt
import io
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from common.time import clock
from customers.models import Customer
from labels.actions import create_label, give_label
from labels.exports import COLUMNS
from labels.models import Label
from selections.actions import count_selection, create_selection, watch_selection
from selections.models import Export, Selection
from selections.rules import parse_rule
from tests.factories import BranchFactory, ConsentFactory, CustomerFactory, PurposeFactory
from tests.selections.test_rules import MEMBERS, rule

pytestmark = pytest.mark.django_db

HTMX = {"headers": {"HX-Request": "true"}}
NEW = "/selections/new/"
MEMBERS_SENT = {"r__op": "all", "r-0__criterion": "customer.kind", "r-0-kinds": "member"}


@pytest.fixture
def client(client_of: Callable[[User], Client], marketeer: User) -> Client:
    return client_of(marketeer)


@pytest.fixture
def members(marketeer: User) -> Selection:
    return create_selection(name="Leden", description="Alle leden", rule=rule(MEMBERS), by=marketeer, now=clock())


def url(name: str, selection: Selection) -> str:
    return reverse(f"workbench:selection_{name}", args=[selection.pk])


def text(response: Any) -> str:
    """The page without its tags, as one line."""
    body = response.content.decode()
    return " ".join(re.sub(r"<[^>]+>", " ", body).split())


def messages_of(response: Any) -> list[str]:
    return [str(message) for message in response.context["messages"]]


# --- the list ---


def test_the_list_tells_size_owner_and_when_counted(client: Client, members: Selection) -> None:
    CustomerFactory.create_batch(3)
    create_selection(name="Nog niet geteld", rule=rule(), now=clock())
    count_selection(members, now=dt.datetime(2026, 3, 1, 12, 0, tzinfo=dt.UTC))
    page = text(client.get("/selections/"))
    assert "Leden 3 1 mrt 2026 13:00 marketeer" in page
    assert "Nog niet geteld – nog niet –" in page


def test_the_list_is_searched_by_name_and_description_and_narrowed_to_an_owner(
    client: Client, members: Selection, marketeer: User
) -> None:
    create_selection(name="Prospects", description="mogelijke lezers", rule=rule(), now=clock())
    assert "Prospects" not in text(client.get("/selections/", {"search": "leden"}))
    assert "Prospects" in text(client.get("/selections/", {"search": "LEZERS"}))
    mine = text(client.get("/selections/", {"owner": marketeer.pk}))
    assert "Alle leden" not in mine
    assert "Leden" in mine
    assert "Prospects" not in mine


def test_an_empty_list_offers_to_make_one(client: Client) -> None:
    page = client.get("/selections/").content.decode()
    assert "Nog geen selecties" in page
    assert f'href="{NEW}"' in page


def count_queries(client: Client, address: str, **more: Any) -> int:
    with CaptureQueriesContext(connection) as queries:
        assert client.get(address, **more).status_code == 200
    return len(queries)


def test_the_list_asks_no_query_per_row(client: Client, members: Selection) -> None:
    client.get("/selections/")
    few = count_queries(client, "/selections/")
    for number in range(8):
        create_selection(name=f"Selectie {number}", rule=rule(MEMBERS), now=clock())
    assert count_queries(client, "/selections/") == few <= 8


# --- the builder ---


def test_a_new_selection_starts_as_everybody_and_counts_when_asked(client: Client) -> None:
    CustomerFactory.create_batch(2)
    page = client.get(NEW).content.decode()
    assert "dit betekent alle klanten" in page
    live = client.post(NEW, {"r__op": "all", "live": "1"}, **HTMX)
    assert "2 van 2 klanten" in text(live)
    assert "Alle klanten." in text(live)
    assert "<html" not in live.content.decode()


def test_a_button_of_the_builder_works_with_htmx_and_without(client: Client) -> None:
    sent = {"r__op": "all", "do": "add:r:customer.kind", "name": "Half getikt"}
    part = client.post(NEW, sent, **HTMX).content.decode()
    assert "<html" not in part
    assert 'name="r-0__criterion" value="customer.kind"' in part
    whole = client.post(NEW, sent).content.decode()
    assert "<html" in whole
    assert 'name="r-0__criterion" value="customer.kind"' in whole
    assert 'value="Half getikt"' in whole
    assert Selection.objects.count() == 0


def test_the_count_shows_per_part_what_it_leaves(client: Client) -> None:
    CustomerFactory.create_batch(3)
    CustomerFactory(birth_date=dt.date(2020, 1, 1))
    CustomerFactory(kind="prospect")
    sent = {**MEMBERS_SENT, "r-1__criterion": "customer.age", "r-1-at_least": "18", "live": "1"}
    body = client.post(NEW, sent, **HTMX).content.decode()
    notes = dict(re.findall(r'id="(note-r-\d)" hx-swap-oob="true">(.*?)</div>', body, re.DOTALL))
    assert {key: re.findall(r"\d+", re.sub("<[^>]+>", "", note)) for key, note in notes.items()} == {
        "note-r-0": ["4", "1", "4"],
        "note-r-1": ["3", "1", "4"],
    }
    assert "3 van 5 klanten" in text(client.post(NEW, sent, **HTMX))


def test_what_is_not_filled_in_does_not_count_and_is_no_fault_yet(client: Client) -> None:
    CustomerFactory()
    sent = {**MEMBERS_SENT, "r-1__criterion": "customer.gender"}
    page = client.post(NEW, {**sent, "do": "count:r"}).content.decode()
    assert "Eén criterium is nog niet ingevuld" in page
    assert "Nog in te vullen" in page
    assert "field-error" not in page


def test_saving_what_is_not_filled_in_is_refused_at_the_field(client: Client) -> None:
    sent = {**MEMBERS_SENT, "r-1__criterion": "customer.gender", "name": "Half"}
    response = client.post(NEW, sent)
    body = response.content.decode()
    assert response.status_code == 422
    assert "Niet elk criterium is goed ingevuld" in body
    assert 'id="id_r-1-genders_error"' in body
    assert 'id="id_r-0-kinds_error"' not in body
    assert Selection.objects.count() == 0


def test_a_value_that_does_not_fit_is_told_while_building(client: Client) -> None:
    sent = {"r__op": "all", "r-0__criterion": "customer.age", "r-0-at_least": "40", "r-0-at_most": "20", "live": "1"}
    assert "laagste getal" in text(client.post(NEW, sent, **HTMX))


def test_saving_keeps_the_rule_counts_it_and_shows_its_page(client: Client, marketeer: User) -> None:
    CustomerFactory.create_batch(2)
    response = client.post(NEW, {**MEMBERS_SENT, "name": "Onze leden", "description": "x"}, follow=True)
    selection = Selection.objects.get()
    assert response.redirect_chain == [(url("detail", selection), 302)]
    assert (selection.name, selection.owner) == ("Onze leden", marketeer)
    assert parse_rule(selection.rule) == parse_rule(rule(MEMBERS))
    assert selection.last_count == 2
    assert messages_of(response) == ["De selectie is opgeslagen."]


def test_a_name_in_use_is_told_at_the_name_and_the_rule_stays(client: Client, members: Selection) -> None:
    response = client.post(NEW, {**MEMBERS_SENT, "name": "Leden"})
    body = response.content.decode()
    assert response.status_code == 422
    assert 'id="id_name_error"' in body
    assert 'name="r-0__criterion" value="customer.kind"' in body


def test_what_is_gone_since_is_told_at_its_field(client: Client) -> None:
    create_label(code="rood", name="Rood", kind="own", now=clock())
    sent = {"r__op": "all", "r-0__criterion": "labels.has", "r-0-labels": "rood", "name": "Rode"}
    Label.objects.all().delete()
    response = client.post(NEW, sent)
    assert response.status_code == 422
    assert 'id="id_r-0-labels_error"' in response.content.decode()


def test_changing_shows_the_rule_and_saves_another(client: Client, members: Selection) -> None:
    page = client.get(url("change", members)).content.decode()
    assert re.search(r'name="r-0-kinds" value="member"[^>]* checked', page)
    response = client.post(
        url("change", members), {"r__op": "none", "r-0__criterion": "customer.kind", "r-0-kinds": "former",
                                 "name": "Geen oud-leden", "description": ""}
    )  # fmt: skip
    assert response.status_code == 302
    members.refresh_from_db()
    assert members.name == "Geen oud-leden"
    assert members.rule["op"] == "none"


def test_a_selection_cannot_be_made_to_refer_to_itself(client: Client, members: Selection) -> None:
    sent = {"r__op": "all", "r-0__criterion": "selections.in", "r-0-selection": str(members.pk), "name": "Leden"}
    response = client.post(url("change", members), sent)
    assert response.status_code == 422
    assert "verwijst naar zichzelf" in response.content.decode()


def test_a_copy_starts_with_the_rule_of_another(client: Client, members: Selection) -> None:
    page = client.get(NEW, {"from": members.pk}).content.decode()
    assert 'value="Kopie van Leden"' in page
    assert 'name="r-0__criterion" value="customer.kind"' in page
    assert client.get(NEW, {"from": 999_999}).status_code == 404


def test_too_many_parts_are_refused_and_nothing_breaks(client: Client) -> None:
    many = {"r__op": "all", **{f"r-{n}__criterion": "customer.age" for n in range(99)}}
    response = client.post(NEW, {**many, "do": "add:r:customer.age"})
    assert response.status_code == 200
    assert "hooguit 100 onderdelen" in text(response)
    many |= {f"r-{n}__criterion": "customer.age" for n in range(99, 150)}
    assert "hooguit 100 onderdelen" in text(client.post(NEW, {**many, "name": "x"}))
    assert Selection.objects.count() == 0


@pytest.mark.parametrize("field", ["r-0-labels", "r-0-match"])
def test_sql_in_a_field_is_only_text(client: Client, field: str) -> None:
    CustomerFactory()
    sent = {"r__op": "all", "r-0__criterion": "labels.has", "r-0-labels": "x", field: "'; DROP TABLE labels_label; --"}
    assert client.post(NEW, {**sent, "live": "1"}, **HTMX).status_code == 200
    assert client.post(NEW, {**sent, "name": "Boos"}).status_code == 422
    assert Customer.objects.count() == 1
    assert Label.objects.count() == 0


# --- its page ---


def test_the_page_reads_the_rule_back_and_asks_for_its_figures_later(client: Client, members: Selection) -> None:
    response = client.get(url("detail", members))
    assert "Klanten die lid zijn." in text(response)
    assert 'hx-trigger="load"' in response.content.decode()
    assert "Niets gebruikt deze selectie." in text(response)


def test_the_figures_tell_total_reach_spread_and_a_sample(client: Client, members: Selection) -> None:
    branch = BranchFactory(code="PUR", name="Purmerend")
    yes, _silent = CustomerFactory.create_batch(2, branch=branch)
    CustomerFactory(branch=None, email="", street="", first_name="Zonder", last_name="Adres")
    CustomerFactory(kind="prospect")
    ConsentFactory(customer=yes, purpose=PurposeFactory())
    for shown in (
        text(client.get(url("detail", members), **HTMX)),
        text(client.get(url("detail", members), {"figures": 1})),
    ):
        assert "Klanten nu 3" in shown
        assert "E-mail: te bereiken 1 2 met een adres" in shown
        assert "Post: te bereiken 2 2 met een adres" in shown
        assert "Purmerend 2" in shown
        assert "Geen vestiging 1" in shown
        assert "Zonder Adres" in shown


QUIET = {"criterion": "facts.none", "params": {"kind": "loan", "within_days": 30}}


def test_who_objects_to_profiling_is_told_of_a_selection_that_looks_at_what_people_do(
    client: Client, members: Selection
) -> None:
    profiling = PurposeFactory(code="profiling")
    for state in ("objected", "withdrawn", "granted", None):
        customer = CustomerFactory(kind="member")
        if state:
            ConsentFactory(customer=customer, purpose=profiling, channel="email", state=state)
    CustomerFactory(kind="member", restricted_at=clock())
    quiet = create_selection(name="Stil", rule=rule(MEMBERS, QUIET), now=clock())
    told = client.get(url("detail", quiet), **HTMX)
    assert (told.context["total"], told.context["refused"]) == (4, 2)
    assert "2 klanten erin zeiden nee tegen persoonlijke tips of maakten bezwaar" in text(told)
    permitted = {"criterion": "consents.allowed", "params": {"purpose": "profiling", "channel": "email"}}
    without = create_selection(name="Stil en akkoord", rule=rule(QUIET, permitted), now=clock())
    told = client.get(url("detail", without), **HTMX)
    assert (told.context["total"], told.context["refused"]) == (1, 0)
    assert "Niemand erin zei nee" in text(told)
    assert "kijkt naar wat mensen doen" not in text(client.get(url("detail", members), **HTMX))


def test_the_builder_says_when_a_rule_looks_at_what_people_do(client: Client) -> None:
    sent = {"r__op": "all", "r-0__criterion": "facts.none", "r-0-kind": "loan", "live": "1"}
    assert "Deze regel kijkt naar wat mensen doen." in text(client.post(NEW, sent, **HTMX))
    assert "Deze regel kijkt naar wat mensen doen." not in text(client.post(NEW, {**MEMBERS_SENT, "live": "1"}, **HTMX))


def test_the_figures_ask_a_bounded_number_of_queries(client: Client, members: Selection) -> None:
    CustomerFactory(branch=BranchFactory())
    client.get(url("detail", members), **HTMX)
    few = count_queries(client, url("detail", members), **HTMX)
    for _number in range(9):
        CustomerFactory(branch=BranchFactory())
    assert count_queries(client, url("detail", members), **HTMX) == few


def test_a_selection_nobody_is_in_says_so(client: Client, members: Selection) -> None:
    assert "Er zit nu niemand in deze selectie" in text(client.get(url("detail", members), **HTMX))


def test_a_broken_rule_is_told_on_the_page_and_can_still_be_looked_at(client: Client, members: Selection) -> None:
    broken = {"version": 2, "op": "all", "children": [{"criterion": "was.once", "params": {}}]}
    Selection.objects.filter(pk=members.pk).update(rule=broken)
    assert "Er is geen criterium “was.once”" in text(client.get(url("detail", members)))
    assert "Er is geen criterium “was.once”" in text(client.get(url("detail", members), **HTMX))


def test_the_history_tells_who_changed_what(client: Client, members: Selection) -> None:
    client.post(url("change", members), {"r__op": "all", "name": "Iedereen", "description": "Alle leden"})
    page = text(client.get(url("detail", members)))
    assert "Gewijzigd: naam, regel" in page
    assert "naam: Leden → Iedereen · marketeer" in page
    assert "Gemaakt" in page
    assert "marketeer" in page


def test_counting_again_keeps_the_number(client: Client, members: Selection) -> None:
    CustomerFactory.create_batch(2)
    response = client.post(url("count", members), follow=True)
    assert messages_of(response) == ["De selectie telt 2 klanten."]
    members.refresh_from_db()
    assert members.last_count == 2
    assert client.get(url("count", members)).status_code == 405


def test_what_is_used_is_shown_and_not_deleted(client: Client, members: Selection) -> None:
    data = rule({"criterion": "selections.in", "params": {"selection": members.pk}})
    other = create_selection(name="Andere", rule=data, now=clock())
    assert "Andere (selectie)" in text(client.get(url("detail", members)))
    response = client.post(url("delete", members), headers={"Referer": f"http://testserver{url('detail', members)}"})
    assert response.status_code == 302
    assert Selection.objects.count() == 2
    assert "wordt nog gebruikt door: selectie “Andere”" in text(client.get(response["Location"]))
    assert client.post(url("delete", other)).status_code == 302
    assert client.post(url("delete", members))["Location"] == "/selections/"
    assert Selection.objects.count() == 0


def test_a_watched_selection_says_so(client: Client, members: Selection) -> None:
    watch_selection(members, now=clock())
    assert "Wordt gevolgd" in text(client.get(url("detail", members)))


# --- a label for all ---


def test_a_label_is_given_to_everybody_in_it_and_taken_again(client: Client, members: Selection) -> None:
    inside = CustomerFactory.create_batch(2)
    outside = CustomerFactory(kind="prospect")
    label = create_label(name="Rood", kind="own", now=clock())
    give_label(label, Customer.objects.filter(pk=outside.pk), by="Jan", now=clock())
    response = client.post(url("label", members), {"do": "give", "label": label.pk}, follow=True)
    assert messages_of(response) == ["2 klanten kregen “Rood”."]
    given = label.assignments.open().filter(customer__in=inside)
    assert set(given.values_list("given_by", "reason")) == {("marketeer", "selectie “Leden”")}
    response = client.post(url("label", members), {"do": "take", "label": label.pk}, follow=True)
    assert messages_of(response) == ["Bij 2 klanten is “Rood” weggehaald."]
    assert [row.customer for row in label.assignments.open()] == [outside]


@pytest.mark.parametrize("sent", [{}, {"do": "give"}, {"do": "burn", "label": 1}, {"do": "give", "label": "x"}])
def test_without_a_proper_label_nothing_is_given(client: Client, members: Selection, sent: dict[str, Any]) -> None:
    CustomerFactory()
    response = client.post(url("label", members), sent)
    assert response.status_code == 302
    assert not Label.objects.filter(assignments__isnull=False).exists()


def test_system_labels_are_not_offered_and_not_given_by_hand(client: Client, members: Selection) -> None:
    CustomerFactory()
    label = Label.objects.create(code="s", name="Systeem", kind="system", created_at=clock())
    client.post(url("label", members), {"do": "give", "label": label.pk})
    assert label.assignments.count() == 0


# --- the export ---


def exported(response: Any) -> list[list[str]]:
    body = b"".join(response.streaming_content).decode("utf-8-sig")
    return list(csv.reader(io.StringIO(body), delimiter=";"))


def test_the_export_holds_the_chosen_columns_of_every_member(client: Client, members: Selection) -> None:
    branch = BranchFactory(code="PUR", name="Purmerend")
    CustomerFactory(number="2", first_name="Bé", last_name='van "Dam"; jr.', email="be@example.nl", branch=branch)
    CustomerFactory(number="1", first_name="An", last_name="As", email="", birth_date=None)
    CustomerFactory(number="3", kind="prospect")
    columns = ["last_name", "number", "email", "branch", "kind", "birth_date"]
    response = client.post(url("export", members), {"columns": columns})
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert re.search(r'filename="leden-\d{8}\.csv"', response["Content-Disposition"])
    assert exported(response) == [
        ["Klantnummer", "Soort klant", "Achternaam", "E-mail", "Vestiging", "Geboortedatum"],
        ["1", "Lid", "As", "", "", ""],
        ["2", "Lid", 'van "Dam"; jr.', "be@example.nl", "Purmerend", "1980-03-14"],
    ]


@pytest.mark.parametrize("name", ["=1+1", "+31", "-2", "@SUM(A1)", "\t=1", "\r=1"])
def test_a_cell_that_a_spreadsheet_would_compute_is_made_harmless(
    client: Client, members: Selection, name: str
) -> None:
    CustomerFactory(last_name=name)
    assert exported(client.post(url("export", members), {"columns": ["last_name"]}))[1] == [f"'{name}"]


def test_every_column_can_be_exported(client: Client, members: Selection) -> None:
    CustomerFactory(phone="+31612345678")
    lines = exported(client.post(url("export", members), {"columns": [column.code for column in COLUMNS]}))
    assert len(lines) == 2
    assert "+31612345678" in lines[1], "a telephone number is no formula"


def test_the_export_is_recorded_without_personal_data(
    client: Client, members: Selection, marketeer: User, caplog: pytest.LogCaptureFixture
) -> None:
    CustomerFactory(last_name="Geheim", number="777")
    with caplog.at_level("INFO", logger="wise.exports"):
        client.post(url("export", members), {"columns": ["number", "last_name"]})
    export = Export.objects.get()
    assert (export.user, export.selection, export.row_count) == (marketeer, members, 1)
    [record] = [record for record in caplog.records if record.name == "wise.exports"]
    line = f"export selection={members.pk} user={marketeer.pk} rows=1 columns=number,last_name"
    assert record.getMessage() == line
    assert "Geëxporteerd" in text(client.get(url("detail", members)))


def test_an_export_without_columns_is_refused(client: Client, members: Selection) -> None:
    assert client.post(url("export", members), {}).status_code == 302
    assert client.get(url("export", members)).status_code == 405
    assert Export.objects.count() == 0


# --- who may ---


@pytest.mark.parametrize("role", ["counter", "integrator"])
def test_who_has_nothing_to_do_with_selections_is_turned_away(
    make_user: Callable[..., User], client_of: Callable[[User], Client], members: Selection, role: str
) -> None:
    client = client_of(make_user(role))
    pages = ["/selections/", NEW, url("detail", members), url("change", members)]
    assert {client.get(page).status_code for page in pages} == {403}
    posts = [url(name, members) for name in ("count", "delete", "label", "export")]
    assert {client.post(page).status_code for page in posts} == {403}
    assert Selection.objects.count() == 1


def test_who_is_not_signed_in_is_asked_to(members: Selection) -> None:
    assert Client().get("/selections/").status_code == 302


def test_a_rule_larger_than_any_page_sends_is_refused_with_words(client: Client) -> None:
    fields = {"r__op": "all", **{f"r-{index}__op": "any" for index in range(150)}}
    for extra in ({"do": "add:r:customer.kind"}, {"live": "1"}, {"name": "Te groot"}):
        response = client.post(NEW, {**fields, **extra})
        assert response.status_code == 200
        assert "100" in response.content.decode()
    assert not Selection.objects.exists()


@pytest.mark.parametrize("origin", ["²", "9" * 30, "x", ""])
def test_a_copy_of_nothing_is_no_error(client: Client, origin: str) -> None:
    response = client.get(NEW, {"from": origin})
    assert response.status_code in {200, 404}
