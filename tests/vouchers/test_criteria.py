"""Criteria about vouchers: whom they find and whom not, at any moment, in words, and what they saw."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.http import QueryDict
from django.utils import translation

from common.criteria import criteria
from common.errors import Refused
from customers.models import Branch, Customer
from tests.factories import BranchFactory, CustomerFactory, DefinitionFactory, VoucherFactory
from vouchers.actions import block_voucher, reverse_redemption
from vouchers.models import Attempt, Definition, Redemption, Voucher

pytestmark = pytest.mark.django_db

DAY = dt.timedelta(days=1)
TakeIn = Callable[..., Redemption]


def who(code: str, now: dt.datetime, **params: Any) -> set[Customer]:
    """Return who is found, having checked that the opposite finds all others and that a past moment is no guess."""
    criterion = criteria[code]
    given = criterion.params.model_validate(params)
    q = criterion.to_q(given, now=now)
    found, others = set(Customer.objects.filter(q)), set(Customer.objects.filter(~q))
    assert found | others == set(Customer.objects.all())
    assert not found & others
    assert criterion.gap(given, now=now, present=now + 400 * DAY) == ""
    return found


def test_has_an_open_voucher(definition: Definition, customer: Customer, now: dt.datetime) -> None:
    CustomerFactory()
    voucher = VoucherFactory(definition=definition, customer=customer, valid_until=now.date())
    assert who("vouchers.open", now, definition=definition.pk) == {customer}
    assert who("vouchers.open", now) == {customer}
    assert who("vouchers.open", now, definition=[definition.pk, DefinitionFactory().pk]) == {customer}
    assert who("vouchers.open", now + DAY, definition=definition.pk) == set()
    assert who("vouchers.open", now, definition=DefinitionFactory().pk) == set()
    block_voucher(voucher, reason="x", by=None, now=now)
    assert who("vouchers.open", now, definition=definition.pk) == set()


def test_a_voucher_was_open_until_it_was_used_or_blocked(voucher: Voucher, take_in: TakeIn, now: dt.datetime) -> None:
    holder = {voucher.customer}
    assert who("vouchers.open", voucher.issued_at - DAY) == set()
    redemption = take_in(voucher)
    assert who("vouchers.open", now - DAY) == holder
    assert who("vouchers.open", now) == set()
    reverse_redemption(redemption, reason="x", staff=None, now=now + 2 * DAY)
    assert who("vouchers.open", now + DAY) == set(), "as it was between the two"
    assert who("vouchers.open", now + 2 * DAY) == holder
    block_voucher(voucher, reason="x", by=None, now=now + 3 * DAY)
    assert who("vouchers.open", now + 2 * DAY) == holder
    assert who("vouchers.open", now + 3 * DAY) == set()


def test_a_voucher_for_several_uses_is_open_until_the_last(
    customer: Customer, take_in: TakeIn, now: dt.datetime
) -> None:
    twice = VoucherFactory(definition=DefinitionFactory(uses_per_code=2), customer=customer)
    take_in(twice)
    assert who("vouchers.open", now) == {customer}
    take_in(twice, now=now + DAY)
    assert who("vouchers.open", now) == {customer}
    assert who("vouchers.open", now + DAY) == set()


def test_an_open_voucher_that_expires(definition: Definition, customer: Customer, now: dt.datetime) -> None:
    VoucherFactory(definition=definition, customer=customer, valid_until=now.date() + 7 * DAY)
    endless = CustomerFactory()
    VoucherFactory(definition=definition, customer=endless)
    assert who("vouchers.expires", now, period="next", number=7) == {customer}
    assert who("vouchers.expires", now, period="next", number=6) == set()
    assert who("vouchers.expires", now, period="next_week", definition=definition.pk) == {customer}
    assert who("vouchers.expires", now + 8 * DAY, period="yesterday") == set(), "it is not open any more"
    assert who("vouchers.expires", now) == {customer}, "whenever, so one without an end never"


def test_received_and_used_or_not(voucher: Voucher, take_in: TakeIn, now: dt.datetime) -> None:
    CustomerFactory()
    unused = VoucherFactory(definition=voucher.definition, customer=CustomerFactory()).customer
    both = {voucher.customer, unused}
    assert who("vouchers.received", now) == both
    assert who("vouchers.received", now, definition=voucher.definition_id, within_days=3) == both
    assert who("vouchers.received", now, within_days=2) == set()
    assert who("vouchers.received", now - 4 * DAY) == set()
    assert who("vouchers.unused", now) == both
    take_in(voucher)
    assert who("vouchers.unused", now) == {unused}
    assert who("vouchers.unused", now - DAY) == both
    assert who("vouchers.unused", now, within_days=2) == set()


def test_redeemed_in_a_window(voucher: Voucher, take_in: TakeIn, now: dt.datetime) -> None:
    other = CustomerFactory()
    redemption = take_in(voucher)
    later = now + 10 * DAY
    assert who("vouchers.redeemed", later) == {voucher.customer}
    assert who("vouchers.redeemed", later, definition=voucher.definition_id, within_days=10) == {voucher.customer}
    assert who("vouchers.redeemed", later, within_days=9) == set()
    assert who("vouchers.redeemed", later, definition=DefinitionFactory().pk) == set()
    assert who("vouchers.never_redeemed", later) == {other}
    assert who("vouchers.never_redeemed", later, within_days=9) == {other, voucher.customer}
    reverse_redemption(redemption, reason="x", staff=None, now=later)
    assert who("vouchers.redeemed", later) == set()
    assert who("vouchers.redeemed", later - DAY) == {voucher.customer}, "then it had not been taken back"
    assert who("vouchers.never_redeemed", later, definition=voucher.definition_id) == {voucher.customer, other}


def test_redeemed_where_for_how_much_and_how_often(
    voucher: Voucher, take_in: TakeIn, branch: Branch, now: dt.datetime
) -> None:
    holder = {voucher.customer}
    BranchFactory(code="EDA")
    assert take_in(voucher).discount_cents == 250
    assert who("vouchers.redeemed", now, branch=[branch.code]) == holder
    assert who("vouchers.redeemed", now, branch=["EDA", branch.code]) == holder
    assert who("vouchers.redeemed", now, branch=["EDA"]) == set()
    assert who("vouchers.redeemed", now, at_least_cents=250) == holder
    assert who("vouchers.redeemed", now, at_least_cents=251) == set()
    assert who("vouchers.redeemed", now, times=2) == set()
    take_in(VoucherFactory(definition=voucher.definition, customer=voucher.customer, origin="by hand:2"))
    assert who("vouchers.redeemed", now, times=2) == holder


def test_a_refused_attempt_is_of_the_holder(voucher: Voucher, take_in: TakeIn, now: dt.datetime) -> None:
    take_in(voucher)
    assert who("vouchers.refused", now) == set()
    with pytest.raises(Refused):
        take_in(voucher, now=now + DAY)
    assert Attempt.objects.get().reason == "used"
    assert who("vouchers.refused", now + DAY, reasons=["used", "expired"]) == {voucher.customer}
    assert who("vouchers.refused", now + DAY, reasons=["expired"]) == set()
    assert who("vouchers.refused", now) == set()
    assert who("vouchers.refused", now + 9 * DAY, within_days=7) == set()


SENTENCES: list[tuple[str, dict[str, Any], str, str]] = [
    # criterion, params, in Dutch, what it saw of who redeemed on 15 June what he was given three days before
    ("vouchers.open", {}, "een bon nog open hebben staan", "geen bon"),
    (
        "vouchers.open",
        {"definition": True},
        "de bon “Verjaardagskorting” nog open hebben staan",
        "geen bon",
    ),
    (
        "vouchers.expires",
        {"period": "next", "number": 7},
        "een bon nog open hebben staan die de komende 7 dagen verloopt",
        "geen bon",
    ),
    (
        "vouchers.received",
        {"within_days": 30},
        "de afgelopen 30 dagen een bon kregen",
        "“Verjaardagskorting” op 12 juni 2026, verzilverd op 15 juni 2026",
    ),
    (
        "vouchers.unused",
        {"period": "last_month"},
        "vorige maand een bon kregen en niet verzilverden",
        "geen bon",
    ),
    ("vouchers.redeemed", {}, "een bon verzilverden", "1 ×, laatst op 15 juni 2026: “Verjaardagskorting”"),
    (
        "vouchers.redeemed",
        {"definition": True, "within_days": 30, "times": 2, "branch": ["purmerend"], "at_least_cents": 1050},
        (
            "de afgelopen 30 dagen minstens 2 keer de bon “Verjaardagskorting” verzilverden"
            " (vestiging Purmerend, korting van minstens €\u00a010,50)"
        ),
        "nooit",
    ),
    ("vouchers.never_redeemed", {}, "nooit een bon verzilverden", "1 ×, laatst op 15 juni 2026: “Verjaardagskorting”"),
    ("vouchers.never_redeemed", {"period": "today"}, "vandaag geen bon verzilverden",
     "1 ×, laatst op 15 juni 2026: “Verjaardagskorting”"),
    ("vouchers.never_redeemed", {"definition": True, "period": "today"},
     "vandaag niet de bon “Verjaardagskorting” verzilverden", "1 ×, laatst op 15 juni 2026: “Verjaardagskorting”"),
    (
        "vouchers.refused",
        {"reasons": ["used", "expired"], "within_days": 7},
        "een bon inleverden die de afgelopen 7 dagen werd geweigerd (al gebruikt of verlopen)",
        "nooit",
    ),
]  # fmt: skip


def numbered(definition: Definition, params: dict[str, Any]) -> dict[str, Any]:
    return params | {"definition": [definition.pk]} if "definition" in params else params


@pytest.mark.parametrize(("code", "params", "dutch", "seen"), SENTENCES)
def test_in_words(
    voucher: Voucher, take_in: TakeIn, now: dt.datetime, code: str, params: dict[str, Any], dutch: str, seen: str
) -> None:
    take_in(voucher)
    criterion = criteria[code]
    given = criterion.params.model_validate(numbered(voucher.definition, params))
    with translation.override("nl"):
        assert criterion.sentence(given) == dutch
        assert criterion.seen(given, voucher.customer, now=now) == seen


@pytest.mark.parametrize(("code", "params", "dutch", "seen"), SENTENCES)
def test_a_form_filled_from_params_gives_the_same_params(
    definition: Definition, branch: Branch, code: str, params: dict[str, Any], dutch: str, seen: str
) -> None:
    criterion = criteria[code]
    given = criterion.params.model_validate(numbered(definition, params))
    data = QueryDict(mutable=True)
    for name, value in criterion.initial(given).items():
        shown = [str(item) for item in value] if isinstance(value, list) else [str(value).replace(".", ",")]
        data.setlist(name, shown)
    form = criterion.form(data)
    assert form.is_valid(), form.errors
    assert criterion.read(form.cleaned_data) == given


def test_every_criterion_of_this_app_is_in_the_table() -> None:
    ours = {criterion.code for criterion in criteria if type(criterion).__module__.startswith("vouchers.")}
    assert ours == {code for code, *_rest in SENTENCES}


def test_a_voucher_that_is_gone_is_refused(definition: Definition) -> None:
    for code in {code for code, *_rest in SENTENCES}:
        criterion: Any = criteria[code]
        criterion.check(criterion.params(definition=[definition.pk]))
        with pytest.raises(Refused) as refused:
            criterion.check(criterion.params(definition=[definition.pk, definition.pk + 1]))
        assert refused.value.code == "unknown_voucher"
