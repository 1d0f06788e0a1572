"""Each criterion finds whom it should, says so in good Dutch, and survives its own form."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.http import QueryDict
from django.utils import translation
from pydantic import ValidationError

from common.criteria import criteria
from common.errors import Refused
from customers.actions import record_fact
from customers.actions.retention import retention_of_facts
from customers.models import Customer, Fact, KindSetting
from tests.customers.facts_sentences import FACTS
from tests.factories import (
    NOW,
    BranchFactory,
    ConsentFactory,
    CustomerFactory,
    HouseholdFactory,
    PurposeFactory,
    SourceFactory,
    SubscriptionFactory,
    WorldFactory,
)

pytestmark = pytest.mark.django_db


def found(code: str, params: dict[str, Any], now: dt.datetime = NOW) -> set[str]:
    """Return the numbers of whom a criterion finds, having checked that its opposite finds all others."""
    criterion = criteria[code]
    q = criterion.to_q(criterion.params.model_validate(params), now=now)
    numbers = set(Customer.objects.filter(q).values_list("number", flat=True))
    others = set(Customer.objects.filter(~q).values_list("number", flat=True))
    assert numbers | others == set(Customer.objects.values_list("number", flat=True))
    assert not numbers & others
    return numbers


def did(customer: Customer, kind: str, days_ago: float, **fields: Any) -> None:
    fields.setdefault("external_id", f"{kind}-{customer.number}-{days_ago}")
    moment = NOW - dt.timedelta(days=days_ago)
    record_fact(customer, kind=kind, occurred_at=moment, source_code="library", **fields)


@pytest.fixture
def person() -> Callable[..., Customer]:
    def make(number: str, **fields: Any) -> Customer:
        return CustomerFactory(number=number, **fields)

    return make


Person = Callable[..., Customer]


def test_kind(person: Person) -> None:
    for kind in ("member", "former", "prospect"):
        person(kind, kind=kind)
    assert found("customer.kind", {"kinds": ["member", "former"]}) == {"member", "former"}


def test_branch_and_nobody_without_one(person: Person) -> None:
    person("edam", branch=BranchFactory(code="EDA"))
    person("purmerend", branch=BranchFactory(code="PUR"))
    person("none")
    assert found("customer.branch", {"branches": ["EDA"]}) == {"edam"}


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"at_least": 18}, {"18", "65"}),
        ({"at_most": 17}, {"17"}),
        ({"at_least": 17, "at_most": 18}, {"17", "18"}),
        ({"at_least": 66}, set()),
    ],
)
def test_age_changes_on_the_birthday_itself(person: Person, params: dict[str, int], expected: set[str]) -> None:
    person("17", birth_date=dt.date(2008, 6, 16))
    person("18", birth_date=dt.date(2008, 6, 15))
    person("65", birth_date=dt.date(1960, 6, 16))
    person("unborn", birth_date=dt.date(2026, 6, 16))
    person("unknown", birth_date=None)
    assert found("customer.age", params) == expected


@pytest.mark.parametrize(
    ("today", "params", "expected"),
    [
        (dt.date(2026, 6, 15), {"days_ahead": 0}, {"0615"}),
        (dt.date(2026, 6, 15), {"days_ahead": 7}, {"0622"}),
        (dt.date(2026, 6, 15), {"days_ahead": 0, "until_days_ahead": 7}, {"0615", "0622"}),
        (dt.date(2026, 12, 30), {"days_ahead": 1, "until_days_ahead": 3}, {"0101"}),
        # born on a leap day: the 28th, unless there is a 29th
        (dt.date(2026, 2, 28), {"days_ahead": 0}, {"0229"}),
        (dt.date(2028, 2, 28), {"days_ahead": 0}, set()),
        (dt.date(2028, 2, 29), {"days_ahead": 0}, {"0229"}),
    ],
)
def test_birthday(person: Person, today: dt.date, params: dict[str, int], expected: set[str]) -> None:
    for month, day, year in ((6, 15, 1980), (6, 22, 2001), (1, 1, 1950), (2, 29, 2000)):
        person(f"{month:02d}{day:02d}", birth_date=dt.date(year, month, day))
    person("unknown", birth_date=None)
    moment = dt.datetime.combine(today, dt.time(9), tzinfo=NOW.tzinfo)
    assert found("customer.birthday", params, moment) == expected


def test_birthdays_are_looked_up_in_their_index(person: Person) -> None:
    criterion = criteria["customer.birthday"]
    q = criterion.to_q(criterion.params.model_validate({"days_ahead": 3}), now=NOW)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    assert "customer_birthday_idx" in Customer.objects.filter(q).explain()


def test_gender_unknown_included(person: Person) -> None:
    for gender in ("f", "m", ""):
        person(gender or "unknown", gender=gender)
    assert found("customer.gender", {"genders": ["f", ""]}) == {"f", "unknown"}


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"cities": "edam , Volendam"}, {"edam"}),
        ({"postal_codes": "1441-1447"}, {"first", "last"}),
        ({"postal_codes": "1447 kl"}, {"last"}),
        ({"postal_codes": "1441", "cities": "Edam"}, {"first", "edam"}),
        ({"postal_codes": "9990-9999"}, {"stitswerd"}),  # the last there is: nothing comes after it
        ({"postal_codes": "9999"}, {"stitswerd"}),
    ],
)
def test_place(person: Person, params: dict[str, str], expected: set[str]) -> None:
    person("first", postal_code="1441AB", city="Purmerend")
    person("last", postal_code="1447KL", city="Purmerend")
    person("stitswerd", postal_code="9999XL", city="Stitswerd")
    person("beyond", postal_code="1448AA", city="Purmerend")
    person("edam", postal_code="1135AB", city="Edam")
    person("none", postal_code="", city="")
    assert found("customer.place", params) == expected


def test_household_counts_people_at_the_address(person: Person) -> None:
    home = HouseholdFactory()
    for name in ("mother", "father", "child"):
        person(name, household=home)
    person("single", household=HouseholdFactory())
    person("no address", household=None)
    assert found("customer.household", {"at_least": 3}) == {"mother", "father", "child"}
    assert found("customer.household", {"at_most": 1}) == {"single", "no address"}


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"within_days": 30}, {"today", "30"}),
        ({"more_than_days": 30}, {"31"}),
        ({"more_than_days": 0, "within_days": 31}, {"30", "31"}),
    ],
)
def test_registered(person: Person, params: dict[str, int], expected: set[str]) -> None:
    for number, days in (("today", 0), ("30", 30), ("31", 31)):
        person(number, registered_on=NOW.date() - dt.timedelta(days=days))
    person("unknown", registered_on=None)
    person("tomorrow", registered_on=NOW.date() + dt.timedelta(days=1))
    assert found("customer.registered", params) == expected


def test_reachable_asks_for_all_that_is_ticked(person: Person) -> None:
    person("both", phone="+31612340001")
    person("mail")
    person("phone", email="", phone="+31612340002", street="")
    assert found("customer.reachable", {"by": ["email"]}) == {"both", "mail"}
    assert found("customer.reachable", {"by": ["email", "phone"]}) == {"both"}
    assert found("customer.reachable", {"by": ["address"]}) == {"both", "mail"}


def test_subscriptions(person: Person) -> None:
    today = NOW.date()
    SubscriptionFactory(customer=person("runs"))
    SubscriptionFactory(customer=person("free"), type="jeugd", price_cents=0, payment_method="free")
    SubscriptionFactory(customer=person("last day"), ended_on=today)
    SubscriptionFactory(customer=person("yesterday"), ended_on=today - dt.timedelta(days=1))
    SubscriptionFactory(customer=person("tomorrow"), started_on=today + dt.timedelta(days=1))
    assert found("subscriptions.has", {}) == {"runs", "free", "last day"}
    assert found("subscriptions.has", {"types": ["jeugd"]}) == {"free"}
    assert found("subscriptions.has", {"types": ["volwassen"], "payment_methods": ["free"]}) == set()
    assert found("subscriptions.ends", {"days": 0}) == {"last day"}
    assert found("subscriptions.ended", {"days": 1}) == {"yesterday"}


def test_a_type_of_subscription_without_a_name_is_offered_by_its_code(person: Person) -> None:
    SubscriptionFactory(customer=person("one"), type="jeugd", name="")
    assert criteria["subscriptions.has"].form().fields["types"].choices == [("jeugd", "jeugd")]


def test_a_subscription_that_is_followed_by_another_does_not_end(person: Person) -> None:
    customer = person("goes on")
    SubscriptionFactory(customer=customer, ended_on=NOW.date() + dt.timedelta(days=5))
    assert found("subscriptions.ends", {"days": 10}) == {"goes on"}
    SubscriptionFactory(customer=customer, started_on=NOW.date() + dt.timedelta(days=6))
    assert found("subscriptions.ends", {"days": 10}) == set()


@pytest.mark.parametrize(
    ("params", "expected"),
    [({"at_least": 5}, {"5", "9"}), ({"at_most": 5}, {"4", "5"}), ({"at_least": 5, "at_most": 5}, {"5"})],
)
def test_years_of_membership_count_from_the_first_subscription(
    person: Person, params: dict[str, int], expected: set[str]
) -> None:
    SubscriptionFactory(customer=person("4"), started_on=dt.date(2021, 6, 16))
    SubscriptionFactory(customer=person("5"), started_on=dt.date(2021, 6, 15))
    nine = person("9")
    SubscriptionFactory(customer=nine, started_on=dt.date(2017, 1, 1), ended_on=dt.date(2020, 1, 1))
    SubscriptionFactory(customer=nine, started_on=dt.date(2020, 1, 2))
    SubscriptionFactory(customer=person("gone"), started_on=dt.date(2000, 1, 1), ended_on=dt.date(2020, 1, 1))
    assert found("subscriptions.years", params) == expected


@pytest.fixture
def readers(person: Person) -> None:
    """Who borrowed: often (3 times, the last 5 days ago), once (40 days ago), never."""
    often, once = person("often"), person("once")
    person("never")
    edam = BranchFactory(code="EDA")
    WorldFactory(code="reizen")
    for days in (5, 20, 100):
        did(often, "loan", days, world="reizen", genre="reisgidsen", sector="bibliotheek", branch=edam, quantity=4)
    did(once, "loan", 40, world="jeugd")
    did(once, "fee", 40, amount_cents=5800)


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"op": "at_least", "times": 1}, {"often", "once"}),
        ({"op": "at_least", "times": 2}, {"often"}),
        ({"op": "at_least", "times": 2, "within_days": 30}, {"often"}),
        ({"op": "at_least", "times": 3, "within_days": 30}, set()),
        ({"op": "at_most", "times": 1}, {"once", "never"}),
        ({"op": "at_most", "times": 0}, {"never"}),
        ({"op": "exactly", "times": 1}, {"once"}),
        ({"op": "exactly", "times": 0, "within_days": 30}, {"once", "never"}),
        ({"op": "at_least", "times": 0}, {"often", "once", "never"}),
        ({"op": "at_least", "times": 3, "world": "reizen"}, {"often"}),
        ({"op": "at_least", "times": 1, "world": "jeugd"}, {"once"}),
        ({"op": "at_least", "times": 1, "genre": "reisgidsen", "branch": "EDA", "sector": "bibliotheek"}, {"often"}),
        ({"op": "at_least", "times": 1, "branch": "PUR"}, set()),
    ],
)
def test_how_often(readers: None, params: dict[str, Any], expected: set[str]) -> None:
    assert found("facts.count", {"kind": "loan", **params}) == expected


def test_not_at_all(readers: None) -> None:
    assert found("facts.none", {"kind": "loan"}) == {"never"}
    assert found("facts.none", {"kind": "loan", "within_days": 30}) == {"once", "never"}


def test_last_and_first_time(readers: None) -> None:
    assert found("facts.last", {"kind": "loan", "more_than_days": 30}) == {"once"}
    assert found("facts.last", {"kind": "loan", "within_days": 30}) == {"often"}
    assert found("facts.first", {"kind": "loan", "more_than_days": 60}) == {"often"}
    assert found("facts.first", {"kind": "loan", "more_than_days": 30, "within_days": 60}) == {"once"}


def test_how_much(readers: None) -> None:
    assert found("facts.sum", {"kind": "fee", "at_least": 5800}) == {"once"}
    assert found("facts.sum", {"kind": "fee", "at_least": 5801}) == set()
    assert found("facts.sum", {"kind": "loan", "at_least": 8, "unit": "quantity", "within_days": 30}) == {"often"}


def test_a_window_of_days_begins_at_midnight_in_amsterdam(person: Person) -> None:
    customer = person("late")
    midnight = dt.datetime(2026, 6, 14, 0, 0, tzinfo=NOW.tzinfo)
    record_fact(customer, kind="loan", occurred_at=midnight, source_code="library", external_id="1")
    assert found("facts.count", {"kind": "loan", "within_days": 1}) == {"late"}
    assert found("facts.count", {"kind": "loan", "within_days": 0}) == set()


def test_what_happens_after_the_moment_asked_about_does_not_count(person: Person) -> None:
    did(person("later"), "loan", -1)
    assert found("facts.count", {"kind": "loan"}) == set()


def test_ever_outlives_the_facts_of_which_the_retention_is_over(readers: None) -> None:
    KindSetting.objects.create(code="loan", keep_months=1)
    KindSetting.objects.create(code="fee", keep_months=1)
    asked: list[tuple[str, dict[str, Any]]] = [
        ("facts.count", {"kind": "loan", "times": 2}),
        ("facts.count", {"kind": "loan", "op": "exactly", "times": 1}),
        ("facts.count", {"kind": "loan", "op": "at_most", "times": 0}),
        ("facts.none", {"kind": "loan"}),
        ("facts.sum", {"kind": "fee", "at_least": 5800}),
        ("facts.sum", {"kind": "loan", "at_least": 8, "unit": "quantity"}),
        ("facts.last", {"kind": "loan", "more_than_days": 30}),
    ]
    before = [found(criterion, params) for criterion, params in asked]
    assert before[0] == {"often"}
    assert retention_of_facts(day=dt.date(2027, 1, 1), now=NOW) == {"loan": 4, "fee": 1}
    assert not Fact.objects.exists()
    assert [found(criterion, params) for criterion, params in asked] == before


def test_how_long_something_lasted_narrows_it(person: Person) -> None:
    did(person("short"), "visit", 3, duration_seconds=19)
    did(person("long"), "visit", 3, duration_seconds=20)
    for window in ({}, {"within_days": 30}):
        assert found("facts.count", {"kind": "visit", "at_least_seconds": 20, **window}) == {"long"}
    assert found("facts.none", {"kind": "visit", "at_least_seconds": 20}) == {"short"}


def test_what_happens_after_the_moment_asked_about_is_left_out_of_totals(person: Person) -> None:
    customer = person("twice")
    did(customer, "loan", 5, quantity=3)
    did(customer, "loan", -1, quantity=3)
    assert found("facts.count", {"kind": "loan", "op": "exactly", "times": 1}) == {"twice"}
    assert found("facts.sum", {"kind": "loan", "at_least": 4, "unit": "quantity"}) == set()
    assert found("facts.none", {"kind": "loan"}) == set()


def test_who_may_be_reached(person: Person) -> None:
    marketing = PurposeFactory(code="marketing")
    ConsentFactory(customer=person("yes"), purpose=marketing)
    ConsentFactory(customer=person("no"), purpose=marketing, state="withdrawn")
    SubscriptionFactory(customer=person("pays"))
    person("silent")
    assert found("consents.allowed", {"purpose": "marketing", "channel": "email"}) == {"yes", "pays"}
    early = NOW - dt.timedelta(days=31)
    assert found("consents.allowed", {"purpose": "marketing", "channel": "email"}, early) == {"pays"}


def test_a_purpose_that_is_gone_finds_nobody_and_is_refused_when_saved(person: Person) -> None:
    person("somebody")
    assert found("consents.allowed", {"purpose": "gone", "channel": "email"}) == set()
    criterion = criteria["consents.allowed"]
    with pytest.raises(Refused):
        criterion.check(criterion.params.model_validate({"purpose": "gone"}))


SENTENCES = [
    *FACTS,
    ("customer.kind", {"kinds": ["member", "prospect"]}, "lid of prospect zijn"),
    ("customer.branch", {"branches": ["EDA", "gone"]}, "bij Edam of gone horen"),
    ("customer.age", {"at_least": 18, "at_most": 25}, "18 tot en met 25 jaar oud zijn"),
    ("customer.age", {"at_most": 12}, "hoogstens 12 jaar oud zijn"),
    ("customer.birthday", {}, "vandaag jarig zijn"),
    ("customer.birthday", {"days_ahead": 1}, "over 1 dag jarig zijn"),
    ("customer.birthday", {"days_ahead": 3, "until_days_ahead": 9}, "over 3 tot en met 9 dagen jarig zijn"),
    ("customer.gender", {"genders": ["f"]}, "als geslacht vrouw hebben"),
    ("customer.place", {"cities": "Edam", "postal_codes": "1441-1443"}, "in Edam of 1441-1443 wonen"),
    ("customer.household", {"at_least": 3}, "in een huishouden van minstens 3 klanten wonen"),
    ("customer.registered", {"more_than_days": 30, "within_days": 60},
     "van 31 tot en met 60 dagen geleden zijn ingeschreven"),
    ("customer.registered", {"within_days": 30}, "de afgelopen 30 dagen zijn ingeschreven"),
    ("customer.note", {}, "een notitie of contact hebben (elke soort)"),
    ("customer.note", {"kind": "call", "within_days": 0}, "vandaag een notitie of contact hebben (telefoongesprek)"),
    ("customer.reachable", {"by": ["email", "phone"]}, "een e-mailadres en een telefoonnummer hebben"),
    ("subscriptions.has", {}, "een lopend abonnement hebben"),
    ("subscriptions.has", {"payment_methods": ["free"]}, "een abonnement hebben en betalen per gratis"),
    ("subscriptions.years", {"at_least": 5}, "minstens 5 jaar lid zijn"),
    ("subscriptions.ends", {"days": 30}, "een abonnement hebben dat binnen 30 dagen afloopt"),
    ("subscriptions.ended", {"days": 1}, "sinds hoogstens 1 dag geen abonnement meer hebben"),
    (
        "facts.count",
        {"kind": "loan", "times": 2, "within_days": 30},
        "de afgelopen 30 dagen minstens 2 keer geleend hebben",
    ),
    ("facts.count", {"kind": "fine", "op": "exactly", "times": 1}, "ooit precies 1 keer een boete betaald hebben"),
    ("facts.none", {"kind": "visit"}, "nooit de website bezocht hebben"),
    (
        "facts.none",
        {"kind": "loan", "within_days": 1, "branch": "EDA", "genre": "thriller"},
        "de afgelopen 1 dag niet geleend hebben (genre thriller, vestiging Edam)",
    ),
    ("facts.last", {"kind": "loan", "more_than_days": 90}, "meer dan 90 dagen geleden voor het laatst geleend hebben"),
    ("facts.first", {"kind": "ticket", "within_days": 7}, "de afgelopen 7 dagen voor het eerst kaarten gekocht hebben"),
    ("facts.sum", {"kind": "ticket", "at_least": 5000}, "ooit voor minstens €\u00a050,00 kaarten gekocht hebben"),
    ("consents.allowed", {"purpose": "newsletter"}, "voor “Nieuwsbrief” per e-mail benaderd mogen worden"),
    ("consents.said", {"purpose": "newsletter"}, "ja zeiden tegen “Nieuwsbrief” per e-mail"),
    (
        "consents.said",
        {"purpose": "marketing", "answer": "no", "channel": "post", "period": "last", "number": 30},
        "de afgelopen 30 dagen nee zeiden tegen “Aanbiedingen en activiteiten” per post",
    ),
    (
        "consents.said",
        {"purpose": "newsletter", "answer": "nothing"},
        "nooit iets zeiden over “Nieuwsbrief” per e-mail",
    ),
    ("customer.source", {"sources": ["library"]}, "bekend zijn bij Bibliotheeksysteem"),
    ("customer.kind", {"kinds": ["former"], "op": "none"}, "geen oud-lid zijn"),
    ("customer.age", {"at_most": 18, "unit": "month"}, "hoogstens 18 maanden oud zijn"),
    ("customer.anniversary", {"period": "this_month"}, "deze maand jarig zijn"),
    ("customer.anniversary", {"period": "two_month"}, "de twee maanden vóór deze maand jarig zijn"),
    ("customer.anniversary", {"period": "prior_day"}, "eergisteren jarig zijn"),
    ("subscription.ended_on", {"period": "from_day"}, "een lopend abonnement hebben dat vanaf vandaag afloopt"),
    ("facts.none", {"kind": "loan", "period": "two_year"}, "de twee jaren vóór dit jaar niet geleend hebben"),
    ("facts.last", {"kind": "loan", "period": "earlier_day"}, "vóór vandaag voor het laatst geleend hebben"),
    ("customer.anniversary", {"years": [50, 65]}, "vandaag 50 of 65 jaar worden"),
    (
        "customer.anniversary",
        {"of": "member", "every": 5, "period": "next_week"},
        "volgende week een veelvoud van 5 jaar lid zijn",
    ),
    ("customer.number", {"op": "starts", "value": "90"}, "een klantnummer beginnend met “90” hebben"),
    ("customer.card_number", {"op": "filled"}, "een pasnummer hebben"),
    ("customer.initials", {"value": "A."}, "“A.” als voorletters hebben"),
    ("customer.first_name", {"op": "in", "values": ["Jan", "Piet"]}, "“Jan” of “Piet” als voornaam hebben"),
    ("customer.name_prefix", {"op": "empty"}, "geen tussenvoegsel hebben"),
    ("customer.last_name", {"op": "not_contains", "value": "x"}, "geen achternaam met “x” erin hebben"),
    ("customer.street", {"op": "ends", "value": "laan"}, "een straat eindigend op “laan” hebben"),
    (
        "customer.house_number",
        {"op": "between", "number": 1, "number_to": 9},
        "een huisnummer van 1 tot en met 9 hebben",
    ),
    ("customer.house_number_addition", {"value": "a"}, "“a” als toevoeging bij het huisnummer hebben"),
    (
        "customer.postal_code",
        {"op": "matches", "value": "^144[1-8]"},
        "een postcode volgens het patroon “^144[1-8]” hebben",
    ),
    ("customer.city", {"op": "not", "value": "Edam"}, "niet “Edam” als plaats hebben"),
    ("customer.email", {"op": "contains", "value": "info@"}, "een e-mailadres met “info@” erin hebben"),
    ("customer.email_domain", {"value": "gmail.com"}, "“gmail.com” als domein van het e-mailadres hebben"),
    ("customer.phone", {"op": "starts", "value": "06"}, "een telefoonnummer beginnend met “06” hebben"),
    ("customer.birth_date", {"period": "between", "until": "1960-12-31"}, "tot en met 31 december 1960 zijn geboren"),
    (
        "customer.registered_on",
        {"op": "outside", "period": "this_year"},
        "op een ander moment dan dit jaar zijn ingeschreven",
    ),
    ("customer.deceased_on", {"period": "last", "number": 30}, "de afgelopen 30 dagen zijn overleden"),
    ("customer.created_at", {"period": "yesterday"}, "gisteren bij ons bekend werden"),
    ("customer.updated_at", {"period": "last_week"}, "vorige week voor het laatst zijn gewijzigd"),
    ("customer.brought_by", {"op": "none", "choices": ["library"]}, "niet bibliotheeksysteem als eerste bron hebben"),
    ("branch.name", {"op": "contains", "value": "dam"}, "een naam van de vestiging met “dam” erin hebben"),
    ("branch.city", {"value": "Edam"}, "“Edam” als plaats van de vestiging hebben"),
    (
        "subscription.number",
        {"op": "starts", "value": "A"},
        "een lopend abonnement met een abonnementsnummer beginnend met “A” hebben",
    ),
    ("subscription.name", {"op": "not", "value": "x"}, "een lopend abonnement met iets anders dan “x” als naam hebben"),
    (
        "subscription.price",
        {"number": 1250, "which": "any"},
        "een abonnement met een prijs van minstens €\u00a012,50 hebben of hadden",
    ),
    (
        "subscription.started_on",
        {"period": "next_holiday", "holiday": "herfst"},
        "een lopend abonnement hebben dat in de komende herfstvakantie begon",
    ),
    (
        "subscription.ended_on",
        {"period": "end_this_year"},
        "een lopend abonnement hebben dat op de laatste dag van dit jaar afloopt",
    ),
    (
        "subscription.type",
        {"choices": ["volwassen"]},
        "een lopend abonnement met volwassenenabonnement als soort hebben",
    ),
    (
        "subscription.payment_method",
        {"op": "none", "choices": ["free"]},
        "een lopend abonnement met iets anders dan gratis als betaalwijze hebben",
    ),
    ("household.children", {"at_least": 2, "under": 12}, "minstens 2 kinderen onder de 12 in het huishouden hebben"),
    ("customer.distance", {"km": 2.5, "branch": "EDA"}, "binnen 2,5 km van Edam wonen"),
    ("customer.distance", {"km": 5.0}, "binnen 5 km van de eigen vestiging wonen"),
    ("customer.nearest_branch", {"branches": ["EDA"], "km": 10.0}, "het dichtst bij Edam wonen, binnen 10 km"),
    ("customer.value", {"value": "customer.age", "number": 18}, "minstens 18 als “leeftijd” hebben"),
    (
        "customer.value",
        {"value": "facts.fee.amount", "op": "top", "percent": 10},
        "bij de 10% met de hoogste “Contributie: bedrag ooit” horen",
    ),
    (
        "customer.value",
        {"value": "facts.fee.amount", "op": "between", "number": 1000, "number_to": 2000},
        "€\u00a010,00 tot en met €\u00a020,00 als “Contributie: bedrag ooit” hebben",
    ),
    ("quality.missing", {"fields": ["email", "birth_date"]}, "geen e-mailadres of geen geboortedatum hebben"),
    ("quality.invalid", {"fields": ["phone"]}, "iets onmogelijks als telefoonnummer hebben"),
    ("quality.double", {"what": "email"}, "hun e-mailadres delen met een andere klant"),
    ("quality.stale", {"years": 3}, "al 3 jaar niets van zich lieten horen"),
    ("quality.absent", {"sources": ["library"]}, "niet meer geleverd worden door Bibliotheeksysteem"),
    ("customer.no_branch", {}, "bij geen vestiging horen"),
    ("quality.deceased", {}, "overleden zijn"),
    ("quality.post", {"states": ["moved"]}, "verhuisd zijn"),
    ("quality.unguarded", {}, "jonger dan 16 zijn en geen ouder in het bestand hebben"),
    ("quality.wordless", {}, "ja zeiden zonder dat bekend is op welke tekst"),
]  # fmt: skip


@pytest.mark.parametrize(("code", "params", "dutch"), SENTENCES)
def test_sentences_complete_klanten_die(code: str, params: dict[str, Any], dutch: str) -> None:
    BranchFactory(code="EDA", name="Edam")
    SubscriptionFactory(type="volwassen")
    criterion = criteria[code]
    with translation.override("nl"):
        assert criterion.sentence(criterion.params.model_validate(params)) == dutch


@pytest.mark.parametrize(("code", "params", "dutch"), SENTENCES)
def test_a_form_filled_from_params_gives_the_same_params(code: str, params: dict[str, Any], dutch: str) -> None:
    SubscriptionFactory(type="volwassen")
    SourceFactory(code="library")
    for branch in ("EDA", "gone"):
        BranchFactory(code=branch)
    criterion = criteria[code]
    given = criterion.params.model_validate(params)
    data = QueryDict(mutable=True)
    for name, value in criterion.initial(given).items():
        shown = value if isinstance(value, list) else [value]
        data.setlist(name, [str(one) if isinstance(one, str) else str(one).replace(".", ",") for one in shown])
    form = criterion.form(data)
    assert form.is_valid(), form.errors
    assert criterion.read(form.cleaned_data) == given


@pytest.mark.parametrize(("code", "params"), [(code, params) for code, params, _dutch in SENTENCES])
def test_every_criterion_says_what_it_saw(code: str, params: dict[str, Any], person: Person) -> None:
    """Of somebody of whom much is known, and of somebody of whom nothing is; never in the words of another language."""
    home = HouseholdFactory()
    known = person("known", branch=BranchFactory(code="EDA"), household=home, phone="+31612340001", gender="f")
    SubscriptionFactory(customer=known)
    did(known, "loan", 3)
    bare = person("bare", birth_date=None, registered_on=None, first_name="", postal_code="", email="", city="")
    criterion = criteria[code]
    given = criterion.params.model_validate(params)
    for customer in (known, bare):
        with translation.override("en"):
            english = criterion.seen(given, customer, now=NOW)
        with translation.override("nl"):
            dutch = criterion.seen(given, customer, now=NOW)
        assert english
        assert dutch
        assert "%(" not in english + dutch


@pytest.mark.parametrize(("code", "params"), [(code, params) for code, params, _dutch in SENTENCES])
def test_the_opposite_of_a_criterion_is_everybody_else(code: str, params: dict[str, Any], person: Person) -> None:
    home = HouseholdFactory()
    known = person("known", branch=BranchFactory(code="EDA", postal_code="1135AB"), household=home, gender="f")
    SubscriptionFactory(customer=known)
    person("child", household=home, birth_date=NOW.date() - dt.timedelta(days=900))
    person("bare", birth_date=None, registered_on=None, first_name="", postal_code="", email="", city="", street="")
    found(code, params)


def test_every_criterion_of_this_app_is_in_the_table() -> None:
    ours = {criterion.code for criterion in criteria if type(criterion).__module__.startswith("customers.")}
    assert ours == {code for code, _params, _dutch in SENTENCES}


@pytest.mark.parametrize(
    ("code", "params"),
    [
        ("customer.kind", {"kinds": []}),
        ("customer.kind", {"kinds": ["friend"]}),
        ("customer.kind", {"kinds": ["member"], "extra": 1}),
        ("customer.age", {}),
        ("customer.age", {"at_least": 20, "at_most": 10}),
        ("customer.birthday", {"days_ahead": 5, "until_days_ahead": 3}),
        ("customer.birthday", {"days_ahead": 0, "until_days_ahead": 200}),
        ("customer.place", {}),
        ("customer.place", {"postal_codes": "12"}),
        ("customer.place", {"postal_codes": "1448-1441"}),
        ("customer.registered", {}),
        ("facts.count", {"kind": "theft"}),
        ("facts.count", {"kind": "loan", "times": -1}),
        ("facts.last", {"kind": "theft", "more_than_days": 3}),
        ("facts.last", {"kind": "loan", "more_than_days": [3], "within_days": 5}),
        ("facts.first", {"kind": "loan", "more_than_days": 3, "within_days": {}}),
        ("consents.allowed", {"purpose": "marketing", "channel": "fax"}),
    ],
)
def test_params_without_meaning_are_refused(code: str, params: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        criteria[code].params.model_validate(params)


@pytest.mark.parametrize(
    ("code", "params"),
    [
        ("customer.branch", {"branches": ["gone"]}),
        ("subscriptions.has", {"types": ["gone"]}),
        ("facts.count", {"kind": "loan", "world": "gone"}),
        ("facts.none", {"kind": "loan", "branch": "gone"}),
    ],
)
def test_what_is_not_there_is_refused_when_a_rule_is_saved(code: str, params: dict[str, Any]) -> None:
    criterion = criteria[code]
    with pytest.raises(Refused, match="gone"):
        criterion.check(criterion.params.model_validate(params))


@pytest.mark.parametrize(
    ("code", "params", "words"),
    [
        ("customer.note", {}, "alleen bewaard sinds"),
        ("customer.note", {"within_days": 30}, ""),
        ("quality.stale", {"years": 3}, "Niet alles"),  # changes by hand are kept for two years
        ("quality.stale", {"years": 1}, ""),
    ],
)
def test_what_is_removed_after_a_time_is_a_gap_before_it(code: str, params: dict[str, Any], words: str) -> None:
    criterion = criteria[code]
    with translation.override("nl"):
        gap = criterion.gap(criterion.params.model_validate(params), now=NOW - dt.timedelta(days=60), present=NOW)
    assert words in gap
    assert bool(gap) == bool(words)


@pytest.mark.parametrize(
    ("code", "params"), [("subscriptions.ends", {"days": 30}), ("subscription.ended_on", {"period": "next_month"})]
)
def test_an_end_date_that_is_known_now_may_not_have_been_known_then(code: str, params: dict[str, Any]) -> None:
    criterion = criteria[code]
    with translation.override("nl"):
        gap = criterion.gap(criterion.params.model_validate(params), now=NOW - dt.timedelta(days=60), present=NOW)
    assert (
        gap
        == "Van een abonnement is alleen de einddatum van nu bewaard: wie later opzegde, had dat toen nog niet gedaan."
    )
