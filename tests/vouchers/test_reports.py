from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from common.errors import Refused
from tests.factories import BranchFactory, CustomerFactory, DefinitionFactory, VoucherFactory
from vouchers.actions import reverse_redemption
from vouchers.models import Attempt, Definition, Redemption, Voucher

pytestmark = pytest.mark.django_db

TakeIn = Callable[..., Redemption]


def test_totals_of_a_definition(definition: Definition, take_in: TakeIn, now: dt.datetime) -> None:
    vouchers = [VoucherFactory(definition=definition, origin=str(number)) for number in range(4)]
    VoucherFactory(definition=definition, origin="oud", valid_until=dt.date(2026, 6, 14))
    VoucherFactory(definition=DefinitionFactory())
    take_in(vouchers[0], order_cents=1000)
    take_in(vouchers[1], order_cents=400)
    reverse_redemption(take_in(vouchers[2], order_cents=8000), reason="x", staff=None, now=now)
    with pytest.raises(Refused):
        take_in(vouchers[0])
    totals: Any = Definition.objects.with_totals(today=now.date()).get(pk=definition.pk)
    assert (totals.issued_count, totals.redeemed_count, totals.reversed_count) == (5, 2, 1)
    assert (totals.expired_count, totals.refused_count, totals.discount_total) == (1, 1, 350)


def test_totals_of_many_definitions_take_one_query(now: dt.datetime, django_assert_num_queries: object) -> None:
    DefinitionFactory.create_batch(5)
    with django_assert_num_queries(1):  # type: ignore[operator]
        rows: list[Any] = list(Definition.objects.with_totals(today=now.date()))
    assert [(row.issued_count, row.discount_total) for row in rows] == [(0, 0)] * 5


def test_figures_per_branch_week_and_delay(definition: Definition, take_in: TakeIn, now: dt.datetime) -> None:
    edam = BranchFactory(name="Edam")
    days = [0, 0, 5, 20, 40]
    for number, day in enumerate(days):
        voucher = VoucherFactory(definition=definition, origin=str(number), issued_at=now)
        place = {"branch": edam} if number < 3 else {}
        take_in(voucher, now=now + dt.timedelta(days=day, hours=1), order_cents=100, **place)
    reverse_redemption(Redemption.objects.latest("id"), reason="x", staff=None, now=now)
    standing = Redemption.objects.of_definition(definition).standing()
    assert standing.by_branch() == [
        {"branch": "Edam", "count": 3, "discount": 75},
        {"branch": "Purmerend", "count": 1, "discount": 25},
    ]
    assert standing.per_week() == [
        (dt.date(2026, 6, 15), 3),
        (dt.date(2026, 6, 22), 0),
        (dt.date(2026, 6, 29), 1),
    ]
    assert standing.by_delay() == {"day": 2, "week": 1, "month": 1, "later": 0}
    assert standing.discount_total() == 100


def test_a_redemption_on_sunday_night_falls_in_the_amsterdam_week(voucher: Voucher, take_in: TakeIn) -> None:
    take_in(voucher, now=dt.datetime(2026, 6, 21, 22, 30, tzinfo=dt.UTC))
    assert Redemption.objects.all().per_week() == [(dt.date(2026, 6, 22), 1)]


def test_nothing_redeemed_gives_empty_figures() -> None:
    nothing = Redemption.objects.all()
    assert (nothing.per_week(), nothing.by_branch(), nothing.discount_total()) == ([], [], 0)


def test_refusals_by_reason(take_in: TakeIn) -> None:
    for make in (
        lambda: VoucherFactory(valid_until=dt.date(2026, 6, 14)),
        lambda: VoucherFactory(valid_until=dt.date(2026, 6, 13)),
        lambda: Voucher(code="X"),
    ):
        with pytest.raises(Refused):
            take_in(make())
    assert Attempt.objects.by_reason() == [("Verlopen", 2), ("Onbekende code", 1)]


def test_codes_are_found_by_code_number_and_address() -> None:
    anna = CustomerFactory(number="555", email="anna@example.nl")
    voucher = VoucherFactory(customer=anna)
    VoucherFactory()
    for text in (voucher.code, voucher.grouped_code.lower(), f" {voucher.code[:6]} ", "555", "Anna@example.nl"):
        assert list(Voucher.objects.search(text)) == [voucher]
    assert not Voucher.objects.search("niemand@example.nl").exists()
    assert not Voucher.objects.search("   ").exists()
