"""Whoever gets around the triggers is found out: changed, removed, moved, and cut off at the end."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from common.sql import execute
from customers.actions.ledger import check_ledger
from customers.models import Consent, Customer, Erasure, LedgerCheck, Merge
from customers.tasks import check_ledger_nightly
from tests.factories import NOW, ConsentFactory, CustomerFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def chain() -> list[Consent]:
    """Three answers of one customer, and one of another."""
    customer = CustomerFactory()
    rows = [ConsentFactory(customer=customer, event_at=NOW.replace(hour=hour)) for hour in (1, 2, 3)]
    ConsentFactory()
    return rows


def tamper(statement: str, *params: object) -> None:
    """Do what somebody with the rights of a superuser could do."""
    execute("SET CONSTRAINTS ALL IMMEDIATE")
    execute("SET LOCAL session_replication_role = replica")
    execute(statement, params)
    execute("SET LOCAL session_replication_role = origin")


def found() -> dict[int, str]:
    return dict(check_ledger(now=NOW).broken)


def verify() -> tuple[int, str]:
    out = StringIO()
    try:
        call_command("verify_consents", stdout=out)
    except SystemExit as stop:
        return int(stop.code or 0), out.getvalue()
    return 0, out.getvalue()


def test_a_whole_ledger_passes(chain: list[Consent]) -> None:
    code, out = verify()
    assert (code, out.strip()) == (0, "4 rows, 0 broken, 0 missing")
    assert LedgerCheck.objects.get().is_whole


def test_an_empty_ledger_is_whole() -> None:
    assert verify()[0] == 0


@pytest.mark.parametrize(
    "change",
    [
        "state = 'objected'",
        "event_at = event_at - interval '1 microsecond'",
        "received_at = received_at - interval '1 day'",
        "wording_version = '2023-1'",
        "evidence = '{\"x\": 1}'",
        "actor = 'iemand anders'",
        "guardian_id = 1",
        "channel = 'post'",
        "hash = sha256('x')",
        "run_id = 7",
    ],
)
def test_a_changed_row_is_named(chain: list[Consent], change: str) -> None:
    tamper(f"UPDATE customers_consent SET {change} WHERE id = %s", chain[1].pk)  # noqa: S608 - our own
    broken = found()
    assert broken[chain[1].pk] == "changed"
    assert set(broken) <= {chain[1].pk, chain[2].pk}
    code, out = verify()
    assert code == 1
    assert f"row {chain[1].pk} of customer {chain[1].customer.number}: " in out
    assert chain[1].customer.last_name not in out


def test_a_row_changed_together_with_its_own_hash_breaks_the_next(chain: list[Consent]) -> None:
    tamper("UPDATE customers_consent SET state = 'objected' WHERE id = %s", chain[1].pk)
    tamper(
        """UPDATE customers_consent AS c SET hash = sha256(before.hash || convert_to(customers_consent_text(c), 'UTF8'))
        FROM customers_consent AS before WHERE before.id = %s AND c.id = %s""",
        chain[0].pk,
        chain[1].pk,
    )
    assert found() == {chain[2].pk: "changed"}


def test_a_removed_row_leaves_a_gap(chain: list[Consent]) -> None:
    tamper("DELETE FROM customers_consent WHERE id = %s", chain[1].pk)
    assert found() == {chain[2].pk: "gap"}


def test_rows_that_changed_places_are_named(chain: list[Consent]) -> None:
    one, other = chain[0], chain[1]
    for row, moment in ((one, NOW.replace(year=2001)), (other, one.event_at), (one, other.event_at)):
        tamper("UPDATE customers_consent SET event_at = %s WHERE id = %s", moment, row.pk)
    assert found() == {one.pk: "changed", other.pk: "changed"}


def test_positions_that_were_exchanged_are_named(chain: list[Consent]) -> None:
    for row, place in ((chain[1], 99), (chain[2], 2), (chain[1], 3)):
        tamper("UPDATE customers_consent SET position = %s WHERE id = %s", place, row.pk)
    assert set(found().values()) == {"changed"}
    assert {chain[1].pk, chain[2].pk} <= set(found())


@pytest.mark.parametrize(("place", "problem"), [(4, "changed"), (9, "gap")])
def test_a_row_that_was_slipped_in_with_a_hash_of_its_own_is_named(
    chain: list[Consent], place: int, problem: str
) -> None:
    tamper(
        f"""INSERT INTO customers_consent (customer_id, purpose_id, channel, state, source_id, actor, wording_version,
            evidence, event_at, subject_id, position, hash)
        SELECT customer_id, purpose_id, channel, 'granted', source_id, 'customer', '', '{{}}',
            event_at + interval '1 day', subject_id, {place}, sha256('zelf gemaakt')
        FROM customers_consent WHERE id = %s""",  # noqa: S608 - our own
        chain[2].pk,
    )
    forged = Consent.objects.get(position=place)
    assert found() == {forged.pk: problem}


def test_a_row_put_in_the_middle_with_the_right_hash_breaks_what_follows(chain: list[Consent]) -> None:
    """Whoever knows how hashes are made can seal a row between two others, and not what was sealed after it."""
    tamper("UPDATE customers_consent SET position = 40 WHERE id = %s", chain[2].pk)
    tamper("UPDATE customers_consent SET position = 4 WHERE id = %s", chain[2].pk)
    ConsentFactory(customer=chain[0].customer, event_at=NOW.replace(hour=9))  # the trigger seals it behind place 4
    tamper("UPDATE customers_consent SET position = 3 WHERE position = 5")
    assert chain[2].pk in found()


def test_a_chain_that_went_as_a_whole_is_missed_by_the_next_check(chain: list[Consent]) -> None:
    check_ledger(now=NOW)
    tamper("DELETE FROM customers_consent WHERE customer_id = %s", chain[0].customer_id)
    check = check_ledger(now=NOW)
    assert (check.broken_count, check.missing_count) == (0, 3)
    assert verify()[0] == 0  # said once: the check before is what one compares with
    assert LedgerCheck.objects.filter(missing_count=3).count() == 1


def test_the_first_row_that_went_leaves_a_gap(chain: list[Consent]) -> None:
    tamper("DELETE FROM customers_consent WHERE id = %s", chain[0].pk)
    assert found() == {chain[1].pk: "gap"}


def test_rows_cut_off_at_the_end_are_missed_by_the_next_check(chain: list[Consent]) -> None:
    check_ledger(now=NOW)
    tamper("DELETE FROM customers_consent WHERE id = %s", chain[2].pk)
    ConsentFactory()
    check = check_ledger(now=NOW)
    assert (check.broken_count, check.missing_count, check.is_whole) == (0, 1, False)


def test_an_erasure_explains_what_is_gone(chain: list[Consent]) -> None:
    check_ledger(now=NOW)
    execute("SET LOCAL wise.erasing = 'on'")
    Consent.objects.filter(customer=chain[0].customer).delete()
    Erasure.objects.create(ground="request", erased_by="test", erased_at=NOW, counts={"customers_consent": 3})
    assert check_ledger(now=NOW).is_whole


def test_a_row_that_stands_with_another_is_named_unless_a_merge_explains_it(chain: list[Consent]) -> None:
    absorbed, between, kept = chain[0].customer, CustomerFactory(), CustomerFactory()
    tamper("UPDATE customers_consent SET customer_id = %s WHERE customer_id = %s", kept.pk, absorbed.pk)
    assert found() == dict.fromkeys((row.pk for row in chain), "moved")
    merges = [
        Merge.objects.create(kept=one, absorbed=other, merged_by="test", merged_at=NOW)
        for one, other in ((between, absorbed), (kept, between))
    ]
    assert found() == {}
    merges[1].undone_at = NOW
    merges[1].save()
    assert len(found()) == 3


def test_the_nightly_check_says_how_much_is_wrong(chain: list[Consent]) -> None:
    assert check_ledger_nightly() == 0
    tamper("UPDATE customers_consent SET state = 'objected' WHERE id = %s", chain[2].pk)
    assert check_ledger_nightly() == 1


def test_a_check_is_a_few_statements_however_long_the_ledger_is() -> None:
    def count() -> int:
        with CaptureQueriesContext(
            connection,
        ) as captured:
            check_ledger(now=NOW)
        return len(captured)

    check_ledger(now=NOW)
    few = count()
    customer: Customer = CustomerFactory()
    for hour in range(20):
        ConsentFactory(customer=customer, event_at=NOW.replace(hour=hour))
    assert count() == few <= 15
