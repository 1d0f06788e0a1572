from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import InternalError, connection, transaction

from common.errors import Refused
from customers.models import Branch, Fact
from tests.factories import BranchFactory, CustomerFactory, DefinitionFactory, SourceFactory, VoucherFactory
from vouchers import codes
from vouchers.actions import block_voucher, check, redeem, reverse_redemption
from vouchers.models import Attempt, Redemption, Reversal, Voucher

pytestmark = pytest.mark.django_db

TakeIn = Callable[..., Redemption]


def test_a_voucher_is_taken_in_once(voucher: Voucher, take_in: TakeIn, branch: Branch, counter_staff: User) -> None:
    redemption = take_in(voucher, reference="kassa 12")
    assert (redemption.discount_cents, redemption.order_cents, redemption.to_pay_cents) == (250, 1000, 750)
    assert (redemption.branch, redemption.staff, redemption.customer) == (branch, counter_staff, voucher.customer)
    voucher.refresh_from_db()
    assert (voucher.state, voucher.uses) == ("redeemed", 1)
    with pytest.raises(Refused) as refused:
        take_in(voucher)
    assert refused.value.code == "used"
    assert "15 juni 2026 10:00" in str(refused.value)
    assert "Purmerend" in str(refused.value)


def test_a_code_is_taken_in_however_it_is_typed(voucher: Voucher, take_in: TakeIn) -> None:
    typed = f" {codes.group(voucher.code).lower()} ".replace("0", "o").replace("1", "l").replace("5", "s")
    assert take_in(typed).voucher == voucher


def test_redeeming_is_a_fact_about_the_customer(voucher: Voucher, take_in: TakeIn, branch: Branch) -> None:
    redemption = take_in(voucher)
    fact = Fact.objects.get()
    assert (fact.customer, fact.kind, fact.branch, fact.amount_cents) == (voucher.customer, "redemption", branch, 250)
    assert (fact.occurred_at, fact.external_id) == (redemption.redeemed_at, f"redemption:{redemption.pk}")


def test_the_same_key_gives_the_same_redemption(voucher: Voucher, take_in: TakeIn) -> None:
    first = take_in(voucher, idempotency_key="a")
    assert take_in(voucher, idempotency_key="a") == first
    assert Redemption.objects.count() == Fact.objects.count() == 1
    assert not Attempt.objects.exists()


def test_the_same_key_still_answers_when_the_voucher_has_expired_since(
    voucher: Voucher, take_in: TakeIn, now: dt.datetime
) -> None:
    Voucher.objects.update(valid_until=now.date())
    first = take_in(voucher, idempotency_key="a")
    assert take_in(voucher, idempotency_key="a", now=now + dt.timedelta(days=2)) == first


@pytest.mark.parametrize(
    "change",
    [
        {"order_cents": 999},
        {"reference": "anders"},
        {"customer_number": "200001"},
        {"channel": "cart"},
        {"branch": None},
    ],
)
def test_the_same_key_with_other_details_is_a_conflict(
    voucher: Voucher, take_in: TakeIn, change: dict[str, Any]
) -> None:
    take_in(voucher, idempotency_key="a")
    with pytest.raises(Refused) as refused:
        take_in(voucher, idempotency_key="a", **change)
    assert refused.value.code == "key_reused"
    assert Redemption.objects.count() == 1


def test_the_same_key_for_another_code_is_a_conflict(voucher: Voucher, take_in: TakeIn) -> None:
    take_in(voucher, idempotency_key="a")
    with pytest.raises(Refused) as refused:
        take_in(VoucherFactory(definition=voucher.definition), idempotency_key="a")
    assert refused.value.code == "key_reused"


def test_a_redemption_without_a_key_is_a_fault_of_the_caller(voucher: Voucher, take_in: TakeIn) -> None:
    with pytest.raises(ValueError, match="idempotency"):
        take_in(voucher, idempotency_key="")


# --- refusals: each with its reason, each recorded, none with an effect ---


def unknown() -> Voucher:
    return Voucher(code=next(codes.generate(1)))


def blocked() -> Voucher:
    return block_voucher(VoucherFactory(), reason="gestolen", by=None, now=dt.datetime.now(tz=dt.UTC))


def of_definition(**fields: Any) -> Voucher:
    voucher: Voucher = VoucherFactory(definition=DefinitionFactory(**fields))
    return voucher


def elsewhere() -> Voucher:
    voucher: Voucher = VoucherFactory()
    voucher.definition.branches.add(BranchFactory(name="Edam"), BranchFactory(name="Volendam"))
    return voucher


def above_limit() -> Voucher:
    definition = DefinitionFactory(limit_total=1)
    VoucherFactory(definition=definition, uses=1, state="redeemed", origin="eerder")
    voucher: Voucher = VoucherFactory(definition=definition)
    return voucher


REFUSALS: list[tuple[str, Callable[[], Voucher], dict[str, Any]]] = [
    ("unknown", unknown, {}),
    ("unknown", lambda: Voucher(code="ABC"), {}),
    ("used", lambda: VoucherFactory(uses=1, state="redeemed"), {}),
    ("expired", lambda: VoucherFactory(valid_until=dt.date(2026, 6, 14)), {}),
    ("not_yet_valid", lambda: VoucherFactory(valid_from=dt.date(2026, 6, 16)), {}),
    ("blocked", blocked, {}),
    ("definition_paused", lambda: of_definition(state="paused"), {}),
    ("definition_closed", lambda: of_definition(state="closed"), {}),
    ("other_customer", VoucherFactory, {"customer_number": "999999"}),
    ("unknown_customer", VoucherFactory, {"customer_number": "bestaat niet"}),
    ("customer_needed", VoucherFactory, {"channel": "cart"}),
    ("wrong_branch", elsewhere, {}),
    ("wrong_branch", elsewhere, {"branch": None}),
    ("limit", above_limit, {}),
]


@pytest.mark.parametrize(("reason", "make", "changes"), REFUSALS, ids=[reason for reason, _make, _changes in REFUSALS])
def test_a_refusal_has_its_reason_is_recorded_and_changes_nothing(
    take_in: TakeIn, branch: Branch, counter_staff: User, now: dt.datetime,
    reason: str, make: Callable[[], Voucher], changes: dict[str, Any],
) -> None:  # fmt: skip
    CustomerFactory(number="999999")
    voucher = make()
    before = list(Voucher.objects.values())
    with pytest.raises(Refused) as refused:
        take_in(voucher, **changes)
    assert refused.value.code == reason
    assert str(refused.value)
    assert list(Voucher.objects.values()) == before
    assert not Redemption.objects.exists()
    assert not Fact.objects.exists()
    attempt = Attempt.objects.get()
    assert (attempt.reason, attempt.code, attempt.staff, attempt.tried_at) == (reason, voucher.code, counter_staff, now)
    assert attempt.voucher == (voucher if voucher.pk else None)


@pytest.mark.parametrize(("reason", "make", "changes"), REFUSALS, ids=[reason for reason, _make, _changes in REFUSALS])
def test_checking_refuses_for_the_same_reason_and_records_it_too(
    branch: Branch, counter_staff: User, now: dt.datetime,
    reason: str, make: Callable[[], Voucher], changes: dict[str, Any],
) -> None:  # fmt: skip
    CustomerFactory(number="999999")
    asked: dict[str, Any] = {"branch": branch, "staff": counter_staff, "channel": "counter", "now": now}
    with pytest.raises(Refused) as refused:
        check(make().code, **{**asked, **changes})
    assert refused.value.code == reason
    assert Attempt.objects.get().reason == reason


def test_every_reason_has_a_test() -> None:
    tested = {reason for reason, _make, _changes in REFUSALS}
    assert set(Attempt.Reason.values) - tested == {"too_many_attempts", "key_reused"}


def test_expired_voucher_is_refused_from_midnight_in_amsterdam(take_in: TakeIn) -> None:
    voucher = VoucherFactory(valid_until=dt.date(2026, 6, 15))
    with pytest.raises(Refused):
        take_in(voucher, now=dt.datetime(2026, 6, 15, 22, 0, tzinfo=dt.UTC))
    assert take_in(voucher, now=dt.datetime(2026, 6, 15, 21, 59, 59, tzinfo=dt.UTC)).pk


def test_what_is_typed_is_cut_when_it_is_recorded(take_in: TakeIn) -> None:
    with pytest.raises(Refused):
        take_in("A" * 500)
    assert Attempt.objects.get().code == "A" * 40


def test_a_percentage_needs_the_order_and_that_is_no_attempt(voucher: Voucher, take_in: TakeIn) -> None:
    with pytest.raises(Refused) as refused:
        take_in(voucher, order_cents=None)
    assert (refused.value.code, refused.value.field) == ("order_needed", "order_cents")
    assert not Attempt.objects.exists()
    voucher.refresh_from_db()
    assert voucher.uses == 0


def test_a_refusal_is_not_lost_in_a_transaction_of_the_caller(voucher: Voucher, take_in: TakeIn) -> None:
    with transaction.atomic(), pytest.raises(RuntimeError, match="durable"):
        take_in(voucher)


# --- holder, branch, limits ---


def test_the_holder_may_show_his_card(voucher: Voucher, take_in: TakeIn) -> None:
    assert take_in(voucher, customer_number=" 200001 ", channel="cart").customer == voucher.customer


def test_a_voucher_for_anyone_is_booked_to_the_card_that_was_shown(take_in: TakeIn) -> None:
    voucher = VoucherFactory(definition=DefinitionFactory(holder="anyone"))
    friend = CustomerFactory(number="300000")
    assert take_in(voucher, customer_number="300000").customer == friend
    assert Fact.objects.get().customer == friend


def test_a_code_without_a_name_leaves_no_fact_when_no_card_was_shown(take_in: TakeIn) -> None:
    voucher = VoucherFactory(definition=DefinitionFactory(holder="anyone"), customer=None)
    assert take_in(voucher, channel="cart").customer is None
    assert not Fact.objects.exists()


def test_a_voucher_is_taken_in_at_a_branch_of_its_list(voucher: Voucher, take_in: TakeIn, branch: Branch) -> None:
    voucher.definition.branches.add(branch)
    assert take_in(voucher).branch == branch


def test_a_code_with_three_uses_is_taken_in_three_times(take_in: TakeIn) -> None:
    voucher = of_definition(uses_per_code=3)
    for uses, state in ((1, "issued"), (2, "issued"), (3, "redeemed")):
        take_in(voucher)
        voucher.refresh_from_db()
        assert (voucher.uses, voucher.state) == (uses, state)
    with pytest.raises(Refused):
        take_in(voucher)


def test_the_limit_counts_what_stands(take_in: TakeIn, now: dt.datetime) -> None:
    definition = DefinitionFactory(limit_total=2)
    first, second, third = (VoucherFactory(definition=definition, origin=str(n)) for n in range(3))
    redemption = take_in(first)
    take_in(second)
    with pytest.raises(Refused) as refused:
        take_in(third)
    assert refused.value.code == "limit"
    reverse_redemption(redemption, reason="vergissing", staff=None, now=now)
    assert take_in(third).pk


# --- checking ---


def test_checking_tells_the_worth_and_takes_nothing_in(voucher: Voucher, branch: Branch, now: dt.datetime) -> None:
    asked: dict[str, Any] = {"branch": branch, "staff": None, "channel": "counter", "now": now}
    assert check(voucher.code, **asked).discount_cents is None
    offer = check(voucher.code, order_cents=2000, **asked)
    assert (offer.voucher, offer.customer, offer.discount_cents) == (voucher, voucher.customer, 500)
    assert not Redemption.objects.exists()
    assert not Attempt.objects.exists()


# --- throttle ---


def miss(take_in: TakeIn, times: int, **changes: Any) -> str:
    for _time in range(times):
        with pytest.raises(Refused) as refused:
            take_in(unknown(), **changes)
    return refused.value.code


def test_after_ten_misses_in_a_minute_even_a_good_code_has_to_wait(
    voucher: Voucher, take_in: TakeIn, now: dt.datetime
) -> None:
    assert miss(take_in, 10) == "unknown"
    with pytest.raises(Refused) as refused:
        take_in(voucher)
    assert refused.value.code == "too_many_attempts"
    with pytest.raises(Refused):
        take_in(voucher, now=now + dt.timedelta(seconds=59))
    assert take_in(voucher, now=now + dt.timedelta(seconds=61)).pk


def test_used_vouchers_do_not_make_a_queue_wait(voucher: Voucher, take_in: TakeIn) -> None:
    take_in(voucher)
    for _time in range(12):
        with pytest.raises(Refused) as refused:
            take_in(voucher)
        assert refused.value.code == "used"
    assert take_in(VoucherFactory(definition=voucher.definition)).pk


def test_waiting_attempts_do_not_make_the_wait_longer(take_in: TakeIn, now: dt.datetime, voucher: Voucher) -> None:
    miss(take_in, 10)
    assert miss(take_in, 10, now=now + dt.timedelta(seconds=40)) == "too_many_attempts"
    assert take_in(voucher, now=now + dt.timedelta(seconds=61)).pk


def test_other_staff_and_other_branches_do_not_wait(voucher: Voucher, take_in: TakeIn, administrator: User) -> None:
    miss(take_in, 10)
    assert take_in(voucher, staff=administrator).pk
    assert take_in(VoucherFactory(definition=voucher.definition), branch=BranchFactory()).pk


def test_a_redemption_repeated_by_key_does_not_wait(voucher: Voucher, take_in: TakeIn) -> None:
    first = take_in(voucher, idempotency_key="a")
    miss(take_in, 11)
    assert take_in(voucher, idempotency_key="a") == first


# --- taking back and blocking ---


def test_a_redemption_is_taken_back_once_and_the_code_is_good_again(
    voucher: Voucher, take_in: TakeIn, now: dt.datetime, administrator: User
) -> None:
    redemption = take_in(voucher)
    later = now + dt.timedelta(minutes=5)
    reversal = reverse_redemption(redemption, reason=" verkeerde bon ", staff=administrator, now=later)
    assert (reversal.reason, reversal.staff, reversal.reversed_at) == ("verkeerde bon", administrator, later)
    voucher.refresh_from_db()
    assert (voucher.state, voucher.uses) == ("issued", 0)
    assert list(Fact.objects.order_by("id").values_list("kind", flat=True)) == ["redemption", "redemption_reversed"]
    with pytest.raises(Refused) as refused:
        reverse_redemption(redemption, reason="nog eens", staff=administrator, now=later)
    assert refused.value.code == "already_reversed"
    assert take_in(voucher).pk


def test_taking_back_needs_a_reason(voucher: Voucher, take_in: TakeIn, now: dt.datetime) -> None:
    redemption = take_in(voucher)
    with pytest.raises(Refused) as refused:
        reverse_redemption(redemption, reason="  ", staff=None, now=now)
    assert (refused.value.code, refused.value.field) == ("reason_needed", "reason")
    assert not Reversal.objects.exists()


def test_taking_back_does_not_free_a_blocked_code(voucher: Voucher, take_in: TakeIn, now: dt.datetime) -> None:
    redemption = take_in(voucher)
    block_voucher(voucher, reason="fraude", by=None, now=now)
    reverse_redemption(redemption, reason="fraude", staff=None, now=now)
    voucher.refresh_from_db()
    assert (voucher.state, voucher.uses) == ("blocked", 0)


def test_blocking_keeps_who_and_why_and_happens_once(voucher: Voucher, now: dt.datetime, marketeer: User) -> None:
    block_voucher(voucher, reason="dubbel verstuurd", by=marketeer, now=now)
    voucher.refresh_from_db()
    assert (voucher.state, voucher.block_reason, voucher.blocked_by) == ("blocked", "dubbel verstuurd", marketeer)
    for reason, code in (("nog eens", "already_blocked"), ("", "reason_needed")):
        with pytest.raises(Refused) as refused:
            block_voucher(voucher, reason=reason, by=marketeer, now=now)
        assert refused.value.code == code


def test_the_database_keeps_redemptions_and_reversals_as_they_are(
    voucher: Voucher, take_in: TakeIn, now: dt.datetime
) -> None:
    redemption = take_in(voucher)
    reverse_redemption(redemption, reason="x", staff=None, now=now)
    for rows in (Redemption.objects.all(), Reversal.objects.all()):
        with pytest.raises(InternalError, match="Cannot update or delete"), transaction.atomic():
            rows.update(staff=None)
        with pytest.raises(InternalError, match="Cannot update or delete"), transaction.atomic():
            rows._raw_delete(rows.db)


# --- at the same moment ---


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("same_key", [False, True])
def test_of_eight_counters_with_one_code_exactly_one_wins(now: dt.datetime, same_key: bool) -> None:
    SourceFactory(code="vouchers")
    voucher = VoucherFactory()

    def ask(number: int) -> object:
        try:
            return redeem(
                voucher.code, branch=None, staff=None, channel="counter", order_cents=1000, now=now,
                idempotency_key="one" if same_key else f"key {number}",
            ).pk  # fmt: skip
        except Refused as refused:
            return refused.code
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(ask, range(8)))
    winner = Redemption.objects.get()
    assert sorted(map(str, answers)) == sorted([str(winner.pk)] * 8 if same_key else [str(winner.pk), *["used"] * 7])
    assert Attempt.objects.filter(reason="used").count() == (0 if same_key else 7)
    assert Fact.objects.count() == 1
    assert Voucher.objects.get().uses == 1


@pytest.mark.django_db(transaction=True)
def test_of_eight_codes_at_once_no_more_than_the_limit_win(now: dt.datetime) -> None:
    SourceFactory(code="vouchers")
    definition = DefinitionFactory(limit_total=3)
    vouchers = [VoucherFactory(definition=definition, origin=str(number)) for number in range(8)]

    def ask(voucher: Voucher) -> str:
        try:
            redeem(
                voucher.code, branch=None, staff=None, channel="counter", order_cents=1000, now=now,
                idempotency_key=voucher.code,
            )  # fmt: skip
        except Refused as refused:
            return refused.code
        finally:
            connection.close()
        return "ok"

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(ask, vouchers))
    assert sorted(answers) == ["limit"] * 5 + ["ok"] * 3
