from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from django.contrib.auth.models import User

from common.errors import Refused
from common.time import start_of_day
from customers.actions import record_fact
from customers.models import Customer, Purpose, PurposeChannel
from labels.actions import (
    ask_backfill,
    change_label,
    count_labels,
    create_group,
    create_label,
    end_labels,
    follow_rules,
    give_label,
    refresh_system_labels,
    run_backfills,
    set_rule,
    take_back,
    take_label,
)
from labels.models import Assignment, Backfill, Label, LabelCount
from tests.factories import CustomerFactory, SourceFactory

pytestmark = pytest.mark.django_db

DAY = dt.timedelta(days=1)
BORROWED_LATELY = {
    "criterion": "facts.count",
    "params": {"kind": "loan", "times": 1, "period": "last", "number": 40, "unit": "day"},
}


def borrowed(customer: Customer, at: dt.datetime) -> None:
    SourceFactory(code="library")
    record_fact(customer, kind="loan", occurred_at=at, source_code="library", external_id=f"{customer.pk}-{at}")


def rule(*children: object) -> dict[str, object]:
    return {"version": 2, "op": "all", "children": list(children)}


def instants(label: Label, customer: Customer) -> list[tuple[dt.datetime, dt.datetime | None]]:
    return list(label.assignments.filter(customer=customer).order_by("since").values_list("since", "until"))


def first(month: int) -> dt.datetime:
    return start_of_day(dt.date(2026, month, 1))


@pytest.fixture
def label(now: dt.datetime) -> Label:
    made = create_label(name="Lener", kind="own", now=now)
    return set_rule(made, rule=rule(BORROWED_LATELY), now=now)


@pytest.fixture
def borrower(now: dt.datetime) -> Customer:
    """Borrowed at the end of January, and lately."""
    customer: Customer = CustomerFactory()
    for day in (dt.datetime(2026, 1, 28, 12, tzinfo=dt.UTC), now - 20 * DAY):
        borrowed(customer, day)
    return customer


def run(now: dt.datetime) -> int:
    return run_backfills(clock=lambda: now)


def test_the_history_of_a_rule_is_worked_out_on_the_days_of_a_grid(
    label: Label, borrower: Customer, now: dt.datetime, marketeer: User
) -> None:
    CustomerFactory()
    follow_rules(now=now, due_key="1")
    asked = ask_backfill(label, first_day=dt.date(2026, 1, 1), grid="month", by=marketeer, now=now + DAY)
    assert (asked.state, asked.moment_count, asked.until) == ("waiting", 6, now)
    assert run(now + DAY) == 1
    asked.refresh_from_db()
    assert (asked.state, asked.moments_done, asked.written_count) == ("done", 6, 2)
    # Of the first days of the months: February and March saw January's loan, June that of May, which goes on.
    assert instants(label, borrower) == [(first(2), first(4)), (first(6), None)]
    assert label.assignments.get(until__isnull=False).how_given == "backfill"
    assert Assignment.objects.exclude(customer=borrower).count() == 0


def test_taking_it_back_leaves_all_as_it_was(label: Label, borrower: Customer, now: dt.datetime) -> None:
    follow_rules(now=now, due_key="1")
    before = list(label.assignments.values())
    asked = ask_backfill(label, first_day=dt.date(2026, 1, 1), grid="week", now=now)
    run(now)
    assert list(label.assignments.values()) != before
    assert take_back(asked, now=now) == 2
    assert list(label.assignments.values()) == before
    with pytest.raises(Refused):
        take_back(asked, now=now)


def test_a_label_that_was_never_given_follows_its_rule_first(
    label: Label, borrower: Customer, now: dt.datetime
) -> None:
    ask_backfill(label, first_day=dt.date(2026, 5, 1), grid="week", now=now)
    run(now + DAY)
    assert [until for _since, until in instants(label, borrower)] == [None]
    assert label.rule_runs.get().at == now + DAY


def test_what_is_known_already_stays_as_it_is(label: Label, borrower: Customer, now: dt.datetime) -> None:
    Label.objects.filter(pk=label.pk).update(rule=None)
    hand = Label.objects.get(pk=label.pk)
    one = Customer.objects.filter(pk=borrower.pk)
    give_label(hand, one, by="Petra", now=first(2) + 5 * DAY)
    take_label(hand, one, by="Petra", now=first(3) + 5 * DAY)
    Label.objects.filter(pk=label.pk).update(rule=label.rule)
    follow_rules(now=now, due_key="1")
    ask_backfill(label, first_day=dt.date(2026, 1, 1), grid="month", now=now)
    run(now)
    assert instants(label, borrower) == [
        (first(2), first(2) + 5 * DAY),
        (first(2) + 5 * DAY, first(3) + 5 * DAY),
        (first(3) + 5 * DAY, first(4)),
        (first(6), None),
    ]


def test_labels_of_an_exclusive_group_never_lie_over_each_other(borrower: Customer, now: dt.datetime) -> None:
    group = create_group(name="Fase", is_exclusive=True)
    low = set_rule(create_label(name="Laag", kind="own", group=group, now=now), rule=rule(), now=now)
    high = create_label(name="Hoog", kind="own", group=group, now=now)
    set_rule(high, rule=rule(BORROWED_LATELY), now=now)
    follow_rules(now=now, due_key="1")
    for label in (high, low):
        ask_backfill(label, first_day=dt.date(2026, 1, 1), grid="month", now=now)
    assert run(now) == 2
    assert instants(high, borrower) == [(first(2), first(4)), (first(6), None)]
    assert instants(low, borrower) == [(first(1), first(2)), (first(4), first(6))]


def test_a_part_that_is_not_known_of_the_past_is_named(now: dt.datetime) -> None:
    CustomerFactory()
    member = {"criterion": "customer.kind", "params": {"kinds": ["member"]}}
    label = set_rule(create_label(name="Lid", kind="own", now=now), rule=rule(BORROWED_LATELY, member), now=now)
    with pytest.raises(Refused) as refused:
        ask_backfill(label, first_day=dt.date(2026, 1, 1), grid="month", now=now)
    assert refused.value.code == "not_known_then"
    assert "“lid zijn”" in str(refused.value)
    assert "leenden" not in str(refused.value)
    assert not Backfill.objects.exists()


@pytest.mark.parametrize(
    ("day", "code"),
    [(dt.date(2026, 6, 15), "not_past"), (dt.date(2023, 6, 14), "too_long"), (dt.date(2026, 6, 14), "")],
)
def test_a_history_begins_in_the_past_and_not_too_long_ago(
    label: Label, now: dt.datetime, day: dt.date, code: str
) -> None:
    if not code:
        assert ask_backfill(label, first_day=day, grid="month", now=now).moment_count == 1
        with pytest.raises(Refused) as refused:
            ask_backfill(label, first_day=day, grid="month", now=now)
        assert refused.value.code == "busy"
        return
    with pytest.raises(Refused) as refused:
        ask_backfill(label, first_day=day, grid="month", now=now)
    assert refused.value.code == code


def test_who_objects_to_profiling_now_gets_nothing_about_the_past(
    label: Label, borrower: Customer, now: dt.datetime, profiling: Purpose
) -> None:
    other = CustomerFactory()
    borrowed(other, now - 20 * DAY)
    follow_rules(now=now, due_key="1")
    ask_backfill(label, first_day=dt.date(2026, 1, 1), grid="month", now=now)
    profiling.channels.filter(channel="email").update(basis=PurposeChannel.Basis.CONSENT)
    run(now)
    assert label.assignments.filter(given_how="backfill").count() == 0


def test_one_that_is_stopped_writes_nothing_and_one_that_broke_off_is_done_again(
    label: Label, borrower: Customer, now: dt.datetime
) -> None:
    asked = ask_backfill(label, first_day=dt.date(2026, 1, 1), grid="month", now=now)
    take_back(asked, now=now)
    assert run(now) == 0
    again = ask_backfill(label, first_day=dt.date(2026, 1, 1), grid="month", now=now)
    Backfill.objects.filter(pk=again.pk).update(state="running", beat_at=now)
    assert run(now + dt.timedelta(minutes=10)) == 0
    assert run(now + dt.timedelta(minutes=20)) == 1
    assert label.assignments.count() == 2


def test_a_family_of_system_labels_has_a_history_of_facts(borrower: Customer, now: dt.datetime) -> None:
    run_of_now = refresh_system_labels(now=now, due_key="1")
    label = Label.objects.get(code="borrowing-light")
    asked = ask_backfill(label, first_day=dt.date(2026, 1, 1), grid="month", now=now + DAY)
    assert (asked.label, asked.family, asked.until) == (None, "borrowing", run_of_now.started_at)
    assert run(now + DAY) == 1
    assert instants(label, borrower) == [(first(2), None)]
    take_back(asked, now=now)
    assert instants(label, borrower) == [(now, None)]


def test_a_family_that_looks_at_the_present_has_none(borrower: Customer, now: dt.datetime) -> None:
    refresh_system_labels(now=now, due_key="1")
    label = Label.objects.get(code="household-1")
    with pytest.raises(Refused) as refused:
        ask_backfill(label, first_day=dt.date(2026, 1, 1), grid="month", now=now + DAY)
    assert "Grootte van het huishouden" in str(refused.value)


# --- daily counts ---


def test_daily_counts_are_those_of_the_intervals(now: dt.datetime) -> None:
    one, two, three = CustomerFactory.create_batch(3)
    label = create_label(name="Rood", kind="own", now=now)
    empty = create_label(name="Leeg", kind="own", now=now)

    def only(*customers: Customer) -> object:
        return Customer.objects.filter(pk__in=[customer.pk for customer in customers])

    give_label(label, only(one, two), by="Petra", now=now - 20 * DAY)  # type: ignore[arg-type]
    take_label(label, only(one), by="Petra", now=now - 10 * DAY)  # type: ignore[arg-type]
    give_label(label, only(one, three), by="Petra", now=now - 3 * DAY)  # type: ignore[arg-type]
    count_labels(now=now)
    days = [now.date() - number * DAY for number in range(1, 60)]
    assert dict(label.counts.filter(day__in=days).values_list("day", "holders")) == label.assignments.counts_at(days)
    assert set(empty.counts.values_list("holders", flat=True)) == {0}
    take_label(label, only(two), by="Petra", now=now + DAY / 2)  # type: ignore[arg-type]
    count_labels(now=now + DAY)
    assert label.counts.get(day=now.date()).holders == 2
    before = LabelCount.objects.count()
    count_labels(now=now + DAY)
    assert LabelCount.objects.count() == before


def test_a_label_of_many_is_counted_at_night_and_others_at_once(
    now: dt.datetime, label_of: Callable[[int], Label]
) -> None:
    many, few = label_of(3), label_of(1)
    count_labels(now=now + DAY)
    give_label(many, Customer.objects.all(), by="Petra", now=now + DAY)
    give_label(few, Customer.objects.all(), by="Petra", now=now + DAY)
    LabelCount.objects.filter(label=many).update(holders=30_000)
    assert Assignment.objects.holders([many, few]) == {many.pk: 30_000, few.pk: 4}


@pytest.fixture
def label_of(now: dt.datetime) -> Callable[[int], Label]:
    def make(holders: int) -> Label:
        label = create_label(name=f"{holders} klanten", kind="own", now=now)
        people = CustomerFactory.create_batch(holders)
        give_label(label, Customer.objects.filter(pk__in=[one.pk for one in people]), by="Petra", now=now)
        return label

    return make


def test_histories_are_taken_back_the_last_one_first(label: Label, borrower: Customer, now: dt.datetime) -> None:
    follow_rules(now=now, due_key="1")
    near = ask_backfill(label, first_day=dt.date(2026, 6, 1), grid="week", now=now + DAY)
    run(now + DAY)
    far = ask_backfill(label, first_day=dt.date(2026, 2, 1), grid="month", now=now + DAY)
    run(now + DAY)
    before = instants(label, borrower)
    with pytest.raises(Refused) as refused:
        take_back(near, now=now + DAY)
    assert (refused.value.code, instants(label, borrower)) == ("built_upon", before)
    take_back(far, now=now + DAY)
    take_back(near, now=now + DAY)
    assert instants(label, borrower) == [(now, None)]


def test_a_history_is_taken_back_of_a_label_that_was_over_before_it_began(
    label: Label, borrower: Customer, now: dt.datetime
) -> None:
    follow_rules(now=now, due_key="1")
    asked = ask_backfill(label, first_day=dt.date(2026, 6, 1), grid="week", now=now + DAY)
    run(now + DAY)
    change_label(label, valid_until=dt.date(2026, 6, 5))
    end_labels(now=now + DAY, only=label)
    end = start_of_day(dt.date(2026, 6, 6))
    assert instants(label, borrower) == [(first(6), end)]
    take_back(asked, now=now + DAY)
    assert instants(label, borrower) == [(end, end)]  # as long as nothing, so never there


def test_since_when_a_label_is_known_is_remembered_when_old_runs_are_forgotten(
    label: Label, borrower: Customer, now: dt.datetime
) -> None:
    for number, later in enumerate((0, 10, 500)):
        follow_rules(now=now + later * DAY, due_key=str(number))
    assert list(label.rule_runs.order_by("at").values_list("at", flat=True)) == [now, now + 500 * DAY]
    asked = ask_backfill(label, first_day=dt.date(2026, 1, 1), grid="month", now=now + 500 * DAY)
    assert asked.until == now
