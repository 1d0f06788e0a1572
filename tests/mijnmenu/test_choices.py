from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable

import pytest
from django.test import Client

from common.time import clock
from customers import consents
from customers.actions.purposes import save_wording
from customers.models import Consent, Customer, Guardianship, Purpose
from labels.actions import change_group, change_label, create_label
from labels.models import Label, LabelGroup
from newsletter.actions import create_newsletter
from newsletter.models import Newsletter
from tests.factories import CustomerFactory, PurposeFactory, SourceFactory


def allowed(customer: Customer) -> set[str]:
    states = consents.states_of(customer, now=clock())
    return {f"{state.purpose.code}:{state.channel}" for state in states if state.is_allowed}


def boxes(page: str) -> dict[str, bool]:
    found = re.findall(r'type="(?:checkbox|radio)"[^>]*value="([^"]*)"[^>]*?(checked)?>', page)
    return {value: bool(checked) for value, checked in found}


def save(client: Client, url: str, *, changes: dict[str, bool]) -> None:
    """Do what a browser does: send all that was shown, and what is ticked."""
    page = client.get(url).content.decode()
    shown = re.findall(r'name="shown" value="([^"]+)"', page)
    ticked = [value for value, is_on in {**boxes(page), **changes}.items() if is_on and value in shown]
    assert client.post(url, {"shown": shown, "wanted": ticked}).status_code == 302


@pytest.fixture
def newsletter() -> Newsletter:
    return create_newsletter(name="Waterlandse Lezer", description="Elke maand leestips.", by=None, now=clock())


# --- preferences ---


def test_preferences_show_what_holds_and_why(mine: Client, customer: Customer) -> None:
    page = mine.get("/mijn/voorkeuren/").content.decode()
    shown = boxes(page)
    assert shown["marketing:email"]
    assert shown["marketing:post"]
    assert not shown["marketing:phone"]
    assert not shown["profiling:email"]
    assert "omdat u betalend lid bent" in page
    assert not any(value.startswith("service") for value in shown)
    assert "Deze berichten krijgt u altijd" in page


def test_only_what_differs_is_recorded_with_its_source_and_wording(mine: Client, customer: Customer) -> None:
    save(mine, "/mijn/voorkeuren/", changes={"marketing:email": False, "profiling:email": True})
    rows = {(c.purpose.code, c.channel): c for c in Consent.objects.select_related("purpose", "source")}
    assert {key: row.state for key, row in rows.items()} == {
        ("marketing", "email"): "withdrawn",
        ("profiling", "email"): "granted",
    }
    row = rows["marketing", "email"]
    assert (row.source.code, row.actor, row.wording_version) == ("mijnmenu", "customer", "mijnmenu-1")
    assert "marketing:email" not in allowed(customer)
    save(mine, "/mijn/voorkeuren/", changes={})
    assert Consent.objects.count() == 2


def test_what_was_not_shown_stays_as_it_is(mine: Client, customer: Customer) -> None:
    before = allowed(customer)
    mine.post("/mijn/voorkeuren/", {"shown": ["marketing:phone"], "wanted": []})
    assert not Consent.objects.exists()
    mine.post("/mijn/voorkeuren/", {"shown": ["marketing:sms"], "wanted": ["marketing:sms", "profiling:email"]})
    assert allowed(customer) == before | {"marketing:sms"}


@pytest.mark.parametrize(
    "choice", ["service:email", "bestaat-niet:email", "marketing:duif", "marketing", ":", "geheim:email"]
)
def test_what_may_not_be_chosen_is_left_alone(mine: Client, customer: Customer, choice: str) -> None:
    PurposeFactory(code="geheim", is_public=False)
    before = allowed(customer)
    mine.post("/mijn/voorkeuren/", {"shown": [choice], "wanted": []})
    mine.post("/mijn/voorkeuren/", {"shown": [choice], "wanted": [choice]})
    assert allowed(customer) == before
    assert not Consent.objects.exists()


def test_earlier_choices_are_listed_and_those_of_others_are_not(mine: Client, customer: Customer) -> None:
    other = CustomerFactory()
    consents.record_consent(
        other, purpose=Purpose.objects.get(code="marketing"), channel="sms", state="granted",
        source_code="counter", actor="x", event_at=clock(),
    )  # fmt: skip
    assert "U heeft nog niets gekozen" in mine.get("/mijn/voorkeuren/").content.decode()
    save(mine, "/mijn/voorkeuren/", changes={"marketing:post": False})
    page = mine.get("/mijn/voorkeuren/").content.decode()
    assert "Via: MijnMenu" in page
    assert "Via: Balie" not in page


def test_unsubscribing_from_everything_is_an_objection_that_a_later_yes_ends(mine: Client, customer: Customer) -> None:
    assert mine.get("/mijn/afmelden/").status_code == 200
    assert not Consent.objects.exists()
    mine.post("/mijn/afmelden/")
    assert {value for value in allowed(customer) if not value.startswith("service")} == set()
    assert set(Consent.objects.values_list("state", flat=True)) == {"objected"}
    assert "service:email" in allowed(customer)
    save(mine, "/mijn/voorkeuren/", changes={"marketing:email": True})
    assert "marketing:email" in allowed(customer)


# --- newsletters ---


def test_newsletters_are_subscribed_to_and_left(mine: Client, customer: Customer, newsletter: Newsletter) -> None:
    key = str(newsletter.pk)
    save(mine, "/mijn/nieuwsbrieven/", changes={key: True})
    assert newsletter.subscribers(now=clock()).get() == customer
    assert boxes(mine.get("/mijn/nieuwsbrieven/").content.decode())[key]
    save(mine, "/mijn/nieuwsbrieven/", changes={})
    assert Consent.objects.count() == 1
    save(mine, "/mijn/nieuwsbrieven/", changes={key: False})
    assert not newsletter.subscribers(now=clock()).exists()


def test_a_newsletter_is_not_also_among_the_preferences(mine: Client, newsletter: Newsletter) -> None:
    assert newsletter.name not in mine.get("/mijn/voorkeuren/").content.decode()


def test_a_newsletter_that_stopped_cannot_be_subscribed_to(mine: Client, newsletter: Newsletter) -> None:
    Newsletter.objects.update(is_active=False)
    for value in (str(newsletter.pk), "0", "x", "9" * 30):
        mine.post("/mijn/nieuwsbrieven/", {"shown": [value], "wanted": [value]})
    assert not Consent.objects.exists()


# --- interests ---


@pytest.fixture
def interests() -> None:
    group = LabelGroup.objects.create(code="leeftijd", name="Leest voor aan", is_exclusive=True)
    for code, name, within in (
        ("jazz", "Jazz", None),
        ("toneel", "Toneel", None),
        ("peuters", "Peuters", group),
        ("kleuters", "Kleuters", group),
    ):
        create_label(code=code, name=name, kind="customer", group=within, by=None, now=clock())
    create_label(code="vip", name="VIP", kind="own", by=None, now=clock())


def chosen(customer: Customer) -> set[str]:
    return set(customer.label_assignments.filter(until=None).values_list("label__code", flat=True))


@pytest.mark.usefixtures("interests")
def test_interests_are_chosen_and_taken_off(mine: Client, customer: Customer) -> None:
    page = mine.get("/mijn/interesses/").content.decode()
    assert set(boxes(page)) == {"jazz", "toneel", "peuters", "kleuters", ""}
    names = re.findall(r'name="(labels-\d+)" value="(?:jazz|peuters)"', page)
    mine.post("/mijn/interesses/", {names[0]: ["jazz", "toneel"], names[1]: "peuters"})
    assert chosen(customer) == {"jazz", "toneel", "peuters"}
    mine.post("/mijn/interesses/", {names[0]: ["jazz"], names[1]: ""})
    assert chosen(customer) == {"jazz"}
    assert boxes(mine.get("/mijn/interesses/").content.decode())["jazz"]


@pytest.mark.usefixtures("interests")
@pytest.mark.parametrize("codes", [["vip"], ["bestaat-niet"], ["peuters", "kleuters"]])
def test_what_may_not_be_chosen_is_refused_in_words(mine: Client, customer: Customer, codes: list[str]) -> None:
    answer = mine.post("/mijn/interesses/", {"labels": codes}, follow=True)
    assert chosen(customer) == set()
    assert answer.status_code == 200
    assert any(message.level_tag == "error" for message in answer.context["messages"])


@pytest.mark.usefixtures("interests")
def test_searching_shows_what_fits_and_saving_leaves_the_rest(mine: Client, customer: Customer) -> None:
    mine.post("/mijn/interesses/", {"labels": ["jazz"], "labels-1": "peuters"})
    page = mine.get("/mijn/interesses/", {"q": "TONEEL"}).content.decode()
    assert set(boxes(page)) == {"toneel"}
    shown = re.findall(r'name="shown" value="([^"]+)"', page)
    mine.post("/mijn/interesses/", {"shown": shown, "labels": ["toneel"]})
    assert chosen(customer) == {"jazz", "peuters", "toneel"}
    mine.post("/mijn/interesses/", {"shown": shown})
    assert chosen(customer) == {"jazz", "peuters"}
    assert set(boxes(mine.get("/mijn/interesses/", {"q": "peut"}).content.decode())) == {"", "peuters", "kleuters"}
    assert "Niets gevonden" in mine.get("/mijn/interesses/", {"q": "olifant"}).content.decode()


@pytest.mark.usefixtures("interests")
def test_one_is_taken_off_and_what_was_stays_visible(mine: Client, customer: Customer) -> None:
    mine.post("/mijn/interesses/", {"labels": ["jazz"]})
    assert "sinds" in mine.get("/mijn/interesses/").content.decode()
    assert mine.get("/mijn/interesses/jazz/weghalen/").status_code == 405
    for code in ("jazz", "vip", "bestaat-niet"):
        mine.post(f"/mijn/interesses/{code}/weghalen/")
    assert chosen(customer) == set()
    page = mine.get("/mijn/interesses/").content.decode()
    assert "Wat u eerder had" in page
    assert "door u eraf gehaald" in page


@pytest.mark.usefixtures("interests")
def test_labels_out_of_use_or_not_valid_are_not_offered(mine: Client) -> None:
    change_label(Label.objects.get(code="jazz"), valid_until=clock().date() - dt.timedelta(days=3))
    change_group(LabelGroup.objects.get(code="leeftijd"), is_active=False)
    assert set(boxes(mine.get("/mijn/interesses/").content.decode())) == {"toneel"}


# --- children ---


@pytest.fixture
def child(customer: Customer) -> Customer:
    made: Customer = CustomerFactory(number="200002", first_name="Bo", birth_date=dt.date(2016, 5, 1))
    guardianship(made, customer)
    return made


def guardianship(child: Customer, parent: Customer) -> None:
    Guardianship.objects.create(child=child, guardian=parent, source=SourceFactory(), created_at=clock())


def test_a_parent_answers_for_a_child(mine: Client, customer: Customer, child: Customer) -> None:
    page = mine.get("/mijn/kinderen/").content.decode()
    assert "Bo Jansen" in page
    assert not boxes(page)["newsletter:email"]
    choice = {"shown": ["newsletter:email", "marketing:email"], "wanted": ["newsletter:email"]}
    assert mine.post(f"/mijn/kinderen/{child.pk}/", choice).status_code == 302
    [row] = Consent.objects.all()
    assert (row.customer, row.guardian_id, row.actor, row.state) == (child, customer.pk, "guardian", "granted")
    assert "newsletter:email" in allowed(child)
    assert "Sanne de Boer antwoordde op" in mine.get("/mijn/kinderen/").content.decode()
    mine.post(f"/mijn/kinderen/{child.pk}/", {"shown": ["newsletter:email"], "wanted": []})
    assert "newsletter:email" not in allowed(child)


def test_nobody_answers_for_the_child_of_another_or_for_who_has_grown_up(mine: Client, customer: Customer) -> None:
    stranger = CustomerFactory(birth_date=dt.date(2016, 5, 1))
    grown = CustomerFactory(birth_date=dt.date(2005, 5, 1))
    guardianship(grown, customer)
    for other in (stranger, grown):
        choice = {"shown": ["newsletter:email"], "wanted": ["newsletter:email"]}
        assert mine.post(f"/mijn/kinderen/{other.pk}/", choice).status_code == 404
    assert not Consent.objects.exists()
    assert "Voor mijn kind" not in mine.get("/mijn/").content.decode()
    assert "geen kinderen onder de 16" in mine.get("/mijn/kinderen/").content.decode()


def test_a_child_itself_cannot_switch_on_what_a_parent_must(
    client: Client, child: Customer, link: Callable[[Customer], str]
) -> None:
    client.get(link(child))
    page = client.get("/mijn/voorkeuren/").content.decode()
    assert 'value="marketing:email" id="wanted-marketingemail-1" disabled' in page
    assert "Dan zet een ouder of verzorger dit aan" in page
    wish = {"shown": ["marketing:email"], "wanted": ["marketing:email"]}
    answer = client.post("/mijn/voorkeuren/", wish, follow=True)
    assert "zegt een ouder of verzorger hier ja tegen" in answer.content.decode()
    assert not Consent.objects.exists()


def test_the_words_to_which_somebody_says_yes_are_shown_and_recorded(mine: Client, customer: Customer) -> None:
    purpose = Purpose.objects.get(code="profiling")
    save_wording(purpose, version="2026-1", text="Ja, kijk mee met wat ik leen.", valid_from=clock(), by=None)
    assert "Ja, kijk mee met wat ik leen." in mine.get("/mijn/voorkeuren/").content.decode()
    save(mine, "/mijn/voorkeuren/", changes={"profiling:email": True})
    assert Consent.objects.get().wording_version == "2026-1"


# --- the words that were read ---


def mark(client: Client, url: str) -> str:
    [found] = set(re.findall(r'name="read" value="([^"]*)"', client.get(url).content.decode()))
    return found


def test_a_yes_to_words_that_changed_meanwhile_does_not_count_and_a_no_does(mine: Client, customer: Customer) -> None:
    read, purpose = mark(mine, "/mijn/voorkeuren/"), Purpose.objects.get(code="profiling")
    save_wording(purpose, version="2026-2", text="Heel andere woorden.", valid_from=clock(), by=None)
    shown = ["profiling:email", "marketing:post"]  # the last is on: a member, on paper
    answer = mine.post("/mijn/voorkeuren/", {"read": read, "shown": shown, "wanted": ["profiling:email"]}, follow=True)
    assert "Onze teksten zijn net veranderd" in answer.content.decode()
    assert [(row.purpose.code, row.state) for row in Consent.objects.all()] == [("marketing", "withdrawn")]
    read = mark(mine, "/mijn/voorkeuren/")
    mine.post("/mijn/voorkeuren/", {"read": read, "shown": ["profiling:email"], "wanted": ["profiling:email"]})
    assert Consent.objects.get(purpose=purpose).wording_version == "2026-2"


def test_newsletters_and_children_mind_the_words_too(
    mine: Client, customer: Customer, child: Customer, newsletter: Newsletter
) -> None:
    marks = {url: mark(mine, url) for url in ("/mijn/nieuwsbrieven/", "/mijn/kinderen/")}
    save_wording(newsletter.purpose, version="2026-2", text="Elke week, ook reclame.", valid_from=clock(), by=None)
    ids = [str(newsletter.pk)]
    mine.post("/mijn/nieuwsbrieven/", {"read": marks["/mijn/nieuwsbrieven/"], "shown": ids, "wanted": ids})
    code = [f"{newsletter.purpose.code}:email"]
    mine.post(f"/mijn/kinderen/{child.pk}/", {"read": marks["/mijn/kinderen/"], "shown": code, "wanted": code})
    assert not Consent.objects.exists()
    assert "Elke week, ook reclame." in mine.get("/mijn/nieuwsbrieven/").content.decode()


# --- one's own ledger ---


def test_the_whole_ledger_is_told_in_plain_words(mine: Client, customer: Customer) -> None:
    parent = CustomerFactory(first_name="Anna", last_name="Bos")
    said = {"source_code": "counter", "actor": "Petra", "event_at": clock()}
    marketing = Purpose.objects.get(code="marketing")
    consents.record_consent(customer, purpose=marketing, channel="phone", state="objected", **said)
    profiling = Purpose.objects.get(code="profiling")
    consents.record_consent(customer, purpose=profiling, channel="email", state="granted", **said)
    Customer.objects.filter(pk=customer.pk).update(birth_date=dt.date(2015, 1, 1))
    guardianship(customer, parent)
    customer.refresh_from_db()
    said |= {"guardian": parent, "evidence": {"confirmed_at": "2026-06-01T08:00:00+00:00"}}
    consents.record_consent(customer, purpose=marketing, channel="sms", state="granted", **said)
    page = mine.get("/mijn/voorkeuren/eerder/").content.decode()
    assert f"U maakte bezwaar – {marketing.name}, per telefoon." in page
    assert f"U zei ja – {profiling.name}." in page
    assert f"Anna Bos zei ja voor u – {marketing.name}, per sms" in page
    assert "U bevestigde het per e-mail." in page
    assert "Petra" not in page


def test_a_long_ledger_has_a_page_of_its_own(mine: Client, customer: Customer) -> None:
    purpose = Purpose.objects.get(code="marketing")
    for number in range(12):
        consents.record_consent(
            customer, purpose=purpose, channel="email", state=("granted", "withdrawn")[number % 2],
            source_code="mijnmenu", actor="customer", event_at=clock() - dt.timedelta(days=number + 1),
        )  # fmt: skip
    assert "/mijn/voorkeuren/eerder/" in mine.get("/mijn/voorkeuren/").content.decode()
    page = mine.get("/mijn/voorkeuren/eerder/").content.decode()
    assert page.count("U zei ja") == page.count("U zei nee") == 6


def test_objecting_twice_is_said_once(mine: Client, customer: Customer) -> None:
    mine.post("/mijn/afmelden/")
    count = Consent.objects.count()
    mine.post("/mijn/afmelden/")
    assert Consent.objects.count() == count > 0
