"""Any sequence of imports, merges, undos and erasures keeps every fact, consent, voucher and label where it belongs.

Beside the database runs a model in plain Python: each merge remembers what everybody had, so undoing is looking back.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    precondition,
    rule,
)

from common.errors import Refused
from common.sql import rows
from customers.actions import record_fact
from customers.actions.merging import merge_customers, undo_merge
from customers.actions.people import add_customer
from customers.actions.privacy import erase_customer
from customers.models import Consent, Customer, Fact, FactTotal, Merge, Purpose, Source, SourceRecord
from labels.models import Assignment, Label, LabelGroup
from tests.factories import NOW, VoucherFactory
from vouchers.models import Voucher

PEOPLE = 5
DAY = dt.timedelta(days=1)
WHO = st.integers(0, PEOPLE - 1)
SHARED = st.sampled_from(["a", "b", "c"])  # few keys, so that two people often have the same
LABELS = st.sampled_from(["plain", "red", "blue"])  # red and blue exclude each other
EXCLUSIVE = {"red", "blue"}


@dataclass
class Step:
    """What happened: to whom (as it was said then), and what of."""

    what: str
    who: int
    other: int = -1
    key: Any = None
    merge: int = 0


@dataclass
class Person:
    """What somebody has in the model: keys, and each label held now with the day since when."""

    facts: set[str] = field(default_factory=set)
    consents: set[str] = field(default_factory=set)
    vouchers: set[str] = field(default_factory=set)
    labels: dict[str, int] = field(default_factory=dict)


def play(steps: list[Step]) -> tuple[dict[int, Person], dict[int, int]]:
    """Return what everybody has after these steps, and who is whose; a merge that was undone is simply not played."""
    people = {number: Person() for number in range(PEOPLE)}
    kept: dict[int, int] = {}
    for day, step in enumerate(steps):
        person = people[step.who]
        if step.what in ("facts", "consents", "vouchers"):
            getattr(person, step.what).add(step.key)
        elif step.what == "labels" and step.key not in person.labels:
            _hold(person, step.key, day)
        elif step.what == "merge":
            _join(person, people[step.other])
            kept[step.other] = step.who
    return people, kept


def _hold(person: Person, label: str, day: int) -> None:
    for other in EXCLUSIVE - {label} if label in EXCLUSIVE else ():
        person.labels.pop(other, None)
    person.labels[label] = day


def _join(person: Person, other: Person) -> None:
    for name in ("facts", "consents", "vouchers"):
        mine, theirs = getattr(person, name), getattr(other, name)
        both = mine & theirs
        mine |= theirs
        theirs &= both
    for label, since in sorted(other.labels.items()):
        rival = next((one for one in person.labels if {one, label} == EXCLUSIVE), None)
        if label in person.labels:
            person.labels[label] = min(since, person.labels[label])
        elif rival is None or since > person.labels[rival]:
            _hold(person, label, since)
    other.labels.clear()


def _end(kept: dict[int, int], number: int) -> int:
    while number in kept:
        number = kept[number]
    return number


class Merging(RuleBasedStateMachine):
    """The database beside the model. ``said`` are the steps; undoing a merge takes its step out of them."""

    merges = Bundle("merges")

    @initialize()
    def begin(self) -> None:
        self.run = transaction.atomic()
        self.run.__enter__()
        self.said: list[Step] = []
        self.gone: set[int] = set()
        self.source = Source.objects.get(code="theatre")
        self.purpose = Purpose.objects.get(code="newsletter")
        group = LabelGroup.objects.create(code="colours", name="Colours", is_exclusive=True)
        self.labels = {
            code: Label.objects.create(
                code=code, name=code, kind="own", group=group if code in EXCLUSIVE else None, created_at=NOW
            )
            for code in ("plain", "red", "blue")
        }
        self.definition = VoucherFactory(customer=None, origin="nobody").definition
        self.people = [
            add_customer(
                number=f"K{number}", by="x", now=NOW, kind="member", source_code="library", last_name=f"N{number}"
            )
            for number in range(PEOPLE)
        ]

    def teardown(self) -> None:
        """Forget this run: the next one begins with an empty database."""
        if hasattr(self, "run"):
            transaction.set_rollback(True)
            self.run.__exit__(None, None, None)

    def moment(self) -> dt.datetime:
        return NOW + len(self.said) * DAY

    def root(self, number: int) -> int:
        """Who somebody is now: what comes in under his number is for that person."""
        return _end(play(self.said)[1], number)

    def told(self, what: str, who: int, key: str) -> None:
        """Add a step, unless it told nothing new."""
        if who not in self.gone and key not in getattr(play(self.said)[0][who], what):
            self.said.append(Step(what, who, key=key))

    def customer(self, number: int) -> Customer:
        return Customer.objects.get(pk=self.people[number].pk)

    @rule(number=WHO, key=SHARED)
    def take_in_fact(self, number: int, key: str) -> None:
        who = self.root(number)
        if who in self.gone:
            return
        record_fact(self.customer(who), kind="ticket", occurred_at=NOW, source_code="theatre", external_id=key)
        self.told("facts", who, key)

    @rule(number=WHO, key=SHARED)
    def say_yes(self, number: int, key: str) -> None:
        who = self.root(number)
        if who in self.gone:
            return
        Consent.objects.get_or_create(
            customer=self.customer(who), purpose=self.purpose, channel="email", state="granted", source=self.source,
            event_at=NOW + "abc".index(key) * DAY,
        )  # fmt: skip
        self.told("consents", who, key)

    @rule(number=WHO, key=SHARED)
    def give_voucher(self, number: int, key: str) -> None:
        who = self.root(number)
        if who in self.gone:
            return
        known = Voucher.objects.filter(customer=self.customer(who), origin=key)
        if not known.exists():
            VoucherFactory(customer=self.customer(who), definition=self.definition, origin=key)
        self.told("vouchers", who, key)

    @rule(number=WHO, key=LABELS)
    def give_label(self, number: int, key: str) -> None:
        from labels.actions import give_label

        who = self.root(number)
        if who in self.gone:
            return
        give_label(self.labels[key], Customer.objects.filter(pk=self.people[who].pk), by="x", now=self.moment())
        self.told("labels", who, key)

    @rule(target=merges, one=WHO, other=WHO)
    def merge(self, one: int, other: int) -> int:
        who, absorbed = self.root(one), self.root(other)
        if {who, absorbed} & self.gone:
            return 0
        if who == absorbed:
            with pytest.raises(Refused):
                merge_customers(self.customer(who), self.customer(who), by="x", now=self.moment())
            return 0
        merged = merge_customers(self.customer(who), self.customer(absorbed), by="x", now=self.moment())
        self.said.append(Step("merge", who, absorbed, merge=merged.pk))
        return merged.pk

    @precondition(lambda self: any(step.what == "merge" for step in self.said))
    @rule(merge=consumes(merges))
    def undo(self, merge: int) -> None:
        if Merge.objects.filter(pk=merge).exists():
            undo_merge(Merge.objects.get(pk=merge), by="x", now=self.moment())
            # Days count on, so that later ones keep theirs.
            self.said = [Step("nothing", 0) if step.merge == merge else step for step in self.said]

    @rule(number=WHO, chance=st.integers(0, 5))
    def erase(self, number: int, chance: int) -> None:
        """Now and then somebody wants to be forgotten; whoever was merged into him is he."""
        who = self.root(number)
        if chance or who in self.gone:
            return
        _people, kept = play(self.said)
        erase_customer(self.customer(who), ground="request", by="x", now=self.moment())
        self.gone |= {one for one in range(PEOPLE) if _end(kept, one) == who}

    @invariant()
    def everything_is_where_the_model_says(self) -> None:
        people, kept = play(self.said)
        for number, person in people.items():
            mine = self.people[number].pk
            if number in self.gone:
                assert not Customer.everyone.filter(pk=mine).exists()
                continue
            assert sorted(Fact.objects.filter(customer=mine).values_list("external_id", flat=True)) == sorted(
                person.facts
            )
            counted = FactTotal.objects.filter(customer=mine).values_list("count", flat=True)
            assert sum(counted) == len(person.facts)
            consents = Consent.objects.filter(customer=mine).values_list("event_at", flat=True)
            assert sorted("abc"[(at - NOW).days] for at in consents) == sorted(person.consents)
            vouchers = Voucher.objects.filter(customer=mine).values_list("origin", flat=True)
            assert sorted(vouchers) == sorted(person.vouchers)
            assert self.held(mine) == person.labels
            row = Customer.everyone.get(pk=mine)
            assert row.merged_into_id == (self.people[self.root(number)].pk if number in kept else None)
            assert row.number == f"K{number}"

    def held(self, customer: int) -> dict[str, int]:
        found = Assignment.objects.open().filter(customer=customer).values_list("label__code", "since")
        return {code: (since - NOW).days for code, since in found}

    @invariant()
    def every_record_stands_with_somebody_who_is_there(self) -> None:
        assert SourceRecord.objects.filter(customer__merged_into__isnull=False).count() == 0
        wrong = rows(
            """SELECT customer.id FROM customers_customer AS customer LEFT JOIN customers_contactpoint AS point
            ON point.customer_id = customer.id WHERE customer.merged_into_id IS NOT NULL AND point.id IS NOT NULL"""
        )
        assert not wrong


class TestMerging(TestCase, Merging.TestCase):  # type: ignore[misc, valid-type]
    settings = settings(  # type: ignore[assignment]
        max_examples=12, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck), database=None
    )
