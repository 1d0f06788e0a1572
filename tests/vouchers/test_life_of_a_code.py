"""Whatever is issued, redeemed, repeated, reversed or expires in whatever order: the limits hold."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any, TypeVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase
from hypothesis.stateful import (
    Bundle,
    MultipleResults,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    rule,
)

from common.errors import Refused
from customers.models import Customer
from tests.factories import NOW, CustomerFactory, DefinitionFactory, SourceFactory
from vouchers.actions import issue_vouchers, redeem, reverse_redemption
from vouchers.models import Attempt, Redemption, Reversal, Voucher

T = TypeVar("T")
Done = tuple[str, dict[str, Any], int]
PEOPLE = 3
EXPECTED_REFUSALS = {"used", "expired", "limit", "too_many_attempts"}


def outcome(attempt: Callable[[], T]) -> T | str:
    """What came of it, or the code of the refusal."""
    try:
        return attempt()
    except Refused as refused:
        return refused.code


class LifeOfACode(RuleBasedStateMachine):
    codes: Bundle[str] = Bundle("codes")
    redeemed: Bundle[Done] = Bundle("redeemed")

    @initialize(
        uses=st.integers(1, 3),
        limit=st.none() | st.integers(1, 5),
        issued=st.integers(1, 8),
        days=st.none() | st.integers(0, 6),
    )
    def define(self, uses: int, limit: int | None, issued: int, days: int | None) -> None:
        SourceFactory(code="vouchers")
        self.now = NOW
        self.keys = 0
        self.refused = 0
        self.customers = [CustomerFactory() for _person in range(PEOPLE)]
        self.definition = DefinitionFactory(
            uses_per_code=uses, limit_total=limit, limit_issued=issued, valid_days=days, holder="customer"
        )

    @rule(target=codes, occasion=st.integers(1, 4))
    def issue(self, occasion: int) -> MultipleResults[str]:
        origin, before = f"mailing:{occasion}", Voucher.objects.count()
        had = Voucher.objects.filter(origin=origin).count()
        new = outcome(lambda: issue_vouchers(self.definition, Customer.objects.all(), origin=origin, now=self.now))
        if isinstance(new, str):
            assert (new, Voucher.objects.count()) == ("limit", before)
            return multiple()
        assert new == PEOPLE - had
        return multiple(*Voucher.objects.filter(origin=origin).order_by("-id").values_list("code", flat=True)[:new])

    @rule(target=redeemed, code=codes, order=st.integers(0, 5000))
    def redeem(self, code: str, order: int) -> MultipleResults[Done]:
        self.keys += 1
        asked: dict[str, Any] = {"order_cents": order, "idempotency_key": f"key {self.keys}"}
        redemption = outcome(lambda: self.take_in(code, asked))
        if isinstance(redemption, str):
            assert redemption in EXPECTED_REFUSALS
            self.refused += 1
            return multiple()
        assert redemption.discount_cents <= order
        return multiple((code, asked, redemption.pk))

    @rule(done=redeemed)
    def repeat(self, done: Done) -> None:
        code, asked, redemption = done
        assert self.take_in(code, asked).pk == redemption

    @rule(done=redeemed)
    def repeat_with_other_details(self, done: Done) -> None:
        code, asked, _redemption = done
        other = {**asked, "order_cents": 9999}
        assert outcome(lambda: self.take_in(code, other)) == "key_reused"
        self.refused += 1

    @rule(done=consumes(redeemed))
    def reverse(self, done: Done) -> None:
        redemption = Redemption.objects.get(pk=done[2])
        if hasattr(redemption, "reversal"):
            return
        reverse_redemption(redemption, reason="test", staff=None, now=self.now)

    @rule(days=st.integers(1, 3))
    def wait(self, days: int) -> None:
        self.now += dt.timedelta(days=days)

    def take_in(self, code: str, asked: Any) -> Redemption:
        return redeem(code, branch=None, staff=None, channel="counter", now=self.now, **asked)

    @invariant()
    def limits_hold(self) -> None:
        if not hasattr(self, "definition"):
            return
        standing = Redemption.objects.count() - Reversal.objects.count()
        assert standing == sum(Voucher.objects.values_list("uses", flat=True))
        assert standing <= (self.definition.limit_total or standing)
        assert Voucher.objects.count() <= self.definition.limit_issued
        for voucher in Voucher.objects.all():
            assert voucher.uses == voucher.redemptions.standing().count() <= self.definition.uses_per_code
            assert (voucher.state == "redeemed") == (voucher.uses == self.definition.uses_per_code)

    @invariant()
    def every_refusal_is_kept(self) -> None:
        if hasattr(self, "definition"):
            assert Attempt.objects.count() == self.refused


class TestLifeOfACode(TestCase, LifeOfACode.TestCase):  # type: ignore[misc, valid-type]
    settings = settings(  # type: ignore[assignment]
        max_examples=40, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
    )
