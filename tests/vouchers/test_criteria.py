from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.utils import translation

from common.criteria import criteria
from common.errors import Refused
from customers.models import Customer
from tests.factories import CustomerFactory, DefinitionFactory, VoucherFactory
from vouchers.actions import block_voucher, reverse_redemption
from vouchers.models import Definition, Redemption, Voucher

pytestmark = pytest.mark.django_db


def who(code: str, now: dt.datetime, **params: Any) -> set[Customer]:
    criterion = criteria[code]
    return set(Customer.objects.filter(criterion.to_q(criterion.params(**params), now=now)))


def test_has_an_open_voucher(definition: Definition, customer: Customer, now: dt.datetime) -> None:
    CustomerFactory()
    voucher = VoucherFactory(definition=definition, customer=customer, valid_until=now.date())
    assert who("vouchers.open", now, definition=definition.pk) == {customer}
    assert who("vouchers.open", now + dt.timedelta(days=1), definition=definition.pk) == set()
    assert who("vouchers.open", now, definition=DefinitionFactory().pk) == set()
    block_voucher(voucher, reason="x", by=None, now=now)
    assert who("vouchers.open", now, definition=definition.pk) == set()


def test_redeemed_in_a_window(voucher: Voucher, take_in: Callable[..., Redemption], now: dt.datetime) -> None:
    other = CustomerFactory()
    redemption = take_in(voucher)
    later = now + dt.timedelta(days=10)
    assert who("vouchers.redeemed", later) == {voucher.customer}
    assert who("vouchers.redeemed", later, definition=voucher.definition_id, within_days=11) == {voucher.customer}
    assert who("vouchers.redeemed", later, within_days=10) == set()
    assert who("vouchers.redeemed", later, definition=DefinitionFactory().pk) == set()
    assert who("vouchers.never_redeemed", later) == {other}
    reverse_redemption(redemption, reason="x", staff=None, now=later)
    assert who("vouchers.redeemed", later) == set()
    assert who("vouchers.never_redeemed", later, definition=voucher.definition_id) == {voucher.customer, other}


@pytest.mark.parametrize(
    ("code", "params", "sentence"),
    [
        ("vouchers.open", {"definition": True}, "hold the voucher “Verjaardagskorting”, still open"),
        ("vouchers.redeemed", {}, "redeemed a voucher"),
        (
            "vouchers.redeemed",
            {"definition": True, "within_days": 30},
            "redeemed the voucher “Verjaardagskorting” in the past 30 days",
        ),
        ("vouchers.never_redeemed", {}, "never redeemed a voucher"),
    ],
)
def test_in_words(definition: Definition, code: str, params: dict[str, Any], sentence: str) -> None:
    if "definition" in params:
        params = {**params, "definition": definition.pk}
    criterion = criteria[code]
    with translation.override("en"):
        assert criterion.sentence(criterion.params(**params)) == sentence


def test_the_form_gives_params_and_a_voucher_that_is_gone_is_refused(definition: Definition) -> None:
    for code in ("vouchers.open", "vouchers.redeemed", "vouchers.never_redeemed"):
        criterion: Any = criteria[code]
        form = criterion.form({"definition": definition.pk})
        assert form.is_valid(), form.errors
        params = criterion.read(form.cleaned_data)
        criterion.check(params)
        assert criterion.initial(params) == {"definition": definition.pk}
        with pytest.raises(Refused) as refused:
            criterion.check(criterion.params(definition=definition.pk + 1))
        assert refused.value.code == "unknown_voucher"
