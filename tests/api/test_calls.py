"""Call lists as another system works through them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from common.time import clock
from customers.models import Customer
from mailings.models import Call, Mailing
from tests.mailings.conftest import base_data, house, make_content, marketing, start
from tests.mailings.test_calls import begin_list, callee

__all__ = ["base_data", "begin_list", "callee", "house", "make_content", "marketing", "start"]

pytestmark = [pytest.mark.django_db, pytest.mark.rights("manage_mailings", "manage_sending")]

CALLS = "/api/v1/calls/"


def test_a_customer_is_taken_put_back_taken_again_and_called(
    api: APIClient, callee: Callable[..., Customer], begin_list: Callable[..., Mailing]
) -> None:
    customers = {callee().number, callee().number}
    asked = {"mailing": begin_list().pk}
    assert api.patch("/api/v1/call-settings/", {"from_hour": 0, "until_hour": 24}, format="json").status_code == 200
    assert {row["number"] for row in api.get(f"{CALLS}still-to-call/", asked).data["results"]} == customers
    taken = api.post(f"{CALLS}take/", asked, format="json").data
    assert taken["customer"] in customers
    assert taken["phone"].startswith("+31299")
    assert api.post(f"{CALLS}take/", asked, format="json").data["customer"] == taken["customer"]
    assert api.post(f"{CALLS}put-back/", asked, format="json").status_code == 204
    again = api.post(f"{CALLS}take/", asked, format="json").data["customer"]
    made = api.post(CALLS, {**asked, "customer": again, "outcome": "reached"}, format="json")
    assert made.status_code == 201
    other = api.post(f"{CALLS}take/", asked, format="json").data["customer"]
    assert {again, other} == customers
    later = (clock() + dt.timedelta(days=3)).date().isoformat()
    told = {**asked, "customer": other, "outcome": "later", "again_on": later}
    assert api.post(CALLS, told, format="json").status_code == 201
    assert api.post(f"{CALLS}take/", asked, format="json").status_code == 204
    assert Call.objects.count() == 2


@pytest.mark.parametrize(
    ("address", "good", "wrong"),
    [
        ("call-settings", {"per_day": 40}, {"from_hour": 21, "until_hour": 9}),
        ("text-settings", {"sender": "Bieb", "price_mills": 80}, {"sender": "!"}),
    ],
)
def test_how_is_called_and_texted_is_changed_with_its_history(
    api: APIClient, address: str, good: dict[str, Any], wrong: dict[str, Any]
) -> None:
    url = f"/api/v1/{address}/"
    assert good.items() <= api.patch(url, good, format="json").data.items()
    assert good.items() <= api.get(url).data.items()
    assert api.patch(url, wrong, format="json").status_code == 422
    latest = api.get(f"{url}history/").data["results"][0]
    assert good.items() <= latest["values"].items()
    assert "website" in latest["by"]
