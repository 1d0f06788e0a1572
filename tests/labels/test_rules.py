from __future__ import annotations

import datetime as dt
import random
import threading
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import pytest
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext

from common.errors import Refused
from customers.actions import record_fact
from customers.consents import record_consent
from customers.models import Customer, Purpose, PurposeChannel
from labels.actions import (
    change_group,
    change_label,
    count_labels,
    create_group,
    create_label,
    draft_rule,
    drop_rule,
    end_labels,
    follow_rules,
    give_label,
    set_rule,
    take_label,
    take_profiling_labels,
)
from labels.models import Assignment, Label, LabelCount, LabelGroup, RuleRun
from labels.rules import is_behaviour
from labels.rules.preview import preview
from selections.actions import change_selection, create_selection, delete_selection, keep_rule
from selections.models import Selection
from tests.factories import CustomerFactory, SourceFactory

pytestmark = pytest.mark.django_db

DAY = dt.timedelta(days=1)
MEMBERS = {"criterion": "customer.kind", "params": {"kinds": ["member"]}}
BORROWED = {"criterion": "facts.count", "params": {"kind": "loan", "times": 1}}


def borrowed(customer: Customer, at: dt.datetime) -> None:
    SourceFactory(code="library")
    record_fact(customer, kind="loan", occurred_at=at, source_code="library", external_id=f"{customer.pk}-{at}")


def rule(*children: object, op: str = "all") -> dict[str, object]:
    return {"version": 2, "op": op, "children": list(children)}


def has(*codes: str) -> dict[str, object]:
    return {"criterion": "labels.has", "params": {"labels": list(codes)}}


def own(name: str, now: dt.datetime, **fields: object) -> Label:
    return create_label(name=name, kind="own", now=now, **fields)  # type: ignore[arg-type]


def only(*customers: Customer):  # type: ignore[no-untyped-def]
    return Customer.objects.filter(pk__in=[customer.pk for customer in customers])


def holders(label: Label) -> set[int]:
    return set(label.assignments.open().values_list("customer", flat=True))


def night(now: dt.datetime) -> list[RuleRun]:
    return follow_rules(now=now, due_key=f"nightly {now}")


# --- following ---


def test_who_meets_the_rule_has_the_label_and_nobody_else(now: dt.datetime) -> None:
    member, prospect = CustomerFactory(kind="member"), CustomerFactory(kind="prospect")
    label = set_rule(own("Lid", now), rule=rule(MEMBERS), now=now)
    [run] = night(now)
    assert (run.label, run.given_count, run.taken_count) == (label, 1, 0)
    Customer.objects.filter(pk=member.pk).update(kind="former")
    Customer.objects.filter(pk=prospect.pk).update(kind="member")
    [run] = night(now + DAY)
    assert (run.given_count, run.taken_count) == (1, 1)
    assert holders(label) == {prospect.pk}
    ended = label.assignments.get(customer=member)
    assert (ended.since, ended.until, ended.how_given, ended.how_taken) == (now, now + DAY, "rule", "rule")


def test_a_night_without_changes_writes_nothing_and_one_night_is_one_run(now: dt.datetime) -> None:
    CustomerFactory(kind="member")
    label = set_rule(own("Lid", now), rule=rule(MEMBERS), now=now)
    night(now)
    [run] = night(now + DAY)
    assert (run.given_count, run.taken_count) == (0, 0)
    assert night(now + DAY) == []
    assert night(now - DAY) == []
    assert label.assignments.count() == 1


def test_a_label_follows_a_saved_selection_as_that_changes(now: dt.datetime) -> None:
    member, prospect = CustomerFactory(kind="member"), CustomerFactory(kind="prospect")
    selection = create_selection(name="Leden", rule=rule(MEMBERS), now=now)
    label = set_rule(own("Lid", now), selection=selection, now=now)
    night(now)
    assert holders(label) == {member.pk}
    others = {"criterion": "customer.kind", "params": {"kinds": ["prospect"]}}
    change_selection(selection, rule=rule(others), now=now)
    night(now + DAY)
    assert holders(label) == {prospect.pk}
    with pytest.raises(Refused) as refused:
        delete_selection(selection)
    assert refused.value.code == "in_use"


def test_a_rule_that_asks_for_another_label_comes_after_it(now: dt.datetime) -> None:
    member = CustomerFactory(kind="member")
    first = own("Eerste", now)
    second = set_rule(own("Tweede", now), rule=rule(has(first.code)), now=now)
    set_rule(first, rule=rule(MEMBERS), now=now)
    night(now)
    assert holders(first) == holders(second) == {member.pk}


def test_labels_that_ask_for_each_other_are_refused(now: dt.datetime) -> None:
    first, second = own("Eerste", now), own("Tweede", now)
    set_rule(second, rule=rule(has(first.code)), now=now)
    with pytest.raises(Refused) as refused:
        set_rule(first, rule=rule(has(second.code)), now=now)
    assert refused.value.code == "label_cycle"
    assert "“Eerste”" in str(refused.value)
    assert "“Tweede”" in str(refused.value)
    with pytest.raises(Refused):
        set_rule(own("Zelf", now), rule=rule(has("zelf")), now=now)
    assert Label.objects.by_rule().count() == 1


def test_a_selection_is_not_changed_so_that_a_label_would_follow_from_itself(now: dt.datetime) -> None:
    """Also by a label that asks for it, by one of its group, and by a selection inside the selection."""
    inner, other = (create_selection(name=name, rule=rule(MEMBERS), now=now) for name in ("Binnen", "Los"))
    inside = {"criterion": "selections.in", "params": {"selection": inner.pk}}
    selection = create_selection(name="Leden", rule=rule(inside), now=now)
    bond = create_group(name="Band", is_exclusive=True)
    label = set_rule(create_label(name="Lid", kind="own", group=bond, now=now), selection=selection, now=now)
    mate = set_rule(create_label(name="Vriend", kind="own", group=bond, now=now), rule=rule(MEMBERS), now=now)
    above = set_rule(own("Boven", now), rule=rule(has(mate.code)), now=now)
    saved = dict(Selection.objects.values_list("pk", "rule"))
    for asked in (label, mate, above):
        for changed in (inner, selection):
            with pytest.raises(Refused) as refused:
                change_selection(changed, rule=rule(MEMBERS, has(asked.code)), now=now)
            assert (refused.value.code, refused.value.field) == ("label_cycle", "/children/1/params")
            assert dict(Selection.objects.values_list("pk", "rule")) == saved
    change_selection(other, rule=rule(has(label.code)), now=now)


def test_a_cycle_that_came_in_by_a_selection_is_noted_and_stops_no_other_label(now: dt.datetime) -> None:
    member = CustomerFactory(kind="member")
    selection = create_selection(name="Leden", rule=rule(MEMBERS), now=now)
    label = set_rule(own("Lid", now), selection=selection, now=now)
    good = set_rule(own("Ook lid", now), rule=rule(MEMBERS), now=now)
    Selection.objects.update(rule=rule(has(label.code)))  # as it could be made once
    runs = {run.label_id: run for run in night(now)} | {run.label_id: run for run in RuleRun.objects.all()}
    assert "vragen naar elkaar" in runs[label.pk].problem
    assert runs[good.pk].problem == ""
    assert holders(good) == {member.pk}
    assert holders(label) == set()


def test_a_rule_that_no_longer_works_is_noted_and_stops_no_other_label(now: dt.datetime) -> None:
    member = CustomerFactory(kind="member")
    inner = create_selection(name="Binnen", rule=rule(MEMBERS), now=now)
    inside = {"criterion": "selections.in", "params": {"selection": inner.pk}}
    broken = set_rule(own("Stuk", now), rule=rule(inside), now=now)
    good = set_rule(own("Goed", now), rule=rule(MEMBERS), now=now)
    night(now)
    type(inner).objects.filter(pk=inner.pk).delete()
    night(now + DAY)
    assert broken.rule_runs.first().problem  # type: ignore[union-attr]
    assert holders(broken) == holders(good) == {member.pk}
    assert good.rule_runs.count() == 2


def test_a_label_by_rule_is_given_in_no_other_way(now: dt.datetime) -> None:
    CustomerFactory()
    label = set_rule(own("Lid", now), rule=rule(MEMBERS), now=now)
    for change in (give_label, take_label):
        with pytest.raises(Refused) as refused:
            change(label, Customer.objects.all(), by="Petra", now=now)
        assert refused.value.code == "rule_label"
    assert label not in Label.objects.for_hand()
    drop_rule(label)
    assert give_label(label, Customer.objects.all(), by="Petra", now=now) == 1


def test_who_had_it_by_hand_keeps_it_only_by_the_rule(now: dt.datetime) -> None:
    member, prospect = CustomerFactory(kind="member"), CustomerFactory(kind="prospect")
    label = own("Lid", now)
    give_label(label, Customer.objects.all(), by="Petra", now=now)
    set_rule(label, rule=rule(MEMBERS), now=now)
    night(now + DAY)
    assert holders(label) == {member.pk}
    kept = label.assignments.get(customer=member)
    assert (kept.since, kept.given_by) == (now, "Petra")
    assert label.assignments.get(customer=prospect).until == now + DAY


@pytest.mark.parametrize("kind", ["customer", "imported"])
def test_only_own_labels_follow_a_rule(now: dt.datetime, kind: str) -> None:
    label = create_label(name="Nee", kind=kind, now=now)
    with pytest.raises(Refused) as refused:
        set_rule(label, rule=rule(MEMBERS), now=now)
    assert refused.value.code == "not_own"


def test_a_label_by_rule_that_is_out_of_use_or_not_valid_has_nobody(now: dt.datetime) -> None:
    CustomerFactory(kind="member")
    label = set_rule(own("Lid", now), rule=rule(MEMBERS), now=now)
    night(now)
    change_label(label, is_active=False)
    night(now + DAY)
    assert holders(label) == set()
    change_label(label, is_active=True, valid_from=(now + 30 * DAY).date())
    night(now + 2 * DAY)
    assert holders(label) == set()
    night(now + 31 * DAY)
    assert len(holders(label)) == 1


# --- groups of one ---


def stages(now: dt.datetime) -> dict[str, Label]:
    group = create_group(name="Fase", is_exclusive=True)
    rules = {"Bezoeker": rule(), "Lid": rule(MEMBERS), "Rood lid": rule(MEMBERS, has("rood"))}
    own("Rood", now)
    return {name: set_rule(own(name, now, group=group), rule=tree, now=now) for name, tree in rules.items()}


def test_of_an_exclusive_group_the_highest_place_goes_to_who_meets_several(now: dt.datetime) -> None:
    member, prospect, red = CustomerFactory(kind="member"), CustomerFactory(kind="prospect"), CustomerFactory()
    Customer.objects.filter(pk=red.pk).update(kind="member")
    labels = stages(now)
    give_label(Label.objects.get(code="rood"), only(red), by="Petra", now=now)
    night(now)
    assert {name: holders(label) for name, label in labels.items()} == {
        "Bezoeker": {prospect.pk},
        "Lid": {member.pk},
        "Rood lid": {red.pk},
    }
    Customer.objects.filter(pk=prospect.pk).update(kind="member")
    night(now + DAY)
    assert labels["Bezoeker"].assignments.get(customer=prospect).until == now + DAY
    assert holders(labels["Lid"]) == {member.pk, prospect.pk}


def test_who_has_another_of_the_group_by_hand_keeps_that_one(now: dt.datetime) -> None:
    member = CustomerFactory(kind="member")
    labels = stages(now)
    hand = own("Erelid", now, group=labels["Lid"].group)
    night(now)
    give_label(hand, only(member), by="Petra", now=now + DAY)
    night(now + 2 * DAY)
    assert holders(hand) == {member.pk}
    assert holders(labels["Lid"]) == set()
    take_label(hand, only(member), by="Petra", now=now + 3 * DAY)
    night(now + 4 * DAY)
    assert holders(labels["Lid"]) == {member.pk}


def plain(labels: list[Label], kinds: dict[int, str], red: set[int], hand: set[int]) -> dict[int, set[int]]:
    """Work the labels out in plain Python: kind of rule by name, the group by its places."""
    meets = {
        "Bezoeker": lambda _pk: True,
        "Lid": lambda pk: kinds[pk] == "member",
        "Rood lid": lambda pk: kinds[pk] == "member" and pk in red,
        "Los": lambda pk: kinds[pk] == "prospect" or pk in red,
    }
    found: dict[int, set[int]] = {label.pk: set() for label in labels}
    for pk in kinds:
        ladder = [one for one in labels if one.group_id and one.is_active and meets[one.name](pk)]
        if ladder and pk not in hand:
            found[max(ladder, key=lambda one: (one.rank, one.pk)).pk].add(pk)
        for one in labels:
            if not one.group_id and one.is_active and meets[one.name](pk):
                found[one.pk].add(pk)
    return found


@pytest.mark.parametrize("seed", range(12))
def test_the_night_gives_what_plain_working_out_gives_after_anything(now: dt.datetime, seed: int) -> None:
    chance = random.Random(seed)
    people = CustomerFactory.create_batch(12)
    labels = stages(now)
    red, hand = Label.objects.get(code="rood"), own("Erelid", now, group=labels["Lid"].group)
    loose = {"criterion": "customer.kind", "params": {"kinds": ["prospect"]}}
    labels["Los"] = set_rule(own("Los", now), rule=rule(loose, has("rood"), op="any"), now=now)
    for step in range(8):
        moment = now + step * DAY
        for _n in range(chance.randrange(6)):
            one = only(*chance.sample(people, chance.randrange(1, 5)))
            match chance.randrange(5):
                case 0:
                    one.update(kind=chance.choice(["member", "prospect", "former"]))
                case 1:
                    chance.choice([give_label, take_label])(red, one, by="Petra", now=moment)
                case 2:
                    chance.choice([give_label, take_label])(hand, one, by="Petra", now=moment)
                case 3:
                    label = chance.choice(list(labels.values()))
                    label.refresh_from_db()
                    change_label(label, is_active=chance.random() < 0.7)
                case 4:
                    ladder = [label for label in labels.values() if label.group_id]
                    for rank, label in enumerate(chance.sample(ladder, len(ladder)), start=1):
                        Label.objects.filter(pk=label.pk).update(rank=rank)
        night(moment + DAY / 2)
        fresh = list(Label.objects.filter(pk__in=[label.pk for label in labels.values()]))
        expected = plain(fresh, dict(Customer.objects.values_list("pk", "kind")), holders(red), holders(hand))
        assert {label.pk: holders(label) for label in fresh} == expected
    assert_never_two_at_once(labels["Lid"].group)


def assert_never_two_at_once(group: LabelGroup | None) -> None:
    stretches = defaultdict(list)
    for held in Assignment.objects.filter(label__group=group).order_by("since", "until"):
        if held.until is None or held.until > held.since:
            stretches[held.customer_id].append(held)
    for own_ones in stretches.values():
        for before, after in pairwise(own_ones):
            assert before.until is not None
            assert before.until <= after.since


# --- profiling ---


def test_a_rule_about_behaviour_gives_nothing_to_who_permits_no_profiling(now: dt.datetime, profiling: object) -> None:
    borrower = CustomerFactory()
    borrowed(borrower, now - DAY)
    label = set_rule(own("Lener", now), rule=rule(BORROWED), now=now)
    assert is_behaviour(label.rule_json)
    assert not is_behaviour(rule(MEMBERS))
    night(now)
    assert holders(label) == {borrower.pk}
    PurposeChannel.objects.filter(purpose__code="profiling").update(basis=PurposeChannel.Basis.CONSENT)
    night(now + DAY)
    assert holders(label) == set()
    seen = preview(label, now=now + DAY)
    assert (seen.gives, seen.unpermitted) == (0, 1)


def test_who_objects_loses_labels_by_rules_about_behaviour_at_once(now: dt.datetime) -> None:
    borrower = CustomerFactory(kind="member")
    borrowed(borrower, now - DAY)
    lender = set_rule(own("Lener", now), rule=rule(BORROWED), now=now)
    member = set_rule(own("Lid", now), rule=rule(MEMBERS), now=now)
    also = set_rule(own("Ook lener", now), rule=rule(has(lender.code)), now=now)
    night(now)
    take_profiling_labels(borrower, now=now + DAY)
    assert [holders(label) for label in (lender, also, member)] == [set(), set(), {borrower.pk}]
    assert lender.assignments.get().how_taken == "objection"


# --- beforehand ---


def test_a_preview_tells_who_gets_keeps_and_loses_it_and_writes_nothing(now: dt.datetime) -> None:
    kept, lost, new = CustomerFactory(kind="member"), CustomerFactory(kind="prospect"), CustomerFactory(kind="member")
    label = own("Lid", now)
    give_label(label, only(kept, lost), by="Petra", now=now)
    label.rule = rule(MEMBERS)
    seen = preview(label, now=now)
    assert (seen.gives, seen.keeps, seen.takes) == (1, 1, 1)
    assert list(seen.given_examples) == [new]
    assert list(seen.taken_examples) == [lost]
    assert seen.first_day is not None
    assert holders(label) == {kept.pk, lost.pk}
    assert not Label.objects.by_rule().exists()


def test_a_preview_counts_places_in_an_exclusive_group(now: dt.datetime) -> None:
    CustomerFactory(kind="member")
    labels = stages(now)
    assert preview(labels["Bezoeker"], now=now).gives == 0
    assert preview(labels["Lid"], now=now).gives == 1


def test_the_first_night_is_the_next_one_or_that_of_the_first_valid_day(now: dt.datetime) -> None:
    label = set_rule(own("Lid", now), rule=rule(MEMBERS), now=now)
    early = dt.datetime(2026, 3, 9, 1, 0, tzinfo=dt.UTC)  # 2 o'clock in Amsterdam
    assert preview(label, now=early).first_day == dt.date(2026, 3, 9)
    assert preview(label, now=early + dt.timedelta(hours=3)).first_day == dt.date(2026, 3, 10)
    change_label(label, valid_from=dt.date(2026, 5, 1))
    assert preview(label, now=early).first_day == dt.date(2026, 5, 1)
    change_label(label, is_active=False)
    assert preview(label, now=early).first_day is None


# --- days and age ---


def test_a_label_ends_for_everybody_when_its_days_are_over(now: dt.datetime) -> None:
    customer = CustomerFactory()
    label = own("Nederland Leest", now, valid_until=now.date())
    give_label(label, only(customer), by="Petra", now=now)
    assert end_labels(now=now) == 0
    assert end_labels(now=now + 2 * DAY) == 1
    held = label.assignments.get()
    assert held.how_taken == "validity"
    assert held.until is not None
    assert held.until < now + 2 * DAY
    with pytest.raises(Refused) as refused:
        give_label(label, only(customer), by="Petra", now=now + 2 * DAY)
    assert refused.value.code == "not_valid"


def test_a_label_cannot_be_given_before_its_days(now: dt.datetime) -> None:
    label = own("Straks", now, valid_from=(now + 5 * DAY).date())
    with pytest.raises(Refused):
        give_label(label, Customer.objects.all(), by="Petra", now=now)
    with pytest.raises(Refused) as refused:
        change_label(label, valid_until=(now + DAY).date())
    assert refused.value.field == "valid_until"


def test_a_label_lasts_as_long_as_it_says_after_it_was_given(now: dt.datetime) -> None:
    early, late = CustomerFactory(), CustomerFactory()
    label = own("Plakker", now, max_age_days=30)
    give_label(label, only(early), by="Petra", now=now)
    give_label(label, only(late), by="Petra", now=now + 10 * DAY)
    assert end_labels(now=now + 30 * DAY) == 1
    assert holders(label) == {late.pk}
    held = label.assignments.get(customer=early)
    assert (held.until, held.how_taken, held.taken_reason) == (now + 30 * DAY, "age", "na 30 dagen")
    assert end_labels(now=now + 30 * DAY) == 0
    with pytest.raises(Refused) as refused:
        set_rule(label, rule=rule(MEMBERS), now=now)
    assert refused.value.code == "age_with_rule"


# --- groups out of use ---


def test_labels_of_a_group_out_of_use_are_not_given(now: dt.datetime) -> None:
    group = create_group(name="Oud")
    label = own("Rood", now, group=group)
    change_group(group, is_active=False)
    label.refresh_from_db()
    with pytest.raises(Refused) as refused:
        give_label(label, Customer.objects.all(), by="Petra", now=now)
    assert refused.value.code == "inactive"
    assert label not in Label.objects.for_hand()


# --- at the same time ---


@pytest.mark.django_db(transaction=True)
def test_giving_at_the_same_time_gives_once_and_never_two_of_a_group(now: dt.datetime, profiling: object) -> None:
    people = CustomerFactory.create_batch(40)
    group = create_group(name="Fase", is_exclusive=True)
    labels = [own(name, now, group=group) for name in ("Een", "Twee", "Drie")]
    loose = own("Los", now)
    barrier = threading.Barrier(6)

    def give(number: int) -> None:
        try:
            barrier.wait()
            for turn in range(6):
                moment = now + turn * DAY
                give_label(labels[(number + turn) % 3], Customer.objects.all(), by=str(number), now=moment)
                give_label(loose, Customer.objects.all(), by=str(number), now=moment)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(give, range(6)))
    assert loose.assignments.count() == len(people)
    assert Assignment.objects.open().filter(label__group=group).count() == len(people)


def test_a_night_takes_one_statement_per_label(now: dt.datetime) -> None:
    CustomerFactory.create_batch(5, kind="member")
    set_rule(own("Lid", now), rule=rule(MEMBERS), now=now)
    with CaptureQueriesContext(connection) as queries:
        night(now)
    writing = [query for query in queries if "labels_assignment" in query["sql"] and "UPDATE" in query["sql"]]
    assert len(writing) == 1


def test_a_preview_tells_apart_who_permits_nothing_and_who_gets_another_of_the_group(
    now: dt.datetime, profiling: Purpose
) -> None:
    group = create_group(name="Fase", is_exclusive=True)
    low, high = own("Laag", now, group=group), own("Hoog", now, group=group)
    set_rule(high, rule=rule(BORROWED), now=now)
    for _number in range(2):
        borrowed(CustomerFactory(), now - DAY)
    refused = CustomerFactory()
    borrowed(refused, now - DAY)
    record_consent(
        refused, purpose=profiling, channel="email", state="objected", source_code="library", actor="Petra",
        event_at=now - DAY,
    )  # fmt: skip
    seen = preview(draft_rule(low, rule=rule(BORROWED), now=now), now=now)
    assert (seen.gives, seen.keeps, seen.takes, seen.unpermitted, seen.held) == (0, 0, 0, 1, 0)


def test_a_preview_tells_who_keeps_another_label_of_the_group_that_was_given_by_hand(now: dt.datetime) -> None:
    group = create_group(name="Fase", is_exclusive=True)
    by_hand, by_rule = own("Met de hand", now, group=group), own("Met een regel", now, group=group)
    one, _two, _three = (CustomerFactory(kind="member") for _number in range(3))
    give_label(by_hand, Customer.objects.filter(pk=one.pk), by="Petra", now=now - DAY)
    seen = preview(draft_rule(by_rule, rule=rule(MEMBERS), now=now), now=now)
    assert (seen.gives, seen.held) == (2, 1)
    set_rule(by_rule, rule=rule(MEMBERS), now=now)
    night(now)
    assert one.pk not in holders(by_rule)


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"criterion": "customer.value", "params": {"value": "customer.age", "number": 18}}, False),
        ({"criterion": "customer.value", "params": {"value": "facts.loan.count", "number": 5}}, True),
        ({"criterion": "customer.value", "params": {"value": "customer.quiet_days", "number": 90}}, True),
        ({"criterion": "household.children", "params": {"at_least": 1}}, False),
        ({"criterion": "branch.city", "params": {"value": "Edam"}}, False),
        ({"criterion": "subscription.price", "params": {"number": 100}}, False),
        ({"op": "all", "picks": [{"pick": "top", "size": 5, "by": "customer.age"}]}, False),
        ({"op": "all", "picks": [{"pick": "top", "size": 5, "by": "customer.quiet_days"}]}, True),
    ],
)
def test_comparing_what_somebody_did_is_behaviour_and_who_he_is_is_not(
    asked: dict[str, object], expected: bool
) -> None:
    assert is_behaviour(rule(asked)) == expected


def test_a_result_set_is_behaviour_when_the_rule_was_that_made_it(now: dt.datetime) -> None:
    for name, made_by, expected in (("Leners", BORROWED, True), ("Leden", MEMBERS, False)):
        kept = keep_rule(rule(made_by), name=name, now=now)
        in_set = {"criterion": "selections.in_set", "params": {"result_set": kept.pk}}
        assert is_behaviour(rule(in_set)) == expected


@pytest.mark.parametrize("change", ["age", "days"])
def test_the_counts_of_past_days_follow_when_a_label_ends_long_ago(now: dt.datetime, change: str) -> None:
    label = own("Plakker", now)
    give_label(label, only(CustomerFactory()), by="Petra", now=now - 20 * DAY)
    for days in range(3):
        count_labels(now=now + days * DAY)
    assert LabelCount.objects.get(label=label, day=(now - 12 * DAY).date()).holders == 1
    if change == "age":
        change_label(label, max_age_days=5)
    else:
        change_label(label, valid_until=(now - 15 * DAY).date())
    assert end_labels(now=now + 2 * DAY, only=label) == 1
    count_labels(now=now + 3 * DAY)
    counts = dict(LabelCount.objects.filter(label=label).values_list("day", "holders"))
    assert [counts[(now - ago * DAY).date()] for ago in (16, 12, 1, 0)] == [1, 0, 0, 0]
