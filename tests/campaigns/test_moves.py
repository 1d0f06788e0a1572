"""The trigger on a shift: each move sets it off once, and only moves that say something of the customer."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import translation

from campaigns.actions import advance, candidates_of, create_trigger, run_trigger_today
from campaigns.models import Happening, Trigger, TriggerRun
from campaigns.triggers import describe
from common.errors import Refused
from common.time import clock
from customers.actions import record_fact
from customers.actions.merging import merge_customers
from customers.models import Customer, Purpose, PurposeChannel
from labels.actions import (
    change_label,
    create_group,
    create_label,
    delete_label,
    end_labels,
    end_version,
    ensure_system_labels,
    follow_rules,
    give_label,
    refresh_system_labels,
    set_rule,
    take_label,
)
from labels.actions.computed import change_thresholds
from labels.models import Assignment, Backfill, BackfillChange, Label, LabelGroup
from labels.system import families
from selections.actions import change_selection, create_selection
from tests.campaigns.conftest import receivers
from tests.factories import NOW, PurposeFactory, SourceFactory

pytestmark = pytest.mark.django_db
Make = Callable[..., Any]

HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)


@pytest.fixture
def group() -> LabelGroup:
    return create_group(name="Trap", code="trap", is_exclusive=True)


@pytest.fixture
def low(group: LabelGroup, now: dt.datetime) -> Label:
    return create_label(name="Laag", kind="own", group=group, now=now)


@pytest.fixture
def high(low: Label, group: LabelGroup, now: dt.datetime) -> Label:
    return create_label(name="Hoog", kind="own", group=group, now=now)


@pytest.fixture
def on_move(make_trigger: Make, high: Label) -> Make:
    def make(source: str = "laag", target: str = "hoog", **more: Any) -> Trigger:
        params = {"label_group": "trap", "from_label": source, "to_label": target, "with_recounts": False}
        trigger: Trigger = make_trigger(kind="label_move", params={**params, **more})
        return trigger

    return make


def give(label: Label, *customers: Customer, at: dt.datetime) -> None:
    give_label(label, Customer.objects.filter(pk__in=[one.pk for one in customers]), by="Petra", now=at)


def test_who_moved_since_the_last_look_gets_it_once(
    on_move: Make, member: Make, low: Label, high: Label, now: dt.datetime
) -> None:
    trigger, mover, other = on_move(), member(), member()
    give(low, mover, other, at=now - DAY)
    give(high, mover, at=now + HOUR)
    assert list(candidates_of(trigger, day=now.date(), now=now + 2 * HOUR)) == [mover]
    advance(now=now + DAY)
    assert receivers(trigger.action) == [mover.pk]
    for day in (1, 2, 3, 4):
        advance(now=now + day * DAY + HOUR)
    assert receivers(trigger.action) == [mover.pk]
    assert Happening.objects.get().customer == mover
    assert list(candidates_of(trigger, day=now.date(), now=now + 5 * DAY)) == []


def test_a_second_move_of_the_same_kind_counts_again(
    on_move: Make, member: Make, low: Label, high: Label, now: dt.datetime
) -> None:
    trigger, mover = on_move(), member()
    give(low, mover, at=now - DAY)
    give(high, mover, at=now + HOUR)
    advance(now=now + DAY)
    give(low, mover, at=now + DAY + HOUR)
    give(high, mover, at=now + DAY + 2 * HOUR)
    advance(now=now + 2 * DAY)
    assert [run.candidate_count for run in trigger.runs.order_by("due_on")] == [1, 1]
    assert Happening.objects.count() == 2


def test_who_moved_before_it_was_turned_on_gets_nothing(
    on_move: Make, member: Make, low: Label, high: Label, now: dt.datetime
) -> None:
    mover = member()
    give(low, mover, at=now - DAY)
    give(high, mover, at=now - HOUR)
    trigger = on_move()
    advance(now=now + HOUR)
    assert receivers(trigger.action) == []


def test_a_move_that_became_known_late_is_not_missed(
    on_move: Make, member: Make, low: Label, high: Label, now: dt.datetime
) -> None:
    """A run over all labels bears the moment at which it began, and is seen when it is done."""
    trigger, mover = on_move(), member()
    give(low, mover, at=now - DAY)
    advance(now=now + DAY)
    give(high, mover, at=now + DAY - HOUR)
    advance(now=now + 2 * DAY)
    assert receivers(trigger.action) == [mover.pk]


@pytest.mark.parametrize(
    ("source", "target", "reached"),
    [
        ("", "", ["came", "up", "left"]),
        ("~none", "", ["came"]),
        ("", "~none", ["left"]),
        ("laag", "", ["up", "left"]),
        ("", "hoog", ["up"]),
        ("hoog", "laag", []),
    ],
)
def test_either_side_may_be_any_label_or_none(
    on_move: Make,
    member: Make,
    low: Label,
    high: Label,
    now: dt.datetime,
    source: str,
    target: str,
    reached: list[str],
) -> None:
    trigger, people = on_move(source, target), {name: member() for name in ("came", "up", "left", "stays")}
    give(low, people["up"], people["left"], people["stays"], at=now - DAY)
    give(low, people["came"], at=now + HOUR)
    give(high, people["up"], at=now + HOUR)
    take_label(low, Customer.objects.filter(pk=people["left"].pk), by="Petra", now=now + HOUR)
    advance(now=now + DAY)
    assert receivers(trigger.action) == sorted(people[name].pk for name in reached)


def test_a_selection_narrows_whom_it_is_for(
    on_move: Make, member: Make, select: Make, low: Label, high: Label, now: dt.datetime
) -> None:
    trigger = on_move()
    trigger.selection = select("customer.age", at_least=18)
    trigger.save()
    grown, child = member(), member(birth_date=dt.date(2020, 1, 1))
    give(low, grown, child, at=now - DAY)
    give(high, grown, child, at=now + HOUR)
    advance(now=now + DAY)
    assert receivers(trigger.action) == [grown.pk]


def test_a_run_that_failed_takes_the_same_moves_later(
    on_move: Make, member: Make, low: Label, high: Label, now: dt.datetime
) -> None:
    trigger, mover = on_move(), member()
    give(low, mover, at=now - DAY)
    give(high, mover, at=now + HOUR)
    blocks, trigger.action.content.blocks = trigger.action.content.blocks, []
    trigger.action.content.save()
    advance(now=now + 2 * HOUR)
    assert TriggerRun.objects.get().error
    assert not Happening.objects.exists()
    trigger.action.content.blocks = blocks
    trigger.action.content.save()
    advance(now=now + 3 * HOUR)
    assert receivers(trigger.action) == [mover.pk]


def test_who_is_merged_gets_it_no_second_time(
    on_move: Make, member: Make, low: Label, high: Label, marketeer: User, now: dt.datetime
) -> None:
    trigger, mover, double = on_move(), member(), member()
    give(low, mover, at=now - DAY)
    give(high, mover, at=now + HOUR)
    advance(now=now + 2 * HOUR)
    merge_customers(double, mover, by=marketeer, now=now + 3 * HOUR)
    assert Happening.objects.get().customer == double
    advance(now=now + DAY)
    assert Trigger.objects.get().runs.order_by("due_on").last().candidate_count == 0  # type: ignore[union-attr]
    assert receivers(trigger.action) == [double.pk]


# --- moves that say nothing of the customer ---


@pytest.fixture
def reader(member: Make, now: dt.datetime) -> Customer:
    """One active day: one-time in the life cycle, of an organisation that profiles until somebody objects."""
    purpose: Purpose = Purpose.objects.filter(code="profiling").first() or PurposeFactory(code="profiling")
    purpose.channels.filter(channel="email").update(basis=PurposeChannel.Basis.INTEREST)
    SourceFactory(code="library")
    customer: Customer = member(registered_on=dt.date(2026, 1, 1))
    borrow(customer, now - 30 * DAY)
    return customer


def borrow(customer: Customer, at: dt.datetime) -> None:
    record_fact(customer, kind="loan", occurred_at=at, source_code="library", external_id=f"{at}")


def in_life_cycle(make_trigger: Make, *, recounts: bool = False) -> Trigger:
    ensure_system_labels(now=NOW)
    params = {"label_group": "lifecycle", "from_label": "", "to_label": "", "with_recounts": recounts}
    trigger: Trigger = make_trigger(kind="label_move", params=params)
    return trigger


@pytest.mark.parametrize("recounts", [False, True])
def test_the_first_run_counts_only_when_that_is_chosen(
    make_trigger: Make, reader: Customer, now: dt.datetime, recounts: bool
) -> None:
    trigger = in_life_cycle(make_trigger, recounts=recounts)
    refresh_system_labels(now=now + HOUR, due_key="first")
    advance(now=now + 2 * HOUR)
    assert receivers(trigger.action) == ([reader.pk] if recounts else [])


@pytest.mark.parametrize("recounts", [False, True])
def test_moves_by_changed_thresholds_count_only_when_that_is_chosen(
    make_trigger: Make, reader: Customer, now: dt.datetime, recounts: bool
) -> None:
    borrow(reader, now - 29 * DAY)
    refresh_system_labels(now=now - DAY, due_key="first")
    trigger = in_life_cycle(make_trigger, recounts=recounts)
    family = families["lifecycle"]
    change_thresholds(family, numbers={**family.limits(), "returning": 3})
    refresh_system_labels(now=now + HOUR, due_key="changed", full=False)
    advance(now=now + 2 * HOUR)
    assert receivers(trigger.action) == ([reader.pk] if recounts else [])


def test_what_the_customer_did_himself_counts(make_trigger: Make, reader: Customer, now: dt.datetime) -> None:
    refresh_system_labels(now=now - DAY, due_key="first")
    trigger = in_life_cycle(make_trigger)
    borrow(reader, now + HOUR)
    refresh_system_labels(now=now + 2 * HOUR, due_key="night", full=False)
    advance(now=now + 3 * HOUR)
    assert receivers(trigger.action) == [reader.pk]


def of_age(**params: Any) -> dict[str, Any]:
    return {"version": 2, "op": "all", "children": [{"criterion": "customer.age", "params": params}]}


def test_the_first_run_of_a_rule_does_not_count(on_move: Make, member: Make, high: Label, now: dt.datetime) -> None:
    trigger, grown = on_move("", "hoog"), member()
    set_rule(high, rule=of_age(at_least=18), now=now)
    follow_rules(now=now + HOUR, due_key="first")
    assert high.assignments.get().customer == grown
    advance(now=now + 2 * HOUR)
    assert receivers(trigger.action) == []
    newcomer = member()
    follow_rules(now=now + DAY, due_key="second")
    advance(now=now + DAY + HOUR)
    assert receivers(trigger.action) == [newcomer.pk]


@pytest.mark.parametrize("through_selection", [False, True])
def test_moves_by_a_changed_rule_do_not_count(
    make_trigger: Make, member: Make, low: Label, high: Label, through_selection: bool
) -> None:
    """The history of a rule goes by the clock of the database, so this test does too."""
    now = clock()
    params = {"label_group": "trap", "from_label": "", "to_label": "hoog", "with_recounts": False}
    trigger: Trigger = make_trigger(kind="label_move", params=params, active_from=now - 3 * DAY)
    grown, child = member(), member(birth_date=now.date() - 4000 * DAY)
    selection = create_selection(name="Ouder dan 50", rule=of_age(at_least=18), now=now)
    set_rule(high, **({"selection": selection} if through_selection else {"rule": of_age(at_least=18)}), now=now)
    follow_rules(now=now - 2 * DAY, due_key="first")
    if through_selection:
        change_selection(selection, rule=of_age(at_least=5), now=now)
    else:
        set_rule(high, rule=of_age(at_least=5), now=now)
    follow_rules(now=now + HOUR, due_key="changed")
    assert {one.customer for one in high.assignments.all()} == {grown, child}
    newcomer = member()
    follow_rules(now=now + 2 * HOUR, due_key="as it was")
    advance(now=now + 3 * HOUR)
    assert receivers(trigger.action) == [newcomer.pk]


def test_the_first_file_of_a_group_does_not_count(on_move: Make, member: Make, low: Label, now: dt.datetime) -> None:
    Label.objects.filter(group=low.group).update(kind=Label.Kind.IMPORTED)
    trigger, first, second = on_move("", "laag"), member(), member()
    for customer, at in ((first, now + HOUR), (second, now + 2 * HOUR)):
        Assignment.objects.create(label=low, customer=customer, since=at, given_by="import 1", given_how="import")
    advance(now=now + 3 * HOUR)
    assert receivers(trigger.action) == [second.pk]


def test_a_file_with_a_new_version_and_the_end_of_one_do_not_count(
    on_move: Make, member: Make, group: LabelGroup, low: Label, high: Label, now: dt.datetime
) -> None:
    Label.objects.filter(group=group).update(kind=Label.Kind.IMPORTED)
    for label, version in ((low, "2025"), (high, "2026")):
        Label.objects.filter(pk=label.pk).update(version=version)
    trigger, leaves, first, second = on_move("", ""), member(), member(), member()
    old = [
        Assignment(label=low, customer=one, since=now - DAY, given_by="import 1", given_how="import", until=until)
        for one, until in ((first, now + HOUR), (leaves, now + HOUR))
    ]
    new = [
        Assignment(label=high, customer=one, since=since, given_by="import 2", given_how="import")
        for one, since in ((first, now + HOUR), (second, now + 2 * HOUR))
    ]
    Assignment.objects.bulk_create([*old, *new])
    advance(now=now + 3 * HOUR)
    assert receivers(trigger.action) == [second.pk]
    end_version(group, "2026", name="Petra", now=now + DAY)
    advance(now=now + DAY + HOUR)
    assert receivers(trigger.action) == [second.pk]


def test_a_label_that_begins_or_ends_for_everybody_does_not_count(
    on_move: Make, member: Make, low: Label, high: Label, now: dt.datetime
) -> None:
    trigger, _lent, _grown = on_move("", ""), member(), member()
    give(low, _lent, at=now - DAY)
    change_label(low, valid_until=now.date())
    end_labels(now=now + DAY)
    set_rule(high, rule=of_age(at_least=18), now=now)
    change_label(high, valid_from=now.date() + 2 * DAY)
    for days in range(4):
        follow_rules(now=now + days * DAY, due_key=f"night {days}")
        advance(now=now + days * DAY + HOUR)
    assert high.assignments.open().count() == 2
    assert receivers(trigger.action) == []
    newcomer = member()
    follow_rules(now=now + 4 * DAY, due_key="later")
    advance(now=now + 4 * DAY + HOUR)
    assert receivers(trigger.action) == [newcomer.pk]


def test_what_a_history_worked_out_afterwards_says_does_not_count(
    on_move: Make, member: Make, low: Label, now: dt.datetime
) -> None:
    trigger, written, lengthened, moved = on_move("", ""), member(), member(), member()
    backfill = Backfill.objects.create(
        label=low, first_day=now.date(), until=now + DAY, state=Backfill.State.DONE, asked_at=now
    )
    at = {"since": now + HOUR, "given_by": "system"}
    Assignment.objects.create(
        label=low, customer=written, until=now + 2 * HOUR, given_how="backfill", taken_how="backfill", **at
    )
    longer = Assignment.objects.create(label=low, customer=lengthened, **at)
    BackfillChange.objects.create(backfill=backfill, row_id=longer.pk, since=now + DAY)
    Assignment.objects.create(label=low, customer=moved, **at)
    advance(now=now + 3 * HOUR)
    assert receivers(trigger.action) == [moved.pk]


# --- the settings ---


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"label_group": "weg"}, "label_group"),
        ({"from_label": "elders"}, "from_label"),
        ({"to_label": "laag"}, "to_label"),
    ],
)
def test_settings_that_do_not_fit_are_refused(
    on_move: Make, make_action: Make, now: dt.datetime, wrong: dict[str, str], field: str
) -> None:
    create_label(name="Elders", kind="own", now=now)
    on_move()
    params = {"label_group": "trap", "from_label": "laag", "to_label": "hoog", **wrong}
    with pytest.raises(Refused) as refusal:
        create_trigger(name="Nieuw", kind="label_move", params=params, action=make_action(), by=None, now=now)
    assert refusal.value.field == field


def test_it_says_in_words_when_it_goes_off(on_move: Make) -> None:
    trigger, other = on_move(), on_move("", "~none")
    with translation.override("nl"):
        words = describe([trigger, other])
    assert words[trigger.pk] == "als iemand in “Trap” van Laag naar Hoog verschuift"
    assert words[other.pk] == "als iemand in “Trap” van elk label naar geen label verschuift"


def test_a_label_it_waits_for_cannot_be_deleted(on_move: Make, low: Label, high: Label) -> None:
    on_move()
    for label in (low, high):
        with pytest.raises(Refused) as refusal:
            delete_label(label)
        assert refusal.value.code == "in_use"


def test_a_label_that_left_the_group_is_told_with_the_run(
    on_move: Make, high: Label, member: Make, now: dt.datetime
) -> None:
    trigger = on_move()
    Label.objects.filter(pk=high.pk).update(group=None)
    advance(now=now + HOUR)
    assert "groep" in TriggerRun.objects.get().error
    with pytest.raises(Refused):
        run_trigger_today(trigger, by=None, now=now + DAY)
