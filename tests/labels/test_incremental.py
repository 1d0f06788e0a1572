"""A run that looks at who changed alone ends where a run over everybody would."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable
from contextlib import suppress
from itertools import count
from typing import Any

import pytest
from dateutil.relativedelta import relativedelta
from hypothesis import HealthCheck, given
from hypothesis import settings as limits
from hypothesis import strategies as st

from common.errors import Refused
from common.sql import rows
from customers.actions import record_facts
from customers.actions.merging import merge_customers, undo_merge
from customers.actions.privacy import erase_customer
from customers.models import (
    Consent,
    Customer,
    Erasure,
    Fact,
    FactTotal,
    Household,
    Merge,
    Purpose,
    PurposeChannel,
    Source,
    Subscription,
)
from customers.recording import recount_totals
from labels.actions import refresh_system_labels
from labels.actions.computed import change_thresholds, create_value
from labels.models import Assignment, ChangeMark, CustomerValue, RefreshRun
from labels.system import families
from labels.system.sectors import MOST_SECTORS
from tests.factories import (
    NOW,
    CustomerFactory,
    FactFactory,
    HouseholdFactory,
    PurposeFactory,
    SourceFactory,
    SubscriptionFactory,
    WorldFactory,
    begin,
)
from tests.tries import tries

DAY = dt.timedelta(days=1)
PEOPLE, HOMES = 5, 3
WHO = st.integers(0, PEOPLE - 1)
AGE = st.one_of(st.integers(-3, 60), st.sampled_from([85, 90, 91, 181, 182, 183, 184, 364, 365, 366, 367, 730, 731]))
KINDS = st.sampled_from(["loan", "loan", "ticket", "fee", "page_view", "login", "request"])
STEP = st.one_of(
    st.tuples(st.just("does"), WHO, KINDS, AGE, st.integers(0, 12)),
    st.tuples(st.just("corrects"), WHO, st.sampled_from(["reizen", "kunst"]), AGE, st.integers(0, 12)),
    st.tuples(st.just("undoes"), WHO),
    st.tuples(st.just("merges"), WHO, WHO),
    st.tuples(st.just("splits")),
    st.tuples(st.just("moves"), WHO, st.integers(0, HOMES)),
    st.tuples(st.just("subscribes"), WHO, AGE, st.integers(0, 120)),
    st.tuples(st.just("unsubscribes"), WHO),
    st.tuples(st.just("says"), WHO, st.sampled_from(["granted", "objected", "withdrawn"]), st.integers(-2, 3)),
    st.tuples(st.just("goes"), WHO),
    st.tuples(st.just("days"), st.sampled_from([1, 1, 1, 2, 6])),
)
serial = count(1)


class World:
    """A few people to whom things happen, with a run in between now and then."""

    def __init__(self) -> None:
        for model in (RefreshRun, Assignment, CustomerValue, ChangeMark):
            model._default_manager.all().delete()
        self.now = NOW
        self.source: Source = SourceFactory()
        self.homes = HouseholdFactory.create_batch(HOMES)
        self.people = [
            CustomerFactory(
                household=self.homes[n % HOMES],
                kind="member" if n < 4 else "prospect",
                birth_date=NOW.date() - relativedelta(years=18) + (n - 1) * DAY if n < 3 else dt.date(1980, 1, n),
                registered_on=NOW.date() - (88 + n) * DAY,
            )
            for n in range(PEOPLE)
        ]

    def play(self, step: tuple[Any, ...]) -> None:
        getattr(self, step[0])(*step[1:])

    def one(self, who: int) -> Customer | None:
        """Return somebody as he is now: gone, or taken up in another, is nobody."""
        return Customer.objects.filter(pk=self.people[who].pk).first()

    def _record(self, customer: Customer, kind: str, age: int, many: int, external_id: str, world: str) -> None:
        fact = {
            "customer_id": customer.pk, "kind": kind, "occurred_at": self.now - age * DAY, "quantity": many,
            "amount_cents": many * 700, "world": world, "sector": "museum" if many % 2 else "", "genre": "",
            "source_id": self.source.pk, "external_id": external_id,
        }  # fmt: skip
        record_facts([fact])

    def does(self, who: int, kind: str, age: int, many: int) -> None:
        if customer := self.one(who):
            self._record(customer, kind, age, many, f"I{next(serial)}", "reizen")

    def corrects(self, who: int, world: str, age: int, many: int) -> None:
        known = Fact.objects.filter(customer=self.people[who], source=self.source).order_by("pk").last()
        if known and (customer := self.one(who)):
            self._record(customer, known.kind, age, many, known.external_id, world)

    def undoes(self, who: int) -> None:
        """As taking an import back does: the facts go, the totals are counted anew."""
        if last := Fact.objects.filter(customer=self.people[who]).order_by("pk").last():
            last.delete()
            recount_totals("SELECT %(id)s", {"id": self.people[who].pk})

    def merges(self, kept: int, absorbed: int) -> None:
        one, other = self.one(kept), self.one(absorbed)
        if one and other and one != other:
            merge_customers(one, other, by="test", now=self.now)

    def splits(self) -> None:
        if merge := Merge.objects.filter(kept__in=self.people, undone_at__isnull=True).order_by("pk").last():
            undo_merge(merge, by="test", now=self.now)

    def moves(self, who: int, home: int) -> None:
        """Move to one of the homes, or to none; a home that everybody left is not there any more."""
        new = Household.objects.filter(pk=self.homes[home].pk).first() if home < HOMES else None
        Customer.objects.filter(pk=self.people[who].pk).update(household=new)

    def subscribes(self, who: int, age: int, days: int) -> None:
        if customer := self.one(who):
            start = self.now.date() - age * DAY
            SubscriptionFactory(customer=customer, started_on=start, ended_on=start + days * DAY if days % 3 else None)

    def unsubscribes(self, who: int) -> None:
        Subscription.objects.filter(customer=self.people[who]).delete()

    def says(self, who: int, state: str, ahead: int) -> None:
        if customer := self.one(who):
            purpose = Purpose.objects.get(code="profiling")
            said = Consent(
                customer=customer, purpose=purpose, channel="email", state=state, source=self.source, actor="test",
                event_at=self.now + ahead * DAY,
            )  # fmt: skip
            Consent.objects.bulk_create([said], ignore_conflicts=True)  # said twice at one moment is said once

    def goes(self, who: int) -> None:
        if customer := self.one(who):
            with suppress(Refused):
                erase_customer(customer, ground=Erasure.Ground.REQUEST, by="test", now=self.now)

    def days(self, many: int) -> None:
        self.now += many * DAY
        self.run()

    def run(self, *, full: bool = False) -> RefreshRun:
        return refresh_system_labels(now=self.now, due_key=f"{next(serial)}", full=full)

    def state(self) -> tuple[set[Any], set[Any]]:
        return (
            set(Assignment.objects.open().values_list("customer", "label__code")),
            set(CustomerValue.objects.values_list("customer", "value__code", "number")),
        )


@pytest.fixture
def base(transactional_db: None) -> Purpose:
    begin()
    WorldFactory(code="reizen")
    WorldFactory(code="kunst")
    purpose: Purpose = PurposeFactory(code="profiling", rule="opt_in")
    purpose.channels.filter(channel="email").update(basis=PurposeChannel.Basis.INTEREST)
    return purpose


@pytest.mark.usefixtures("base")
@pytest.mark.django_db(transaction=True)
@limits(max_examples=tries(16), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(STEP, min_size=1, max_size=14))
def test_looking_at_who_changed_ends_where_looking_at_everybody_does(steps: list[tuple[Any, ...]]) -> None:
    world = World()
    world.does(0, "loan", 1, 1)  # in a sector, so that its label is there
    first = world.run()
    assert (first.is_full, first.why_full) == (True, "first")
    for step in steps:
        world.play(step)
    last = world.run()
    assert last.is_full is False or last.why_full in ("weekly", "news"), last.why_full
    before = world.state()
    again = world.run(full=True)
    assert (again.given_count, again.taken_count) == (0, 0), again.parts
    assert world.state() == before


Change = Callable[[World], None]
CHANGES: dict[str, Change] = {
    "a fact": lambda world: world.does(1, "loan", 3, 30),
    "a corrected world": lambda world: world.corrects(0, "kunst", 3, 10),
    "a fact that is gone": lambda world: world.undoes(0),
    "a move": lambda world: world.moves(3, 1),
    "somebody who is gone": lambda world: world.goes(3),
    "a subscription that is gone": lambda world: world.unsubscribes(2),
    "an objection": lambda world: world.says(0, "objected", 0),
    "a merge": lambda world: world.merges(3, 0),
}


def settled() -> None:
    """Wait until every transaction that began before is over, those of tests beside this one too: a run looks again at
    what was written since the oldest that it did not see the end of.
    """
    until = time.monotonic() + 300
    asked = "SELECT pg_snapshot_xmin(seen) = pg_snapshot_xmax(seen) AS is_quiet FROM pg_current_snapshot() AS seen"
    while time.monotonic() < until and not rows(asked)[0]["is_quiet"]:
        time.sleep(0.01)


@pytest.mark.usefixtures("base")
@pytest.mark.parametrize("what", CHANGES)
def test_each_change_is_seen_at_once(what: str) -> None:
    world = World()
    world.does(0, "loan", 3, 10)
    world.subscribes(2, 10, 3)
    settled()
    world.run(full=True)
    before = world.state()
    CHANGES[what](world)
    run = world.run()
    assert not run.is_full
    assert run.affected_count is not None
    assert 0 < run.affected_count < PEOPLE
    assert world.state() != before
    after = world.state()
    world.run(full=True)
    assert world.state() == after


@pytest.mark.usefixtures("base")
def test_nobody_is_looked_at_when_nothing_happened() -> None:
    world = World()
    world.does(0, "loan", 40, 10)
    settled()
    world.run(full=True)
    run = world.run()
    assert (run.is_full, run.affected_count, run.given_count, run.taken_count) == (False, 0, 0, 0)


@pytest.mark.usefixtures("base")
def test_time_that_passes_takes_a_label_without_any_change() -> None:
    world = World()
    world.does(0, "loan", 365, 10)
    world.run(full=True)
    codes = {code for who, code in world.state()[0] if who == world.people[0].pk}
    assert "borrowing-average" in codes
    world.now += DAY
    run = world.run()
    assert not run.is_full
    codes = {code for who, code in world.state()[0] if who == world.people[0].pk}
    assert "borrowing-average" not in codes


@pytest.mark.usefixtures("base")
def test_a_run_looks_at_everybody_when_it_must() -> None:
    world = World()
    assert world.run().why_full == "first"
    assert world.run().why_full == ""
    change_thresholds(families["borrowing"], numbers={**families["borrowing"].limits(), "heavy": 30})
    assert world.run().why_full == "definitions"
    create_value(
        name="Uitleningen", unit="number", now=NOW,
        terms=[{"weight": 1, "what": "quantity", "kinds": ["loan"], "months": 6}],
    )  # fmt: skip
    assert world.run().why_full == "definitions"
    PurposeChannel.objects.filter(purpose__code="profiling", channel="email").update(basis="consent")
    assert world.run().why_full == "definitions"
    WorldFactory(code="nieuw")
    assert world.run().why_full == "definitions"
    world.does(0, "loan", 1, 1)  # of a sector that nobody has been in yet, but he may not be profiled: no label for it
    assert world.run().why_full == ""
    world.says(0, "granted", 0)
    assert world.run().why_full == "news"
    world.now += 7 * DAY
    assert world.run().why_full == "weekly"
    RefreshRun.objects.update(cluster="another")
    assert world.run().why_full == "moved"
    assert world.run().why_full == ""
    assert world.run(full=True).why_full == "asked"


@pytest.mark.usefixtures("base")
def test_a_sector_for_which_there_is_no_room_is_no_news_every_night() -> None:
    world = World()
    for number in range(MOST_SECTORS + 1):
        FactFactory(customer=world.people[0], kind="loan", occurred_at=NOW - DAY, sector=f"sector {number:02}")
    world.run(full=True)
    FactFactory(customer=world.people[1], kind="loan", occurred_at=NOW - DAY, sector=f"sector {MOST_SECTORS:02}")
    recount_totals("SELECT %(id)s", {"id": world.people[1].pk})
    run = world.run()
    assert (run.why_full, run.is_full) == ("", False)


@pytest.mark.usefixtures("base")
def test_a_run_tells_what_it_did_per_family() -> None:
    world = World()
    world.does(0, "loan", 3, 10)
    run = world.run(full=True)
    parts = {part["code"]: part for part in run.parts}
    assert set(parts) >= {family.code for family in families} | {"measures", "values"}
    assert parts["borrowing"]["given"] == sum(code.startswith("borrowing") for _who, code in world.state()[0])
    assert run.given_count == Assignment.objects.open().count()
    assert all(part["seconds"] >= 0 for part in run.parts)


@pytest.mark.usefixtures("base")
def test_marks_of_what_is_gone_are_used_up() -> None:
    world = World()
    world.subscribes(2, 10, 3)
    world.run(full=True)
    world.unsubscribes(2)
    world.moves(1, 2)
    FactTotal.objects.filter(customer=world.people[0]).delete()
    assert ChangeMark.objects.count() == 2
    world.run()
    assert ChangeMark.objects.count() == 0
