"""The ledger: what holds follows from its rows alone, in Python and in SQL alike."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from common.errors import Refused
from common.sql import as_subquery, rows
from customers.consents import channels_of, judge, record_consent, states_of, verdicts_sql
from customers.models import Channel, Consent, Customer, Purpose, Source
from tests.factories import NOW, ConsentFactory, CustomerFactory, PurposeFactory, SourceFactory, SubscriptionFactory

pytestmark = pytest.mark.django_db
EVERYBODY = "SELECT id FROM customers_customer"


def verdict_of(customer: Customer, purpose: Purpose, channel: str, as_of: dt.datetime = NOW) -> tuple[str, str]:
    candidates = as_subquery(Customer.objects.filter(pk=customer.pk))
    found = rows(verdicts_sql(candidates, purpose=purpose, channel=channel, as_of=as_of), {})
    assert len(found) == 1
    return found[0]["verdict"], found[0]["basis"]


@pytest.fixture
def marketing() -> Purpose:
    return Purpose.objects.get(code="marketing")


@pytest.fixture
def newsletter() -> Purpose:
    return Purpose.objects.get(code="newsletter")


@pytest.fixture
def service() -> Purpose:
    return Purpose.objects.get(code="service")


@pytest.mark.parametrize(
    ("rule", "channel", "state", "kind", "has_paid", "expected"),
    [
        # marketing by e-mail: a yes, or a paying member who did not refuse
        ("marketing", "email", "granted", "prospect", False, ("allowed", "consent")),
        ("marketing", "email", None, "member", True, ("allowed", "customer_relation")),
        ("marketing", "email", None, "member", False, ("no_permission", "")),
        ("marketing", "email", None, "former", True, ("no_permission", "")),
        ("marketing", "email", "withdrawn", "member", True, ("withdrawn", "")),
        ("marketing", "email", "objected", "member", True, ("objection", "")),
        # by post until a no, for those who are or were a customer
        ("marketing", "post", None, "member", False, ("allowed", "legitimate_interest")),
        ("marketing", "post", None, "former", False, ("allowed", "legitimate_interest")),
        ("marketing", "post", None, "prospect", False, ("no_permission", "")),
        ("marketing", "post", "objected", "member", True, ("objection", "")),
        # by phone and SMS only with a yes
        ("marketing", "phone", None, "member", True, ("no_permission", "")),
        ("marketing", "sms", "granted", "member", True, ("allowed", "consent")),
        # opt-in never without a yes
        ("opt_in", "email", None, "member", True, ("no_permission", "")),
        ("opt_in", "email", "granted", "newsletter", False, ("allowed", "consent")),
        ("opt_in", "post", None, "member", True, ("no_permission", "")),
        # service always for members, for others until they refuse, for strangers only with a yes
        ("service", "email", "objected", "member", False, ("allowed", "service")),
        ("service", "email", None, "former", False, ("allowed", "service")),
        ("service", "email", "withdrawn", "former", False, ("withdrawn", "")),
        ("service", "email", None, "newsletter", False, ("allowed", "service")),
        ("service", "email", None, "prospect", False, ("no_permission", "")),
        ("service", "email", "granted", "prospect", False, ("allowed", "consent")),
    ],
)
def test_the_law_in_one_table(
    rule: str, channel: str, state: str | None, kind: str, has_paid: bool, expected: tuple[str, str]
) -> None:
    assert judge(rule=rule, channel=channel, state=state, kind=kind, has_paid=has_paid) == expected
    customer = CustomerFactory(kind=kind)
    purpose = PurposeFactory(code=f"x-{rule}", rule=rule)
    if has_paid:
        SubscriptionFactory(customer=customer)
    if state:
        ConsentFactory(customer=customer, purpose=purpose, channel=channel, state=state)
    assert verdict_of(customer, purpose, channel) == expected


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


MOMENTS = [NOW + dt.timedelta(hours=hour) for hour in range(-3, 4)]
EVENTS = st.lists(
    st.tuples(
        st.sampled_from(["email", "post", "phone"]),
        st.sampled_from(Consent.State.values),
        st.sampled_from(MOMENTS),
    ),
    max_size=8,
)


def fold(events: list[tuple[str, str, dt.datetime]], channel: str, as_of: dt.datetime) -> str | None:
    """Say it once more, in the plainest way: go through the events in order of time, refusals last."""
    state = None
    order = ["granted", "withdrawn", "objected"]
    for _moment, said in sorted((at, order.index(s)) for c, s, at in events if c == channel and at <= as_of):
        state = order[said]
    return state


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    events=EVENTS,
    rule=st.sampled_from(Purpose.Rule.values),
    kind=st.sampled_from(Customer.Kind.values),
    has_paid=st.booleans(),
)
@example(events=[("email", "granted", NOW), ("email", "withdrawn", NOW)], rule="opt_in", kind="member", has_paid=False)
def test_at_every_moment_the_state_is_a_plain_fold_of_the_events(
    db: None, events: list[tuple[str, str, dt.datetime]], rule: str, kind: str, has_paid: bool
) -> None:
    with transaction.atomic():
        customer = CustomerFactory(kind=kind)
        purpose = PurposeFactory(code=f"folded-{rule}", rule=rule)
        source = SourceFactory()
        if has_paid:
            SubscriptionFactory(customer=customer)
        for channel, state, event_at in events:
            Consent.objects.get_or_create(
                customer=customer, purpose=purpose, channel=channel, state=state, event_at=event_at, source=source
            )
        for as_of in [MOMENTS[0] - dt.timedelta(days=1), *MOMENTS]:
            explained = {
                (state.purpose.pk, state.channel.value): (state.verdict, state.basis)
                for state in states_of(customer, now=as_of)
            }
            for channel in ("email", "post", "phone"):
                expected = judge(
                    rule=rule, channel=channel, state=fold(events, channel, as_of), kind=kind, has_paid=has_paid
                )
                assert verdict_of(customer, purpose, channel, as_of) == expected
                if Channel(channel) in channels_of(purpose):
                    assert explained[purpose.pk, channel] == expected
        transaction.set_rollback(True)


def test_states_are_explained_in_words(marketing: Purpose) -> None:
    customer = CustomerFactory()
    ConsentFactory(customer=customer, purpose=marketing, state="objected", event_at=NOW)
    state = next(
        state for state in states_of(customer, now=NOW) if state.purpose == marketing and state.channel == "email"
    )
    assert not state.is_allowed
    assert state.explanation == "Niet toegestaan: maakte bezwaar op 15 juni 2026 via Bibliotheeksysteem."


def test_a_member_who_refuses_service_reads_why_it_still_comes(service: Purpose) -> None:
    customer = CustomerFactory()
    ConsentFactory(customer=customer, purpose=service, state="objected")
    state = next(state for state in states_of(customer, now=NOW) if state.purpose == service)
    assert state.is_allowed
    assert "ook na een weigering" in state.explanation


def test_states_take_three_queries_however_long_the_ledger_is(
    marketing: Purpose, django_assert_num_queries: Any
) -> None:
    customer = CustomerFactory()
    for day in range(50):
        ConsentFactory(customer=customer, purpose=marketing, event_at=NOW - dt.timedelta(days=day))
    with django_assert_num_queries(3):
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
