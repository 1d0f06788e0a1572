from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User

from customers.models import Branch, Customer
from tests.factories import BranchFactory, CustomerFactory, DefinitionFactory, SourceFactory, VoucherFactory
from vouchers.actions import redeem
from vouchers.models import Definition, Redemption, Voucher


@pytest.fixture(autouse=True)
def _sources(request: pytest.FixtureRequest) -> None:
    if "db" in request.fixturenames or "transactional_db" in request.fixturenames:
        SourceFactory(code="vouchers")


@pytest.fixture
def branch(db: None) -> Branch:
    made: Branch = BranchFactory(code="purmerend", name="Purmerend")
    return made


@pytest.fixture
def customer(db: None) -> Customer:
    made: Customer = CustomerFactory(number="200001", first_name="Sanne", last_name="de Boer")
    return made


@pytest.fixture
def definition(db: None) -> Definition:
    made: Definition = DefinitionFactory(name="Verjaardagskorting")
    return made


@pytest.fixture
def voucher(definition: Definition, customer: Customer) -> Voucher:
    made: Voucher = VoucherFactory(definition=definition, customer=customer)
    return made


@pytest.fixture
def take_in(branch: Branch, counter_staff: User, now: dt.datetime) -> Callable[..., Redemption]:
    """Redeem at the counter; each call is a request of its own unless a key is given."""
    calls = 0

    def take_in(voucher: Voucher | str, **changes: Any) -> Redemption:
        nonlocal calls
        calls += 1
        asked = {
            "branch": branch, "staff": counter_staff, "channel": "counter", "order_cents": 1000, "now": now,
            "idempotency_key": f"test:{calls}",
        }  # fmt: skip
        return redeem(voucher if isinstance(voucher, str) else voucher.code, **{**asked, **changes})

    return take_in
