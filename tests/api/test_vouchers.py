from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from common.time import clock
from customers.actions import ensure_base_data
from tests.factories import CustomerFactory
from vouchers.actions import activate, define_voucher
from vouchers.models import Attempt, Definition, Redemption

pytestmark = pytest.mark.django_db


@pytest.fixture
def definition(administrator: User) -> Definition:
    ensure_base_data()
    made = define_voucher(
        name="Theaterkorting", kind="discount", benefit="fixed", amount_cents=500, holder="customer", valid_days=30,
        by=administrator, now=clock(),
    )  # fmt: skip
    activate(made)
    return made


def issue(api: APIClient, definition: Definition, occasion: str = "kassa-1") -> tuple[str, str]:
    customer = CustomerFactory()
    body = {"customer": customer.number, "occasion": occasion}
    answer = api.post(f"/api/v1/voucher-definitions/{definition.pk}/issue/", body, format="json")
    assert answer.status_code == 201, answer.data
    again = api.post(f"/api/v1/voucher-definitions/{definition.pk}/issue/", body, format="json")
    assert again.data["code"] == answer.data["code"]
    return answer.data["code"], customer.number


def redeem(api: APIClient, code: str, key: str, **body: Any) -> Any:
    return api.post(f"/api/v1/vouchers/{code}/redeem/", body, format="json", HTTP_IDEMPOTENCY_KEY=key)


def test_a_voucher_is_redeemed_once_and_the_same_key_gives_the_same_answer(
    api: APIClient, definition: Definition
) -> None:
    code, number = issue(api, definition)
    first = redeem(api, code, "sale-00001", customer_number=number, order_cents=2000)
    assert first.status_code == 200, first.data
    assert first.data["discount_cents"] == 500
    again = redeem(api, code, "sale-00001", customer_number=number, order_cents=2000)
    assert again.data == first.data
    other = redeem(api, code, "sale-00002", customer_number=number, order_cents=2000)
    assert (other.status_code, other.data["code"]) == (409, "used")
    assert Redemption.objects.count() == 1


def test_the_same_key_for_something_else_is_a_conflict(api: APIClient, definition: Definition) -> None:
    code, number = issue(api, definition)
    redeem(api, code, "sale-00001", customer_number=number, order_cents=2000)
    changed = redeem(api, code, "sale-00001", customer_number=number, order_cents=9000)
    assert changed.status_code == 409


def test_an_unknown_code_is_not_found_and_the_attempt_is_recorded(api: APIClient, definition: Definition) -> None:
    answer = redeem(api, "ZZZZ-ZZZZ-ZZZ", "sale-00009", order_cents=100)
    assert (answer.status_code, answer.data["code"]) == (404, "unknown")
    assert Attempt.objects.filter(channel="api", reason="unknown").count() == 1


def test_a_redemption_without_a_key_is_refused(api: APIClient, definition: Definition) -> None:
    code, number = issue(api, definition)
    answer = api.post(f"/api/v1/vouchers/{code}/redeem/", {"customer_number": number}, format="json")
    assert answer.status_code == 400
    assert "Idempotency-Key" in answer.data["errors"]
    assert not Redemption.objects.exists()


def test_looking_a_voucher_up_redeems_nothing(api: APIClient, definition: Definition) -> None:
    code, _number = issue(api, definition)
    shown = api.get(f"/api/v1/vouchers/{code.lower()}/")
    assert (shown.data["state"], shown.data["definition"]["amount_cents"]) == ("issued", 500)
    assert shown.data["valid_until"] >= (clock() + dt.timedelta(days=28)).date().isoformat()
    assert not Redemption.objects.exists()


def test_a_redemption_is_reversed_once_with_a_reason(api: APIClient, definition: Definition) -> None:
    code, number = issue(api, definition)
    done = redeem(api, code, "sale-00001", customer_number=number, order_cents=2000).data
    url = f"/api/v1/redemptions/{done['id']}/reverse/"
    assert api.post(url, {}, format="json").status_code == 400
    assert api.post(url, {"reason": "Kaarten teruggebracht"}, format="json").status_code == 200
    assert api.post(url, {"reason": "Nog eens"}, format="json").status_code == 409
    assert redeem(api, code, "sale-00002", customer_number=number, order_cents=2000).status_code == 200
