"""The ledger: what holds follows from its rows alone, in Python and in SQL alike."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from common.errors import Refused
from common.sql import as_subquery, rows
from customers.consents import State, default_channels, judge, record_consent, states_of, verdicts_sql
from customers.models import Consent, Customer, Guardianship, Purpose, PurposeChannel, Source
from tests.factories import NOW, ConsentFactory, CustomerFactory, PurposeFactory, SourceFactory, SubscriptionFactory

pytestmark = pytest.mark.django_db
EVERYBODY = "SELECT id FROM customers_customer"


def verdict_of(customer: Customer, purpose: Purpose, channel: str, as_of: dt.datetime = NOW) -> tuple[str, str]:
    candidates = as_subquery(Customer.objects.filter(pk=customer.pk))
    found = rows(verdicts_sql(candidates, purpose=purpose, channel=channel, as_of=as_of), {})
    assert len(found) == 1
    return found[0]["verdict"], found[0]["basis"]


def state_of(customer: Customer, purpose: Purpose, now: dt.datetime = NOW) -> State:
    states = states_of(customer, now=now)
    return next(state for state in states if state.purpose == purpose and state.channel == "email")


def purpose_with(basis: str) -> Purpose:
    purpose: Purpose = PurposeFactory(code=f"x-{basis}")
    purpose.channels.filter(channel="email").update(basis=basis)
    return purpose


@pytest.fixture
def marketing() -> Purpose:
    return Purpose.objects.get(code="marketing")


@pytest.fixture
def newsletter() -> Purpose:
    return Purpose.objects.get(code="newsletter")


@pytest.fixture
def service() -> Purpose:
    return Purpose.objects.get(code="service")


LAW = [
    # the customer relation: a yes, or a paying member who did not refuse
    ("customer_relation", "granted", "prospect", False, ("allowed", "consent")),
    ("customer_relation", None, "member", True, ("allowed", "customer_relation")),
    ("customer_relation", None, "member", False, ("no_permission", "")),
    ("customer_relation", None, "former", True, ("no_permission", "")),
    ("customer_relation", "withdrawn", "member", True, ("withdrawn", "")),
    ("customer_relation", "objected", "member", True, ("objection", "")),
    # legitimate interest until a no, for those who are or were a customer
    ("legitimate_interest", None, "member", False, ("allowed", "legitimate_interest")),
    ("legitimate_interest", None, "former", False, ("allowed", "legitimate_interest")),
    ("legitimate_interest", None, "prospect", False, ("no_permission", "")),
    ("legitimate_interest", "objected", "member", True, ("objection", "")),
    # consent never without a yes
    ("consent", None, "member", True, ("no_permission", "")),
    ("consent", "granted", "member", True, ("allowed", "consent")),
    ("consent", "granted", "newsletter", False, ("allowed", "consent")),
    ("consent", "withdrawn", "member", True, ("withdrawn", "")),
    # service always for members, for others until they refuse, for strangers only with a yes
    ("service", "objected", "member", False, ("allowed", "service")),
    ("service", None, "former", False, ("allowed", "service")),
    ("service", "withdrawn", "former", False, ("withdrawn", "")),
    ("service", None, "newsletter", False, ("allowed", "service")),
    ("service", None, "prospect", False, ("no_permission", "")),
    ("service", "granted", "prospect", False, ("allowed", "consent")),
    # a channel that is not used reaches nobody, whatever was said
    ("none", "granted", "member", True, ("no_permission", "")),
    ("none", None, "member", True, ("no_permission", "")),
    ("none", "objected", "member", True, ("objection", "")),
]


@pytest.mark.parametrize(("basis", "state", "kind", "has_paid", "expected"), LAW)
def test_the_law_in_one_table(
    basis: str, state: str | None, kind: str, has_paid: bool, expected: tuple[str, str]
) -> None:
    assert judge(basis=basis, state=state, kind=kind, has_paid=has_paid) == expected
    customer = CustomerFactory(kind=kind)
    purpose = purpose_with(basis)
    if has_paid:
        SubscriptionFactory(customer=customer)
    if state:
        ConsentFactory(customer=customer, purpose=purpose, channel="email", state=state)
    assert verdict_of(customer, purpose, "email") == expected
    if basis != "none" or state:  # what is not used and was never asked for is not shown
        shown = state_of(customer, purpose)
        assert (shown.verdict, shown.basis) == expected


@pytest.mark.parametrize("missing", ["same_entity", "was_informed", "could_refuse", "own_similar"])
def test_the_customer_relation_needs_each_of_its_conditions(marketing: Purpose, missing: str) -> None:
    customer = CustomerFactory()
    SubscriptionFactory(customer=customer)
    assert verdict_of(customer, marketing, "email") == ("allowed", "customer_relation")
    marketing.channels.filter(channel="email").update(**{missing: False})
    assert verdict_of(customer, marketing, "email") == ("no_permission", "")
    assert not state_of(customer, marketing).is_allowed


def test_a_new_installation_has_not_confirmed_the_customer_relation() -> None:
    fields = default_channels(code="marketing", rule="marketing")["email"]
    row = PurposeChannel(**fields)
    assert (row.basis, row.is_confirmed) == ("customer_relation", False)


def test_a_channel_without_a_row_needs_a_yes(marketing: Purpose) -> None:
    customer = CustomerFactory()
    SubscriptionFactory(customer=customer)
    marketing.channels.all().delete()
    assert verdict_of(customer, marketing, "email") == ("no_permission", "")
    ConsentFactory(customer=customer, purpose=marketing)
    assert verdict_of(customer, marketing, "email") == ("allowed", "consent")


# --- who died, whose data are restricted, who is a child, who is somebody else ---


def test_who_died_is_not_reached_from_that_day_on(service: Purpose) -> None:
    customer = CustomerFactory(deceased_on=NOW.date())
    assert verdict_of(customer, service, "email") == ("deceased", "")
    assert verdict_of(customer, service, "email", NOW - dt.timedelta(days=1)) == ("allowed", "service")
    assert "overleden" in state_of(customer, service).explanation


def test_restricted_data_are_not_used_for_anything(service: Purpose, marketing: Purpose) -> None:
    customer = CustomerFactory(restricted_at=NOW)
    ConsentFactory(customer=customer, purpose=marketing)
    for purpose in (service, marketing):
        assert verdict_of(customer, purpose, "email") == ("restricted", "")
        assert state_of(customer, purpose).verdict == "restricted"
    assert verdict_of(customer, marketing, "email", NOW - dt.timedelta(seconds=1)) == ("allowed", "consent")


@pytest.fixture
def child() -> Customer:
    """Somebody of 12."""
    made: Customer = CustomerFactory(birth_date=dt.date(2014, 3, 1))
    return made


@pytest.fixture
def parent(child: Customer) -> Customer:
    made: Customer = CustomerFactory(first_name="Jan", last_name="Jansen")
    Guardianship.objects.create(child=child, guardian=made, source=SourceFactory(), created_at=NOW)
    return made


def yes(customer: Customer, purpose: Purpose, **fields: Any) -> Consent:
    told = {"channel": "email", "state": "granted", "source_code": "mijnmenu", "actor": "customer", "event_at": NOW}
    return record_consent(customer, purpose=purpose, **{**told, **fields})


def test_a_child_cannot_say_yes_itself(child: Customer, newsletter: Purpose) -> None:
    with pytest.raises(Refused, match="ouder") as refused:
        yes(child, newsletter)
    assert refused.value.code == "needs_guardian"
    assert not Consent.objects.exists()


def test_a_child_can_say_no_itself(child: Customer, newsletter: Purpose) -> None:
    assert yes(child, newsletter, state="withdrawn").guardian_id is None


def test_paper_and_service_ask_for_no_parent(child: Customer, marketing: Purpose, service: Purpose) -> None:
    yes(child, marketing, channel="post")
    yes(child, service)
    assert verdict_of(child, marketing, "post")[0] == verdict_of(child, service, "email")[0] == "allowed"


def test_a_parent_says_yes_for_a_child(child: Customer, parent: Customer, newsletter: Purpose) -> None:
    assert yes(child, newsletter, guardian=parent).guardian_id == parent.pk
    assert verdict_of(child, newsletter, "email") == ("allowed", "consent")
    state = state_of(child, newsletter)
    assert state.guardian == parent
    assert state.asks_guardian
    assert state.explanation.endswith("Jan Jansen antwoordde als ouder of verzorger.")


def test_who_is_no_parent_of_the_child_cannot_answer_for_it(child: Customer, newsletter: Purpose) -> None:
    with pytest.raises(Refused) as refused:
        yes(child, newsletter, guardian=CustomerFactory())
    assert refused.value.code == "not_guardian"


def test_a_parents_yes_stands_after_the_sixteenth_birthday(
    child: Customer, parent: Customer, newsletter: Purpose
) -> None:
    yes(child, newsletter, guardian=parent)
    grown = dt.datetime(2030, 3, 1, 12, tzinfo=dt.UTC)
    assert verdict_of(child, newsletter, "email", grown) == ("allowed", "consent")
    state = state_of(child, newsletter, grown)
    assert not state.asks_guardian
    assert "die nu 16 of ouder is" in state.explanation
    yes(child, newsletter, state="withdrawn", event_at=grown)
    assert verdict_of(child, newsletter, "email", grown) == ("withdrawn", "")


def test_a_yes_of_a_child_that_came_in_otherwise_does_not_count(child: Customer, newsletter: Purpose) -> None:
    ConsentFactory(customer=child, purpose=newsletter, event_at=NOW - dt.timedelta(days=3))
    assert verdict_of(child, newsletter, "email") == ("under_age", "")
    assert state_of(child, newsletter).verdict == "under_age"
    grown = dt.datetime(2031, 1, 1, tzinfo=dt.UTC)
    assert verdict_of(child, newsletter, "email", grown) == ("under_age", "")
    ConsentFactory(customer=child, purpose=newsletter, event_at=grown)
    assert verdict_of(child, newsletter, "email", grown) == ("allowed", "consent")


def test_a_yes_of_a_child_does_not_undo_what_a_parent_said(
    child: Customer, parent: Customer, newsletter: Purpose
) -> None:
    yes(child, newsletter, guardian=parent, state="withdrawn", event_at=NOW - dt.timedelta(days=1))
    ConsentFactory(customer=child, purpose=newsletter, event_at=NOW)
    assert verdict_of(child, newsletter, "email") == ("withdrawn", "")
    assert state_of(child, newsletter).verdict == "withdrawn"


def test_at_half_past_midnight_on_the_birthday_somebody_is_sixteen(newsletter: Purpose) -> None:
    night = dt.datetime(2026, 6, 14, 22, 30, tzinfo=dt.UTC)  # the 15th in Amsterdam
    born_today, born_tomorrow = (CustomerFactory(birth_date=dt.date(2010, 6, day)) for day in (15, 16))
    for customer, verdict in ((born_today, "allowed"), (born_tomorrow, "under_age")):
        ConsentFactory(customer=customer, purpose=newsletter, event_at=night)
        assert verdict_of(customer, newsletter, "email")[0] == state_of(customer, newsletter).verdict == verdict


def test_what_somebody_says_who_was_merged_is_said_by_whom_was_kept(newsletter: Purpose) -> None:
    kept = CustomerFactory()
    between = CustomerFactory(merged_into=kept)
    assert yes(CustomerFactory(merged_into=between), newsletter).customer == kept
    assert verdict_of(kept, newsletter, "email") == ("allowed", "consent")


def test_profiling_counts_whatever_channel_it_was_said_over() -> None:
    customer, profiling = CustomerFactory(), Purpose.objects.get(code="profiling")
    ConsentFactory(customer=customer, purpose=profiling)
    ConsentFactory(customer=customer, purpose=profiling, channel="post", state="objected", event_at=NOW)
    assert verdict_of(customer, profiling, "email") == ("objection", "")
    [state] = [state for state in states_of(customer, now=NOW) if state.purpose == profiling]
    assert (state.channel, state.verdict) == ("email", "objection")


# --- answers that were taken back ---


def test_a_retracted_answer_was_never_said(marketing: Purpose) -> None:
    customer, day = CustomerFactory(), dt.timedelta(days=1)
    ConsentFactory(customer=customer, purpose=marketing, event_at=NOW - 3 * day)
    no = ConsentFactory(customer=customer, purpose=marketing, state="withdrawn", event_at=NOW - 2 * day)
    ConsentFactory(customer=customer, purpose=marketing, state="retracted", retracts=no, event_at=NOW)
    assert verdict_of(customer, marketing, "email", NOW - day) == ("withdrawn", "")
    assert verdict_of(customer, marketing, "email") == ("allowed", "consent")
    assert state_of(customer, marketing).consent.event_at == NOW - 3 * day


def test_after_the_last_answer_was_retracted_the_ground_of_the_channel_holds_again(marketing: Purpose) -> None:
    customer = CustomerFactory()
    SubscriptionFactory(customer=customer)
    no = ConsentFactory(customer=customer, purpose=marketing, state="objected")
    ConsentFactory(customer=customer, purpose=marketing, state="retracted", retracts=no, event_at=NOW)
    assert verdict_of(customer, marketing, "email") == ("allowed", "customer_relation")


def test_two_answers_can_be_retracted_at_one_moment(marketing: Purpose) -> None:
    customer = CustomerFactory()
    for days in (1, 2):
        said = ConsentFactory(customer=customer, purpose=marketing, event_at=NOW - dt.timedelta(days=days))
        ConsentFactory(customer=customer, purpose=marketing, state="retracted", retracts=said, event_at=NOW)
    assert verdict_of(customer, marketing, "email", NOW + dt.timedelta(seconds=1)) == ("no_permission", "")


@pytest.mark.parametrize("other", [{"channel": "post"}, {"customer": None}, {"purpose": None}, {"retracts": None}])
def test_a_retraction_takes_back_an_answer_of_the_same_customer_purpose_and_channel(
    marketing: Purpose, newsletter: Purpose, other: dict[str, Any]
) -> None:
    said = ConsentFactory(purpose=marketing)
    told = {"customer": said.customer, "purpose": marketing, "channel": "email", "retracts": said} | other
    told["customer"] = told["customer"] or CustomerFactory()
    told["purpose"] = told["purpose"] or newsletter
    with pytest.raises(IntegrityError), transaction.atomic():
        ConsentFactory(state="retracted", event_at=NOW, **told)


def test_a_retraction_cannot_be_retracted(marketing: Purpose) -> None:
    said = ConsentFactory(purpose=marketing)
    back = ConsentFactory(customer=said.customer, purpose=marketing, state="retracted", retracts=said, event_at=NOW)
    with pytest.raises(IntegrityError), transaction.atomic():
        ConsentFactory(customer=said.customer, purpose=marketing, state="retracted", retracts=back, event_at=NOW)


# --- time, channels, words ---


def test_a_free_subscription_makes_no_customer_relation(marketing: Purpose) -> None:
    customer = CustomerFactory()
    SubscriptionFactory(customer=customer, price_cents=0, payment_method="free")
    assert verdict_of(customer, marketing, "email") == ("no_permission", "")


def test_a_paid_subscription_counts_on_its_last_day_and_not_after(marketing: Purpose) -> None:
    customer = CustomerFactory()
    SubscriptionFactory(customer=customer, ended_on=NOW.date())
    assert verdict_of(customer, marketing, "email")[0] == "allowed"
    # half past midnight in Amsterdam is still the day before in UTC
    night = dt.datetime(2026, 6, 15, 22, 30, tzinfo=dt.UTC)
    assert verdict_of(customer, marketing, "email", night)[0] == "no_permission"


def test_at_a_tie_the_refusal_counts(marketing: Purpose) -> None:
    customer = CustomerFactory()
    for state in ("granted", "withdrawn"):
        ConsentFactory(customer=customer, purpose=marketing, state=state, event_at=NOW)
    assert verdict_of(customer, marketing, "email") == ("withdrawn", "")


def test_an_older_yes_that_arrives_later_changes_nothing(marketing: Purpose) -> None:
    customer = CustomerFactory()
    ConsentFactory(customer=customer, purpose=marketing, state="objected", event_at=NOW)
    ConsentFactory(customer=customer, purpose=marketing, state="granted", event_at=NOW - dt.timedelta(days=1))
    assert verdict_of(customer, marketing, "email") == ("objection", "")


def test_one_channel_says_nothing_about_another(marketing: Purpose) -> None:
    customer = CustomerFactory()
    ConsentFactory(customer=customer, purpose=marketing, channel="post", state="objected")
    SubscriptionFactory(customer=customer)
    assert verdict_of(customer, marketing, "email") == ("allowed", "customer_relation")
    assert verdict_of(customer, marketing, "post") == ("objection", "")


def test_percent_signs_in_candidates_survive(marketing: Purpose) -> None:
    customer = CustomerFactory(last_name="100% Jansen")
    candidates = as_subquery(Customer.objects.filter(last_name__contains="0% J"))
    found = rows(verdicts_sql(candidates, purpose=marketing, channel="email", as_of=NOW), {})
    assert [row["customer_id"] for row in found] == [customer.pk]


def test_a_channel_that_does_not_exist_is_an_error(marketing: Purpose) -> None:
    with pytest.raises(ValueError, match="fax"):
        verdicts_sql(EVERYBODY, purpose=marketing, channel="fax", as_of=NOW)


def test_states_are_explained_in_words(marketing: Purpose) -> None:
    customer = CustomerFactory()
    ConsentFactory(customer=customer, purpose=marketing, state="objected", event_at=NOW)
    state = next(
        state for state in states_of(customer, now=NOW) if state.purpose == marketing and state.channel == "email"
    )
    assert not state.is_allowed
    said = "Niet toegestaan: maakte bezwaar op 15 juni 2026 via Bibliotheeksysteem. Tekst: versie 2024-3."
    assert state.explanation == said


def test_a_member_who_refuses_service_reads_why_it_still_comes(service: Purpose) -> None:
    customer = CustomerFactory()
    ConsentFactory(customer=customer, purpose=service, state="objected")
    state = next(state for state in states_of(customer, now=NOW) if state.purpose == service)
    assert state.is_allowed
    assert "ook na een weigering" in state.explanation


def test_states_take_four_queries_however_long_the_ledger_is(
    marketing: Purpose, django_assert_num_queries: Any
) -> None:
    customer = CustomerFactory()
    for day in range(50):
        ConsentFactory(customer=customer, purpose=marketing, event_at=NOW - dt.timedelta(days=day))
    with django_assert_num_queries(4):
        states_of(customer, now=NOW)


def test_a_channel_with_a_history_is_shown_though_it_is_not_asked_for(newsletter: Purpose) -> None:
    customer = CustomerFactory()
    ConsentFactory(customer=customer, purpose=newsletter, channel="sms", state="withdrawn")
    shown = {state.channel for state in states_of(customer, now=NOW) if state.purpose == newsletter}
    assert shown == {"email", "sms"}


def test_the_same_event_told_twice_is_one_row(marketing: Purpose) -> None:
    customer = CustomerFactory()
    told: dict[str, Any] = {
        "purpose": marketing, "channel": "email", "state": "granted", "source_code": "counter",
        "actor": "balie1", "event_at": NOW, "wording_version": "2026-1", "evidence": {"formulier": "12"},
    }  # fmt: skip
    first = record_consent(customer, **told)
    assert record_consent(customer, **told) == first
    assert Consent.objects.count() == 1
    assert first.evidence == {"formulier": "12"}
    assert first.source.code == "counter"


@pytest.mark.parametrize("wrong", [{"channel": "fax"}, {"state": "perhaps"}, {"source_code": "gossip"}])
def test_a_consent_without_meaning_is_refused(marketing: Purpose, wrong: dict[str, str]) -> None:
    told = {"channel": "email", "state": "granted", "source_code": "counter"} | wrong
    with pytest.raises(Refused):
        record_consent(CustomerFactory(), purpose=marketing, actor="x", event_at=NOW, **told)
    assert not Consent.objects.exists()


def test_the_database_refuses_to_change_or_delete_a_consent() -> None:
    consent = ConsentFactory()
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        Consent.objects.filter(pk=consent.pk).update(state="withdrawn")
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        consent.delete()
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        consent.customer.delete()
    assert Consent.objects.get().state == "granted"


def test_erasing_a_person_takes_the_ledger_along() -> None:
    consent = ConsentFactory()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL wise.erasing = 'on'")
        consent.customer.delete()
    assert not Consent.objects.exists()
    assert Source.objects.filter(code="library").exists()
