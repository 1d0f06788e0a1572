"""The ledger as a whole: what holds is a plain fold of what was said, at every moment, for 10,000 random histories;
writers at the same moment make one chain; nothing can be rewritten.
"""

from __future__ import annotations

import datetime as dt
import json
import random
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Barrier

import pytest
from django.db import IntegrityError, connections, transaction
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from common.sql import as_subquery, copy_rows, execute, rows
from customers.consents import record_consent, states_of, verdicts_sql
from customers.consents.channels import ensure_channels
from customers.models import Channel, Consent, Customer, Purpose, PurposeChannel, Source
from tests.factories import NOW, ConsentFactory, CustomerFactory, PurposeFactory, SourceFactory
from tests.tries import tries

pytestmark = pytest.mark.django_db
HOUR = dt.timedelta(hours=1)
MOMENTS = [NOW + hour * HOUR for hour in range(-3, 4)]
LOOKED_AT = [MOMENTS[0] - HOUR, *MOMENTS]
BASES = ["consent", "customer_relation", "legitimate_interest", "service", "none"]
BORN = [None, dt.date(1980, 1, 1), dt.date(2015, 1, 1), dt.date(2010, 6, 15)]  # the last turns 16 on that day
ORDER = ["granted", "withdrawn", "objected"]


@dataclass(frozen=True)
class Said:
    """One answer: ``taken_back`` is the moment of its retraction."""

    at: dt.datetime
    state: str
    by_parent: bool
    taken_back: dt.datetime | None


@dataclass(frozen=True)
class Person:
    kind: str
    born: dt.date | None
    has_paid: bool
    restricted_at: dt.datetime | None
    deceased_on: dt.date | None


def fold(person: Person, basis: str, *, is_confirmed: bool, said: list[Said], as_of: dt.datetime) -> tuple[str, str]:
    """Say once more what holds, in the plainest way: go through what was said in order of time, refusals last."""
    if person.restricted_at and person.restricted_at <= as_of:
        return "restricted", ""
    if person.deceased_on and person.deceased_on <= as_of.date():
        return "deceased", ""
    state, by_child = "", False
    for one in sorted(said, key=lambda one: (one.at, ORDER.index(one.state))):
        if one.at > as_of or (one.taken_back and one.taken_back <= as_of):
            continue
        if one.state == "granted" and not one.by_parent and under_sixteen(person.born, one.at.date()):
            by_child = True
        else:
            state = one.state
    ground = ground_of(person, basis, state, is_confirmed=is_confirmed)
    if ground:
        return "allowed", ground
    if state in ("withdrawn", "objected"):
        return {"withdrawn": "withdrawn", "objected": "objection"}[state], ""
    return ("under_age" if by_child and not state and basis != "none" else "no_permission"), ""


def under_sixteen(born: dt.date | None, day: dt.date) -> bool:
    """Count birthdays, as people do; nobody here was born on 29 February."""
    return born is not None and day.year - born.year - ((day.month, day.day) < (born.month, born.day)) < 16


def ground_of(person: Person, basis: str, state: str, *, is_confirmed: bool) -> str:
    if basis == "service" and person.kind == "member":
        return "service"
    if basis != "none" and state == "granted":
        return "consent"
    may = {
        "service": person.kind != "prospect",
        "legitimate_interest": person.kind in ("member", "former"),
        "customer_relation": person.kind == "member" and person.has_paid and is_confirmed,
    }
    return basis if not state and may.get(basis) else ""


# --- ten thousand histories, in a few statements ---

PEOPLE = 10_000
CHANNELS = ["email", "phone"]


def random_person(rng: random.Random) -> Person:
    return Person(
        kind=rng.choice(Customer.Kind.values),
        born=rng.choice(BORN),
        has_paid=rng.random() < 0.5,
        restricted_at=rng.choice(MOMENTS) if rng.random() < 0.05 else None,
        deceased_on=rng.choice([NOW.date(), (NOW - dt.timedelta(days=1)).date()]) if rng.random() < 0.05 else None,
    )


def random_history(rng: random.Random) -> list[Said]:
    found: dict[tuple[dt.datetime, str], Said] = {}
    for _number in range(rng.randrange(7)):
        at, state = rng.choice(MOMENTS), rng.choice(ORDER)
        taken_back = rng.choice([moment for moment in MOMENTS if moment >= at]) if rng.random() < 0.25 else None
        found[at, state] = Said(at, state, rng.random() < 0.4, taken_back)
    return list(found.values())


def store_people(people: list[Person], source: Source) -> list[int]:
    columns = ["number", "kind", "birth_date", "restricted_at", "deceased_on", "source_id", "created_at", "updated_at"]
    texts = ["initials", "first_name", "name_prefix", "last_name", "gender", "street", "house_number"]
    texts += ["house_number_addition", "postal_code", "city"]
    known = [
        (f"L{n:06d}", one.kind, one.born, one.restricted_at, one.deceased_on, source.pk, NOW, NOW, *[""] * len(texts))
        for n, one in enumerate(people)
    ]
    defaults = {"link_version": 0, "address_state": ""}
    copy_rows(
        "customers_customer", [*columns, *texts, *defaults], ((*row, *defaults.values()) for row in known)
    )  # fmt: skip
    ids = list(Customer.objects.filter(number__startswith="L").order_by("number").values_list("pk", flat=True))
    payers = [pk for pk, one in zip(ids, people, strict=True) if one.has_paid]
    paid = [(pk, f"P{pk}", "v", "V", 5000, "2020-01-01", "ideal", source.pk) for pk in payers]
    copy_rows(
        "customers_subscription",
        ["customer_id", "number", "type", "name", "price_cents", "started_on", "payment_method", "source_id"],
        paid,
    )
    return ids


def store_histories(histories: dict[tuple[int, str], list[Said]], purpose: Purpose, source: Source) -> None:
    columns = ["customer_id", "purpose_id", "channel", "state", "source_id", "actor", "wording_version", "evidence",
               "event_at", "guardian_id"]  # fmt: skip
    copy_rows("customers_consent", columns, (
        (pk, purpose.pk, channel, one.state, source.pk, "test", "1", "{}", one.at, 1 if one.by_parent else None)
        for (pk, channel), said in histories.items() for one in said
    ))  # fmt: skip
    execute("ANALYZE customers_customer, customers_subscription, customers_consent")  # as after an import
    taken = [[pk, channel, one.state, one.at.isoformat(), one.taken_back.isoformat()]
             for (pk, channel), said in histories.items() for one in said if one.taken_back]  # fmt: skip
    execute(
        """
        INSERT INTO customers_consent (customer_id, purpose_id, channel, state, source_id, actor, wording_version,
            evidence, event_at, retracts_id)
        SELECT said.customer_id, said.purpose_id, said.channel, 'retracted', said.source_id, 'test', '', '{}',
            (one ->> 4)::timestamptz, said.id
        FROM jsonb_array_elements(%s::jsonb) AS one
        JOIN customers_consent AS said ON said.customer_id = (one ->> 0)::bigint AND said.channel = one ->> 1
            AND said.state = one ->> 2 AND said.event_at = (one ->> 3)::timestamptz
        """,
        [json.dumps(taken)],
    )


@pytest.mark.parametrize("basis", BASES)
def test_two_thousand_random_histories_per_ground_are_a_plain_fold_at_every_moment(basis: str) -> None:
    """Five grounds make 10,000 people, each with a history on two channels, looked at before, at and after it all."""
    rng = random.Random(f"ledger-{basis}")
    purpose, source = PurposeFactory(code=f"fold-{basis}"), SourceFactory()
    is_confirmed = basis == "customer_relation" and rng.random() < 0.9
    purpose.channels.update(
        basis=basis, same_entity=is_confirmed, was_informed=True, could_refuse=True, own_similar=True
    )
    people = [random_person(rng) for _number in range(PEOPLE // len(BASES))]
    ids = store_people(people, source)
    histories = {(pk, channel): random_history(rng) for pk in ids for channel in CHANNELS}
    store_histories(histories, purpose, source)
    seen: dict[str, int] = defaultdict(int)
    for as_of in LOOKED_AT:
        # A retraction may be a microsecond later than asked; nobody looks between two microseconds.
        moment = as_of + dt.timedelta(milliseconds=1)
        for channel in CHANNELS:
            everybody = "SELECT id FROM customers_customer"
            found = rows(verdicts_sql(everybody, purpose=purpose, channel=channel, as_of=moment), {})
            verdicts = {row["customer_id"]: (row["verdict"], row["basis"]) for row in found}
            for pk, person in zip(ids, people, strict=True):
                said = histories[pk, channel]
                expected = fold(person, basis, is_confirmed=is_confirmed, said=said, as_of=moment)
                assert verdicts[pk] == expected, (person, said, moment)
                seen[expected[0]] += 1
    assert len(seen) >= 5


# --- the same, smaller, and found by search: it also holds for the words ---

ANSWERS = st.lists(
    st.builds(
        Said,
        at=st.sampled_from(MOMENTS),
        state=st.sampled_from(ORDER),
        by_parent=st.booleans(),
        taken_back=st.none() | st.sampled_from(MOMENTS),
    ),
    max_size=6,
    unique_by=lambda one: (one.at, one.state),
)
PERSONS = st.builds(
    Person,
    kind=st.sampled_from(Customer.Kind.values),
    born=st.sampled_from(BORN),
    has_paid=st.booleans(),
    restricted_at=st.none() | st.sampled_from(MOMENTS),
    deceased_on=st.none() | st.just(NOW.date()),
)
MEMBER = Person("member", None, True, None, None)


@settings(max_examples=tries(40), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(said=ANSWERS, person=PERSONS, basis=st.sampled_from(BASES))
@example(said=[Said(NOW, "granted", False, None), Said(NOW, "withdrawn", False, None)], person=MEMBER, basis="consent")
@example(said=[Said(NOW, "objected", False, NOW + HOUR)], person=MEMBER, basis="customer_relation")
def test_what_is_explained_is_what_is_decided(db: None, said: list[Said], person: Person, basis: str) -> None:
    with transaction.atomic():
        purpose, source = PurposeFactory(code=f"fold-{basis}"), SourceFactory()
        PurposeChannel.objects.filter(purpose=purpose).update(basis=basis)
        [pk] = store_people([person], source)
        said = [one for one in said if not one.taken_back or one.taken_back >= one.at]
        store_histories({(pk, "email"): said}, purpose, source)
        customer = Customer.objects.get(pk=pk)
        for as_of in LOOKED_AT:
            moment = as_of + dt.timedelta(milliseconds=1)
            expected = fold(person, basis, is_confirmed=True, said=said, as_of=moment)
            own = as_subquery(Customer.objects.filter(pk=pk).values("pk"))
            [found] = rows(verdicts_sql(own, purpose=purpose, channel="email", as_of=moment), {})
            assert (found["verdict"], found["basis"]) == expected
            for state in states_of(customer, now=moment):
                if (state.purpose, state.channel) == (purpose, Channel.EMAIL):
                    assert (state.verdict, state.basis) == expected
                    assert state.explanation.startswith("Toegestaan" if state.is_allowed else "Niet toegestaan")
        transaction.set_rollback(True)


# --- writers at the same moment ---


def is_whole() -> bool:
    from customers.actions.ledger import check_ledger

    return check_ledger(now=NOW).is_whole


@pytest.mark.django_db(transaction=True)
def test_writers_at_the_same_moment_make_one_chain() -> None:
    source = SourceFactory(code="counter")
    purpose, customer = PurposeFactory(), CustomerFactory(source=source)

    def write(number: int) -> None:
        try:
            for hour in range(20):
                record_consent(
                    customer, purpose=purpose, channel="email", state=ORDER[(number + hour) % 3],
                    source_code="counter", actor=f"{number}", event_at=NOW + (number * 100 + hour) * HOUR,
                )  # fmt: skip
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(4)))
    places = list(Consent.objects.order_by("position").values_list("position", flat=True))
    assert places == list(range(1, 81))
    assert is_whole()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("seed", range(3))
def test_what_two_writers_say_at_once_is_the_fold_of_both(seed: int) -> None:
    """One tells rows one by one, as the desk does; the other many in one statement, as an import does. Two connections,
    the same thirty people, nothing between them but the database.
    """
    rng = random.Random(f"writers-{seed}")
    source, purpose = SourceFactory(code="counter"), PurposeFactory(code="fold-writers")
    purpose.channels.update(basis="consent")
    people = [Person("member", None, True, None, None) for _number in range(30)]
    ids = store_people(people, source)
    customers = dict(zip(ids, Customer.objects.filter(pk__in=ids).order_by("number"), strict=True))
    said: dict[int, list[Said]] = {
        pk: [Said(at, rng.choice(ORDER), False, None) for at in rng.sample(MOMENTS, 6)] for pk in ids
    }
    barrier = Barrier(2)

    def one_by_one() -> None:
        barrier.wait(timeout=60)
        for number in range(3):
            for pk in rng_order:
                one = said[pk][number]
                record_consent(
                    customers[pk], purpose=purpose, channel="email", state=one.state, source_code="counter",
                    actor="one", event_at=one.at,
                )  # fmt: skip

    def many_at_once() -> None:
        barrier.wait(timeout=60)
        for number in range(3, 6):
            told = [[pk, said[pk][number].state, said[pk][number].at.isoformat()] for pk in ids]
            execute(
                """INSERT INTO customers_consent (customer_id, purpose_id, channel, state, source_id, actor,
                    wording_version, evidence, event_at)
                SELECT (one ->> 0)::bigint, %s, 'email', one ->> 1, %s, 'many', '', '{}', (one ->> 2)::timestamptz
                FROM jsonb_array_elements(%s::jsonb) AS one ORDER BY (one ->> 0)::bigint ON CONFLICT DO NOTHING""",
                [purpose.pk, source.pk, json.dumps(told)],
            )

    def writer(write: Callable[[], None]) -> None:
        try:
            write()
        finally:
            connections.close_all()

    rng_order = rng.sample(ids, len(ids))
    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(writer, one_by_one), pool.submit(writer, many_at_once)]:
            done.result()
    assert Consent.objects.count() == 30 * 6
    assert is_whole()
    for as_of in LOOKED_AT:
        found = rows(
            verdicts_sql("SELECT id FROM customers_customer", purpose=purpose, channel="email", as_of=as_of), {}
        )
        for row in found:
            expected = fold(people[0], "consent", is_confirmed=True, said=said[row["customer_id"]], as_of=as_of)
            assert (row["verdict"], row["basis"]) == expected


@pytest.mark.django_db(transaction=True)
def test_the_same_event_told_by_two_at_once_is_one_row() -> None:
    SourceFactory(code="counter")
    purpose, customer = PurposeFactory(), CustomerFactory()

    def write(_number: int) -> int:
        try:
            return record_consent(
                customer, purpose=purpose, channel="email", state="granted", source_code="counter", actor="x",
                event_at=NOW,
            ).pk  # fmt: skip
        finally:
            connections.close_all()

    with ThreadPoolExecutor(6) as pool:
        assert len(set(pool.map(write, range(6)))) == 1
    assert Consent.objects.get().position == 1


def scans() -> int:
    """How often all of the ledger was read, by this connection too."""
    rows("SELECT pg_stat_force_next_flush()")
    [found] = rows("SELECT seq_scan FROM pg_stat_user_tables WHERE relname = 'customers_consent'")
    return int(found["seq_scan"])


@pytest.mark.django_db(transaction=True)
def test_adding_a_row_never_reads_the_whole_ledger() -> None:
    """A session that saw an empty table keeps that plan; an import of a million rows would then take days."""
    execute("DISCARD PLANS")
    execute("VACUUM ANALYZE customers_consent")  # empty, as in a new installation
    purpose, source, customer = PurposeFactory(), SourceFactory(), CustomerFactory()
    before = scans()
    for hour in range(20):
        ConsentFactory(customer=customer, event_at=NOW + hour * HOUR, purpose=purpose, source=source)
    assert scans() == before


def test_when_a_row_came_in_is_what_the_database_says() -> None:
    consent = ConsentFactory(received_at=NOW)
    consent.refresh_from_db()
    assert consent.received_at == rows("SELECT now() AS now")[0]["now"]


# --- nothing is rewritten ---


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE customers_consent SET state = 'granted'",
        "UPDATE customers_consent SET customer_id = customer_id + 1",
        "DELETE FROM customers_consent",
    ],
)
def test_rows_cannot_be_changed_or_deleted(statement: str) -> None:
    ConsentFactory(state="withdrawn")
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        execute(statement)


def test_merging_moves_rows_and_changes_nothing_else() -> None:
    consent, other = ConsentFactory(), CustomerFactory()
    with transaction.atomic():
        execute("SET LOCAL wise.merging = 'on'")
        with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
            execute("UPDATE customers_consent SET customer_id = %s, state = 'objected'", [other.pk])
        execute("UPDATE customers_consent SET customer_id = %s", [other.pk])
    consent.refresh_from_db()
    assert (consent.customer, consent.subject_id) == (other, consent.subject_id)


def test_the_ledger_cannot_be_emptied_at_once() -> None:
    ConsentFactory()
    execute("SET CONSTRAINTS ALL IMMEDIATE")  # rows that wait to be checked would stand in the way
    for statement in ("TRUNCATE customers_consent", "TRUNCATE customers_customer CASCADE"):
        with pytest.raises(IntegrityError, match="TRUNCATE refused"), transaction.atomic():
            execute(statement)
    assert Consent.objects.count() == 1


def test_every_purpose_has_channels_in_a_new_installation() -> None:
    from django.apps import apps

    assert not Purpose.objects.filter(channels=None).exists()
    assert ensure_channels(lambda name: apps.get_model("customers", name)) == 0
