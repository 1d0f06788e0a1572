"""Lists of any length over the API: by number at first, then by where the last one ended."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.test import APIClient

from tests.factories import CustomerFactory

pytestmark = pytest.mark.django_db

URL = "/api/v1/customers/"


@pytest.fixture
def numbers(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.setattr("api.pages.MOST_NUMBERED", 6)  # a lower limit: ten thousand customers would be slow
    return sorted(customer.number for customer in CustomerFactory.create_batch(11))


def test_who_follows_next_gets_everybody_once(api: APIClient, numbers: list[str]) -> None:
    found: list[str] = []
    counts: list[int | None] = []
    address: str | None = f"{URL}?page_size=3"
    while address:
        page: dict[str, Any] = api.get(address).data
        found += [one["number"] for one in page["results"]]
        counts.append(page["count"])
        address = page["next"]
    assert found == numbers
    assert counts == [11, 11, None, None]


def test_a_page_too_far_away_is_refused_with_the_way_to_go(api: APIClient, numbers: list[str]) -> None:
    answer = api.get(URL, {"page_size": 3, "page": 3})
    assert (answer.status_code, answer.data["code"], answer.data["field"]) == (422, "too_deep", "page")
    after = api.get(URL, {"page_size": 3, "after": numbers[5]}).data
    assert [one["number"] for one in after["results"]] == numbers[6:9]
    assert after["previous"] is None


@pytest.mark.parametrize(
    ("address", "key"),
    [
        ("/api/v1/imports/", "x"),
        ("/api/v1/imports/", "9" * 30),
        (URL, "\0"),
        (URL, "9" * 400),
        ("/api/v1/imports/", ""),
    ],
)
def test_what_is_no_key_is_refused(api: APIClient, address: str, key: str) -> None:
    answer = api.get(address, {"after": key})
    assert (answer.status_code, answer.data["code"]) == (422, "bad_key")


def test_a_list_from_high_to_low_goes_on_downwards(api: APIClient) -> None:
    assert api.get("/api/v1/imports/", {"after": "5"}).data["results"] == []


def test_pages_have_a_largest_size(api: APIClient) -> None:
    CustomerFactory.create_batch(2)
    assert len(api.get(URL, {"page_size": 1}).data["results"]) == 1
    assert api.get(URL, {"page_size": 100_000}).status_code == 200
