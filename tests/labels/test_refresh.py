from __future__ import annotations

import datetime as dt
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, connections
from hypothesis import HealthCheck, given
from hypothesis import settings as limits
from hypothesis import strategies as st

from common.sql import rows
from customers.actions.purposes import change_channel
from customers.consents import default_channels
from customers.models import Customer, Fact, Purpose
from labels.actions import (
    create_label,
    ensure_system_labels,
    give_label,
    refresh_system_labels,
    take_profiling_labels,
)
from labels.models import Assignment, Label, LabelGroup, RefreshRun
from labels.profiling import unprofiled_sql
from labels.system import families
from labels.tasks import refresh_system_labels_nightly
from tests.factories import (
    NOW,
    ConsentFactory,
    CustomerFactory,
    FactFactory,
    HouseholdFactory,
    WorldFactory,
)
from tests.tries import tries

DAY = dt.timedelta(days=1)


def borrow(customer: Customer, count: int, *, at: dt.datetime = NOW - DAY) -> Fact:
    fact: Fact = FactFactory(customer=customer, quantity=count, occurred_at=at, world="reizen")
    return fact


def open_codes(customer: Customer) -> set[str]:
    return set(customer.label_assignments.open().values_list("label__code", flat=True))


@pytest.mark.django_db
def test_a_second_run_at_the_same_moment_changes_nothing() -> None:
    WorldFactory(code="reizen")
    borrow(CustomerFactory(household=HouseholdFactory()), 10)
    first = refresh_system_labels(now=NOW, due_key="1")
    before = list(Assignment.objects.order_by("id").values_list())
    second = refresh_system_labels(now=NOW, due_key="2")
    assert first.given_count == len(before) > 3
    assert (second.given_count, second.taken_count, second.is_stale) == (0, 0, False)
    assert list(Assignment.objects.order_by("id").values_list()) == before


@pytest.mark.django_db
def test_only_what_differs_is_closed_and_opened() -> None:
    changing, same = CustomerFactory.create_batch(2)
    borrow(changing, 3)
    borrow(same, 3)
    refresh_system_labels(now=NOW, due_key="1")
    borrow(changing, 30)
    run = refresh_system_labels(now=NOW + DAY, due_key="2")
    light = Assignment.objects.get(customer=changing, label__code="borrowing-light")
    heavy = Assignment.objects.get(customer=changing, label__code="borrowing-heavy")
    assert (light.since, light.until, light.taken_by) == (NOW, NOW + DAY, "system")
    assert (heavy.since, heavy.until, heavy.given_by) == (NOW + DAY, None, "system")
    unchanged = Assignment.objects.get(customer=same, label__code="borrowing-light")
    assert (unchanged.since, unchanged.until) == (NOW, None)
    gone = Assignment.objects.filter(until=NOW + DAY).count()
    new = Assignment.objects.filter(since=NOW + DAY).count()
    assert (run.given_count, run.taken_count) == (new, gone)


@pytest.mark.django_db
def test_a_due_key_is_worked_off_once() -> None:
    customer = CustomerFactory()
    first = refresh_system_labels(now=NOW, due_key="nightly 2026-06-15")
    borrow(customer, 10)
    again = refresh_system_labels(now=NOW + DAY, due_key="nightly 2026-06-15")
    assert again == first
    assert open_codes(customer) >= {"borrowing-none"}
    assert RefreshRun.objects.count() == 1


@pytest.mark.django_db
def test_a_late_run_for_an_earlier_moment_changes_nothing() -> None:
    customer = CustomerFactory()
    borrow(customer, 10)
    refresh_system_labels(now=NOW, due_key="today")
    before = list(Assignment.objects.values_list())
    late = refresh_system_labels(now=NOW - 300 * DAY, due_key="long ago")
    assert (late.is_stale, late.given_count, late.taken_count) == (True, 0, 0)
    assert list(Assignment.objects.values_list()) == before
    assert refresh_system_labels(now=NOW + DAY, due_key="tomorrow").is_stale is False


@pytest.mark.django_db
def test_labels_of_other_kinds_are_left_alone() -> None:
    CustomerFactory()
    own = create_label(name="Eigen", kind="own", now=NOW)
    give_label(own, Customer.objects.all(), by="Petra", now=NOW)
    refresh_system_labels(now=NOW, due_key="1")
    refresh_system_labels(now=NOW + DAY, due_key="2")
    assert own.assignments.open().count() == 1


@pytest.mark.django_db
def test_a_world_that_comes_gets_its_labels_and_one_that_goes_rests() -> None:
    customer = CustomerFactory()
    world = WorldFactory(code="reizen", name="Reizen")
    borrow(customer, 10)
    refresh_system_labels(now=NOW, due_key="1")
    assert "world-1-reizen" in open_codes(customer)
    world.delete()
    refresh_system_labels(now=NOW + DAY, due_key="2")
    assert "world-1-reizen" not in open_codes(customer)
    assert set(Label.objects.filter(is_active=False).values_list("code", flat=True)) == {
        "world-1-reizen",
        "world-2-reizen",
        "world-3-reizen",
        "ticket-world-reizen",
    }
    WorldFactory(code="reizen", name="Op reis")
    refresh_system_labels(now=NOW + 2 * DAY, due_key="3")
    assert "world-1-reizen" in open_codes(customer)
    assert Label.objects.get(code="world-1-reizen").name == "Primaire wereld: Op reis"


@pytest.mark.django_db
def test_making_the_system_labels_twice_writes_no_history() -> None:
    WorldFactory(code="reizen")
    ensure_system_labels(now=NOW)
    events = Label._meta.get_field("events").related_model.objects  # type: ignore[union-attr]
    before = events.count()
    ensure_system_labels(now=NOW + DAY)
    assert events.count() == before == Label.objects.count()
    groups = set(LabelGroup.objects.values_list("code", flat=True))
    assert groups == {code for family in families for code in family.all_groups}


def test_who_refuses_profiling_gets_no_labels_of_behaviour(profiling: Purpose) -> None:
    states = ("granted", "withdrawn", "objected", None)
    people = {}
    for state in states:
        people[state] = CustomerFactory(household=HouseholdFactory())
        borrow(people[state], 10)
        if state:
            ConsentFactory(customer=people[state], purpose=profiling, state=state)
    refresh_system_labels(now=NOW, due_key="1")
    for state in ("granted", None):
        assert open_codes(people[state]) >= {"borrowing-average", "household-1"}
    for state in ("withdrawn", "objected"):
        assert open_codes(people[state]) == {"household-1", "address-alone"}
    assert len(rows(unprofiled_sql(now=NOW), {})) == 2


def test_silence_is_no_yes_where_a_yes_is_needed(profiling: Purpose) -> None:
    change_channel(profiling, "email", basis="consent", by=None, now=NOW)
    said_yes, said_no, silent = CustomerFactory.create_batch(3)
    for customer in (said_yes, said_no, silent):
        borrow(customer, 10)
    ConsentFactory(customer=said_yes, purpose=profiling)
    ConsentFactory(customer=said_no, purpose=profiling, state="withdrawn")
    refresh_system_labels(now=NOW, due_key="1")
    assert ["borrowing-average" in open_codes(c) for c in (said_yes, said_no, silent)] == [True, False, False]
    assert len(rows(unprofiled_sql(now=NOW), {})) == 2


def test_an_organisation_starts_with_needing_a_yes() -> None:
    channels = default_channels(code="profiling", rule="opt_in")
    assert {channel: fields["basis"] for channel, fields in channels.items()} == {"email": "consent"}


def test_nobody_is_profiled_whose_data_are_restricted_or_who_died(profiling: Purpose) -> None:
    restricted, deceased = CustomerFactory(restricted_at=NOW - DAY), CustomerFactory(deceased_on=NOW.date())
    for customer in (restricted, deceased):
        borrow(customer, 10)
        ConsentFactory(customer=customer, purpose=profiling)
    refresh_system_labels(now=NOW, due_key="1")
    assert not {"borrowing-average"} & (open_codes(restricted) | open_codes(deceased))


def test_the_latest_word_on_profiling_counts_and_at_a_tie_the_refusal(profiling: Purpose) -> None:
    back, away, tied, later = CustomerFactory.create_batch(4)
    for customer, states in (
        (back, [("objected", 20), ("granted", 10)]),
        (away, [("granted", 20), ("objected", 10)]),
        (tied, [("granted", 10), ("withdrawn", 10)]),
        (later, [("objected", -1)]),
    ):
        borrow(customer, 10)
        for state, days in states:
            ConsentFactory(customer=customer, purpose=profiling, state=state, event_at=NOW - days * DAY)
    refresh_system_labels(now=NOW, due_key="1")
    assert ["borrowing-average" in open_codes(c) for c in (back, away, tied, later)] == [True, False, False, True]


def test_the_latest_word_counts_whatever_channel_it_was_said_over(profiling: Purpose) -> None:
    away, back = CustomerFactory.create_batch(2)
    for customer, states in ((away, ("granted", "objected")), (back, ("objected", "granted"))):
        borrow(customer, 10)
        ConsentFactory(customer=customer, purpose=profiling, channel="email", state=states[0])
        ConsentFactory(customer=customer, purpose=profiling, channel="post", state=states[1], event_at=NOW - DAY)
    refresh_system_labels(now=NOW, due_key="1")
    assert ["borrowing-average" in open_codes(customer) for customer in (away, back)] == [False, True]


def test_who_objects_loses_those_labels_and_at_once_when_asked(profiling: Purpose) -> None:
    customer, other = (CustomerFactory(household=HouseholdFactory()) for _n in range(2))
    borrow(customer, 10)
    borrow(other, 10)
    refresh_system_labels(now=NOW, due_key="1")
    ConsentFactory(customer=customer, purpose=profiling, state="objected", event_at=NOW)
    before = open_codes(other)
    assert before == open_codes(customer) > {"household-1", "address-alone"}
    assert take_profiling_labels(customer, now=NOW) == len(before) - 2
    assert open_codes(customer) == {"household-1", "address-alone"}
    assert open_codes(other) == before
    assert refresh_system_labels(now=NOW + DAY, due_key="2").given_count == 0


# Each run in its own transaction, as at night: the tables that one makes and drops slow down what follows in the same.
@pytest.mark.django_db(transaction=True)
@limits(max_examples=tries(6), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=st.lists(st.tuples(st.integers(0, 4), st.integers(0, 30), st.integers(0, 500)), min_size=1, max_size=12))
def test_runs_day_after_day_end_where_one_run_would(changes: list[tuple[int, int, int]]) -> None:
    WorldFactory(code="reizen")
    people = [CustomerFactory() for _n in range(5)]
    RefreshRun.objects.all().delete()
    Assignment.objects.all().delete()
    for day, (who, count, age) in enumerate(changes):
        borrow(people[who], count, at=NOW - age * DAY)
        refresh_system_labels(now=NOW + day * DAY, due_key=f"{day}")
    step_by_step = set(Assignment.objects.open().values_list("customer", "label__code"))
    overlaps = [
        (a.pk, b.pk)
        for a in Assignment.objects.all()
        for b in Assignment.objects.filter(label=a.label, customer=a.customer, pk__gt=a.pk)
        if a.until is None or b.since < a.until
    ]
    assert overlaps == []
    Assignment.objects.all().delete()
    RefreshRun.objects.all().delete()
    refresh_system_labels(now=NOW + (len(changes) - 1) * DAY, due_key="all at once")
    assert set(Assignment.objects.open().values_list("customer", "label__code")) == step_by_step


@pytest.mark.django_db(transaction=True)
def test_two_schedulers_at_once_write_every_label_once() -> None:
    borrow(CustomerFactory(), 10)

    def run(key: str) -> int:
        try:
            return refresh_system_labels(now=NOW, due_key=key).given_count
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        given_counts = list(pool.map(run, ["nightly", "nightly", "nightly", "by hand"]))
    assert RefreshRun.objects.count() == 2
    assert sorted(set(given_counts)) in ([0, Assignment.objects.count()], [Assignment.objects.count()])
    assert Assignment.objects.open().filter(label__code="borrowing-average").count() == 1
    left_behind = [name for name in connection.introspection.table_names() if name.startswith("label_")]
    assert left_behind == []


@pytest.mark.django_db
def test_the_nightly_task_runs_once_a_day() -> None:
    CustomerFactory()
    refresh_system_labels_nightly()
    refresh_system_labels_nightly()
    run = RefreshRun.objects.get()
    assert run.due_key.startswith("nightly 20")
    assert run.given_count == Assignment.objects.count() > 0
