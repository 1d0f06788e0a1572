from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.contrib.auth.models import User
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from common.time import end_of_day, start_of_day
from customers.actions.merging import merge_customers, undo_merge
from customers.models import Customer
from labels.actions import create_group, create_label, give_label, order_labels, refresh_system_labels, take_label
from labels.models import Assignment, Label, LabelGroup
from labels.shifts import NEW, NONE, Moves, Scale, history_of, matrix, moves_of, moves_per_week, scales
from labels.shifts.matrix import customers_in
from selections.compiler import compile_rule
from tests.factories import CustomerFactory
from tests.tries import tries

pytestmark = pytest.mark.django_db

DAY = dt.timedelta(days=1)
MARCH = dt.date(2026, 3, 1)


@pytest.fixture
def group() -> LabelGroup:
    return create_group(name="Ladder", is_exclusive=True)


@pytest.fixture
def low(group: LabelGroup, now: dt.datetime) -> Label:
    return create_label(name="Laag", kind="own", group=group, now=now)


@pytest.fixture
def high(low: Label, group: LabelGroup, now: dt.datetime) -> Label:
    return create_label(name="Hoog", kind="own", group=group, now=now)


def give(label: Label, customer: Customer, at: dt.datetime) -> None:
    give_label(label, Customer.objects.filter(pk=customer.pk), by="Petra", now=at)


def take(label: Label, customer: Customer, at: dt.datetime) -> None:
    take_label(label, Customer.objects.filter(pk=customer.pk), by="Petra", now=at)


def noon(day: int) -> dt.datetime:
    return start_of_day(MARCH + day * DAY) + dt.timedelta(hours=12)


def told(scale: Scale, customer: Customer) -> list[tuple[dt.datetime, int, int]]:
    found = moves_of(scale, [customer.pk], start=noon(-500), end=noon(500))
    return [(move.at, move.was, move.became) for move in reversed(found)]


def test_giving_another_label_of_the_group_is_one_move(low: Label, high: Label) -> None:
    customer = CustomerFactory()
    give(low, customer, noon(1))
    give(high, customer, noon(5))
    take(high, customer, noon(9))
    scale = Scale.of(low.group)  # type: ignore[arg-type]
    assert told(scale, customer) == [(noon(1), 0, 1), (noon(5), 1, 2), (noon(9), 2, 0)]
    came, up, left = reversed(moves_of(scale, [customer.pk], start=noon(0), end=noon(10)))
    assert (came.direction, up.direction, left.direction) == ("in", "up", "out")
    assert (up.how, left.how) == ("hand", "hand")
    assert "Petra" in up.words
    assert "Petra" in left.words


def test_moves_there_and_back_on_one_day_are_kept_apart(low: Label, high: Label) -> None:
    customer = CustomerFactory()
    give(low, customer, noon(1))
    give(high, customer, noon(2))
    give(low, customer, noon(2) + dt.timedelta(hours=1))
    scale = Scale.of(low.group)  # type: ignore[arg-type]
    assert [(was, became) for _at, was, became in told(scale, customer)] == [(0, 1), (1, 2), (2, 1)]
    assert matrix(scale, first=MARCH + DAY, last=MARCH + 2 * DAY).counts == {(1, 1): 1}


def test_a_label_given_and_taken_in_one_moment_is_no_move(low: Label, high: Label) -> None:
    customer = CustomerFactory()
    give(low, customer, noon(1))
    give(high, customer, noon(1))
    scale = Scale.of(low.group)  # type: ignore[arg-type]
    assert told(scale, customer) == [(noon(1), 0, 2)]


def test_rows_tell_who_was_no_customer_yet_from_who_had_none(low: Label, high: Label) -> None:
    known = CustomerFactory(created_at=noon(-10))
    late = CustomerFactory(created_at=noon(3), registered_on=None)
    CustomerFactory(created_at=noon(-10))
    CustomerFactory(created_at=noon(20), registered_on=None)
    CustomerFactory(created_at=noon(20))  # came in with a file, and had been registered for years
    give(low, known, noon(4))
    give(high, late, noon(4))
    scale = Scale.of(low.group)  # type: ignore[arg-type]
    found = matrix(scale, first=MARCH, last=MARCH + 10 * DAY)
    assert found.counts == {(NONE, 1): 1, (NEW, 2): 1, (NONE, NONE): 2}
    assert (found.total, found.of_row(NONE), found.of_column(2), found.going("in")) == (4, 3, 1, 2)
    assert [found.rows, found.columns] == [[NEW, NONE, 1, 2], [NONE, 1, 2]]


def test_the_order_of_the_group_decides_what_is_up(low: Label, high: Label, group: LabelGroup) -> None:
    assert Scale.of(group).direction(1, 2) == "up"
    order_labels(group, [high.code, low.code])
    turned = Scale.of(LabelGroup.objects.get(pk=group.pk))
    assert [label.code for label in turned.labels] == [high.code, low.code]
    assert turned.direction(turned.places[low.code], turned.places[high.code]) == "down"
    Label.objects.update(rank=0)
    assert Scale.of(LabelGroup.objects.get(pk=group.pk)).direction(1, 2) == "aside"


def test_a_matrix_of_a_branch_holds_its_customers_only(low: Label) -> None:
    here, there = CustomerFactory(), CustomerFactory()
    for customer in (here, there):
        give(low, customer, noon(1))
    scale = Scale.of(low.group)  # type: ignore[arg-type]
    only = Customer.objects.filter(pk=here.pk)
    found = matrix(scale, first=MARCH, last=MARCH + 5 * DAY, among=only)
    assert found.total == 1
    assert moves_per_week(scale, start=noon(0), end=noon(5), among=only) == {(0, 1): {dt.date(2026, 3, 2): 1}}


def test_who_may_not_be_used_is_in_no_cell(low: Label) -> None:
    customer = CustomerFactory(restricted_at=noon(0))
    give(low, customer, noon(1))
    scale = Scale.of(low.group)  # type: ignore[arg-type]
    assert matrix(scale, first=MARCH, last=MARCH + 5 * DAY).total == 0
    assert moves_per_week(scale, start=noon(0), end=noon(5)) == {}


def test_the_life_cycle_is_offered_first(group: LabelGroup, low: Label, now: dt.datetime) -> None:
    create_group(name="Empty", is_exclusive=True)
    create_group(name="Many at a time")
    refresh_system_labels(now=now, due_key="first")
    offered = scales()
    assert offered[0].code == "lifecycle"
    assert group in offered
    assert all(one.is_exclusive for one in offered)
    assert [label.code for label in Scale.of(offered[0]).labels] == [
        "lifecycle-visitor", "lifecycle-prospect", "lifecycle-once", "lifecycle-returning", "lifecycle-ambassador",
    ]  # fmt: skip


@given(data=st.data())
@settings(max_examples=tries(16), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_matrix_and_moves_are_those_of_a_plain_fold(data: st.DataObject, low: Label, high: Label) -> None:
    """Of any intervals at all: overlapping, touching, empty, open, as merges and imports may leave them."""
    Assignment.objects.all().delete()
    people = [(-90, None), (2, None), (6, None), (20, noon(4).date()), (9, dt.date(2020, 1, 15))]
    customers = list(Customer.objects.all()) or [
        CustomerFactory(created_at=noon(n), registered_on=registered) for n, registered in people
    ]
    for customer in customers:
        for label in (low, high):
            is_open = True
            for _ in range(data.draw(st.integers(0, 3))):
                since = data.draw(st.integers(0, 12))
                until = data.draw(st.one_of(st.none(), st.integers(since, 14)) if is_open else st.integers(since, 14))
                is_open = is_open and until is not None
                Assignment.objects.create(
                    label=label, customer=customer, since=noon(since), given_by="system",
                    until=None if until is None else noon(until),
                )  # fmt: skip
    scale = Scale.of(low.group)  # type: ignore[arg-type]
    first = data.draw(st.integers(-1, 12))
    last = data.draw(st.integers(first + 1, 15))
    days = {"first": MARCH + first * DAY, "last": MARCH + last * DAY}
    counts: dict[tuple[int, int], int] = {}
    for customer in customers:
        moves = _fold(scale, customer)
        assert told(scale, customer) == moves
        was, became = (_place(moves, end_of_day(day)) for day in days.values())
        known = {
            name: customer.created_at < end_of_day(day)
            or (customer.registered_on is not None and customer.registered_on <= day)
            for name, day in days.items()
        }
        if not was and not known["first"]:
            was = NEW
        if was > 0 or became or known["last"]:
            counts[was, became] = counts.get((was, became), 0) + 1
    found = matrix(scale, **days)
    assert found.counts == counts
    for was in (NEW, *found.columns):
        for became in found.columns:
            there = customers_in(scale, (was, became), **days)
            assert there.count() == found.many(was, became)
            if was != became and (was, became) != (NEW, NONE):
                assert set(compile_rule(_cell_rule(scale, was, became, **days), now=noon(30))) == set(there)
    weeks = moves_per_week(scale, start=noon(-1), end=noon(20))
    assert sum(sum(per.values()) for per in weeks.values()) == sum(len(_fold(scale, one)) for one in customers)


def _cell_rule(scale: Scale, was: int, became: int, *, first: dt.date, last: dt.date) -> dict[str, Any]:
    moved = {
        "label_group": scale.group.code, "compare": "ends", "period": "between",
        "from_labels": [scale.code(was)], "to_labels": [scale.code(became)],
        "since": (first + DAY).isoformat(), "until": last.isoformat(),
    }  # fmt: skip
    return {"version": 2, "op": "all", "children": [{"criterion": "labels.moved", "params": moved}]}


def _fold(scale: Scale, customer: Customer) -> list[tuple[dt.datetime, int, int]]:
    """Return a customer's moves, found by looking at every instant at which anything happens."""
    rows: list[Any] = list(Assignment.objects.filter(customer=customer).values_list("label__code", "since", "until"))
    moves, place = [], 0
    for at in sorted({one for _code, since, until in rows for one in (since, until) if one}):
        here = max(
            (scale.places[code] for code, since, until in rows if since <= at and (until is None or until > at)),
            default=0,
        )
        if here != place:
            moves.append((at, place, here))
        place = here
    return moves


def _place(moves: list[tuple[dt.datetime, int, int]], before: dt.datetime) -> int:
    return next((became for at, _was, became in reversed(moves) if at < before), 0)


def test_the_history_of_a_customer_is_told_per_group(low: Label, high: Label, now: dt.datetime) -> None:
    other = create_label(name="Rood", kind="own", group=create_group(name="Kleur", is_exclusive=True), now=now)
    free = create_label(name="Los", kind="own", now=now)
    customer = CustomerFactory()
    for label, day in ((low, 1), (other, 2), (free, 3), (high, 5)):
        give(label, customer, noon(day))
    take(high, customer, noon(9))
    ladder, colour = history_of(customer)
    assert [(move.scale.label(move.was), move.scale.label(move.became)) for move in ladder] == [
        (high, None), (low, high), (None, low),
    ]  # fmt: skip
    assert [move.direction for move in ladder] == ["out", "up", "in"]
    assert [move.at for move in colour] == [noon(2)]
    assert history_of(CustomerFactory()) == []


def test_merged_customers_have_the_moves_of_one_and_have_their_own_again_after_it_is_undone(
    low: Label, high: Label, marketeer: User
) -> None:
    kept, absorbed = CustomerFactory(created_at=noon(-9)), CustomerFactory(created_at=noon(-9))
    give(low, kept, noon(1))
    give(high, absorbed, noon(4))
    scale = Scale.of(low.group)  # type: ignore[arg-type]
    merge = merge_customers(kept, absorbed, by=marketeer, now=noon(8))
    assert told(scale, kept) == [(noon(1), 0, 1), (noon(4), 1, 2)]
    assert told(scale, absorbed) == []
    assert [(move.at, move.was, move.became) for move in reversed(history_of(kept)[0])] == told(scale, kept)
    assert matrix(scale, first=MARCH + 2 * DAY, last=MARCH + 10 * DAY).counts == {(1, 2): 1}
    undo_merge(merge, by=marketeer, now=noon(12))
    assert told(scale, kept) == [(noon(1), 0, 1)]
    assert told(scale, absorbed) == [(noon(4), 0, 2)]


def test_moves_are_read_in_parts(low: Label, high: Label) -> None:
    customers = [CustomerFactory() for _ in range(3)]
    for day, customer in enumerate(customers):
        give(low, customer, noon(day))
        give(high, customer, noon(day + 10))
    moves = Moves(Scale.of(low.group), start=noon(-1), end=noon(20))  # type: ignore[arg-type]
    assert len(moves) == 6
    assert [move.customer_id for move in moves[:2]] == [customers[2].pk, customers[1].pk]
    assert moves[2].customer_id == customers[0].pk
    assert [move.at for move in moves] == [noon(day) for day in (12, 11, 10, 2, 1, 0)]
    assert len(Moves(moves.scale, start=noon(-1), end=noon(20), became=2)) == 3
