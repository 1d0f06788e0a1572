"""Any sequence of imports, merges, undos and erasures keeps every fact, consent, voucher and label where it belongs,
and nobody is reached against a refusal or restriction that was said while he was one with another.

Beside the database runs a model in plain Python: undoing a merge is playing the steps again without it. The tests play
few sequences; ``MERGE_SEQUENCES=120 pytest …`` plays as many as you like.
"""

from __future__ import annotations

import datetime as dt
import io
import os
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from django.db import transaction
from django.test import override_settings
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
from customers.actions import record_fact, run_import, upload_import
from customers.actions.ledger import check_ledger
from customers.actions.merging import merge_customers, undo_merge
from customers.actions.people import add_customer
from customers.actions.privacy import erase_customer, restrict
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
    """What happened: to whom (as it was said then), and what of. ``by_number``: a file named him by his own number, so
    it is his wherever he belongs.
    """

    what: str
    who: int
    other: int = -1
    key: Any = None
    merge: int = 0
    by_number: bool = False


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
        person = people[_end(kept, step.who) if step.by_number else step.who]
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
        self.media = TemporaryDirectory()
        self.files = override_settings(MEDIA_ROOT=Path(self.media.name))
        self.files.enable()
        self.run = transaction.atomic()
        self.run.__enter__()
        self.refused: dict[str, set[int]] = defaultdict(set)  # what was refused -> who were that person then
        self.restricted: set[int] = set()
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
        """Look whether the ledger held, and forget this run: the next one begins with an empty database."""
        if hasattr(self, "run"):
            is_whole = check_ledger(now=self.moment()).is_whole
            transaction.set_rollback(True)
            self.run.__exit__(None, None, None)
            self.files.disable()
            self.media.cleanup()
            assert is_whole

    def moment(self) -> dt.datetime:
        return NOW + len(self.said) * DAY

    def root(self, number: int) -> int:
        """Who somebody is now: what comes in under his number is for that person."""
        return _end(play(self.said)[1], number)

    def told(self, what: str, who: int, key: str) -> None:
        """Add a step, unless it told nothing new."""
        if who not in self.gone and key not in getattr(play(self.said)[0][who], what):
            self.said.append(Step(what, who, key=key))

    def one_with(self, who: int) -> set[int]:
        """Everybody who is this person at the moment."""
        kept = play(self.said)[1]
        return {number for number in range(PEOPLE) if _end(kept, number) == who}

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
    def import_fact(self, number: int, key: str) -> None:
        """A file names somebody by his own number, whoever he is by now; what it brings is his, also after an undo."""
        who = self.root(number)
        if who in self.gone or key in play(self.said)[0][who].facts:
            return
        line = f"klantnummer,soort,tijdstip,id\nK{number},ticket,2026-01-01T10:00:00+01:00,{key}\n"
        file = io.BytesIO(line.encode())
        run = upload_import(
            format="facts", source_code="theatre", file=file, file_name="x.csv", by=None, now=self.moment()
        )
        assert run_import(run, now=self.moment()).refused_count in (0, 1)
        if Fact.objects.filter(customer=self.people[who], external_id=key).exists():
            self.said.append(Step("facts", number, key=key, by_number=True))

    @rule(number=WHO, key=SHARED)
    def say_no(self, number: int, key: str) -> None:
        """A refusal holds for everybody who is this person at the moment."""
        who = self.root(number)
        if who in self.gone:
            return
        at = NOW + "abc".index(key) * DAY
        told = {"purpose": self.purpose, "channel": "post", "state": "withdrawn", "source": self.source, "event_at": at}
        _consent, is_new = Consent.objects.get_or_create(customer=self.customer(who), **told)
        if is_new:
            self.refused[key] |= self.one_with(who)

    @rule(number=WHO)
    def restrict_use(self, number: int) -> None:
        who = self.root(number)
        if who in self.gone or self.customer(who).restricted_at:
            return
        restrict(self.customer(who), reason="x", by="x", now=self.moment())
        self.restricted |= self.one_with(who)

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
        is_restricted = self.customer(who).restricted_at is not None
        given = give_label(self.labels[key], Customer.objects.filter(pk=self.people[who].pk), by="x", now=self.moment())
        if is_restricted:
            assert not given, "his data may not be used"
        else:
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
        facts = self.had(Fact.objects.values_list("customer", "external_id"))
        counts = self.had(FactTotal.objects.values_list("customer", "count"))
        granted = self.had(Consent.objects.filter(channel="email").values_list("customer", "event_at"))
        vouchers = self.had(Voucher.objects.exclude(customer=None).values_list("customer", "origin"))
        held = Assignment.objects.open().values_list("customer", "label__code", "since")
        there = {row.pk: row for row in Customer.everyone.all()}
        for number, person in people.items():
            mine = self.people[number].pk
            if number in self.gone:
                assert mine not in there
                continue
            assert sorted(facts[mine]) == sorted(person.facts)
            assert sum(counts[mine]) == len(person.facts)
            assert sorted("abc"[(at - NOW).days] for at in granted[mine]) == sorted(person.consents)
            assert sorted(vouchers[mine]) == sorted(person.vouchers)
            assert {code: (at - NOW).days for who, code, at in held if who == mine} == person.labels
            assert there[mine].merged_into_id == (self.people[self.root(number)].pk if number in kept else None)
            assert there[mine].number == f"K{number}"

    @invariant()
    def nobody_is_reached_against_what_was_said(self) -> None:
        refusals = self.had(Consent.objects.filter(channel="post").values_list("customer", "event_at"))
        restricted = set(Customer.objects.exclude(restricted_at=None).values_list("pk", flat=True))
        for who in {self.root(number) for number in range(PEOPLE)} - self.gone:
            group, mine = self.one_with(who), self.people[who].pk
            said = {key for key, people in self.refused.items() if people & group}
            assert {"abc"[(at - NOW).days] for at in refusals[mine]} == said
            assert (mine in restricted) == bool(group & self.restricted)

    def had(self, pairs: Any) -> dict[int, list[Any]]:
        found: dict[int, list[Any]] = defaultdict(list)
        for customer, value in pairs:
            found[customer].append(value)
        return found

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
        max_examples=int(os.environ.get("MERGE_SEQUENCES", "12")),
        stateful_step_count=40,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        database=None,
    )
