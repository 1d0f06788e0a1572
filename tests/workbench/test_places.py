"""School holidays and places: what staff see of them and correct."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from customers.models import BranchPlace, CalendarSettings, PostalPlace, SchoolHoliday
from tests.factories import BranchFactory, CustomerFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(administrator: User, client_of: Callable[[User], Client]) -> Client:
    return client_of(administrator)


def text(page: Any) -> str:
    return str(page.content.decode())


def sent(**changes: str) -> dict[str, str]:
    return {
        "region": "noord", "name": "herfst", "school_year": "2030", "first_day": "2030-10-12",
        "last_day": "2030-10-20", **changes,
    }  # fmt: skip


def test_the_official_holidays_of_three_regions_are_there_from_the_start() -> None:
    assert SchoolHoliday.objects.count() == 90
    kerst = SchoolHoliday.objects.get(region="zuid", name="kerst", school_year=2026)
    assert (kerst.first_day, kerst.last_day) == (dt.date(2026, 12, 19), dt.date(2027, 1, 3))
    for holiday in SchoolHoliday.objects.all():
        assert (holiday.first_day.weekday(), holiday.last_day.weekday()) == (5, 6), holiday  # Saturday to Sunday
    summers = SchoolHoliday.objects.filter(name="zomer")
    assert all((holiday.last_day - holiday.first_day).days == 43 for holiday in summers)


def test_the_page_shows_them_by_year_and_region(desk: Client, django_assert_max_num_queries: Any) -> None:
    with django_assert_max_num_queries(20):
        page = text(desk.get("/school-holidays/"))
    assert "2026-2027" in page
    assert "19 dec – 3 jan 2027" in page
    assert "Herfstvakantie" in page


def test_a_holiday_is_added_changed_and_removed(desk: Client) -> None:
    assert desk.post("/school-holidays/add/", sent())["Location"] == "/school-holidays/"
    holiday = SchoolHoliday.objects.get(school_year=2030)
    desk.post(f"/school-holidays/{holiday.pk}/change/", sent(last_day="2030-10-27"))
    holiday.refresh_from_db()
    assert holiday.last_day == dt.date(2030, 10, 27)
    assert "Gewijzigd: laatste dag" in text(desk.get(f"/school-holidays/{holiday.pk}/change/"))
    desk.post(f"/school-holidays/{holiday.pk}/remove/")
    assert not SchoolHoliday.objects.filter(school_year=2030).exists()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"last_day": "2030-10-01"}, "mag niet vóór de eerste liggen"),
        ({"last_day": "2031-02-01"}, "duurt hoogstens 70 dagen"),
        ({"school_year": "2028"}, "ligt niet in schooljaar 2028-2029"),
        ({"school_year": "2026", "first_day": "2026-10-10", "last_day": "2026-10-18"}, "is er al"),
    ],
)
def test_what_cannot_be_a_holiday_is_refused(desk: Client, changes: dict[str, str], words: str) -> None:
    answer = desk.post("/school-holidays/add/", sent(**changes))
    assert answer.status_code == 422
    assert words in text(answer)


def test_the_region_is_set_and_remembered_with_who_did_it(desk: Client) -> None:
    desk.post("/school-holidays/region/", {"region": "zuid"})
    assert CalendarSettings.load().region == "zuid"
    page = text(desk.get("/school-holidays/"))
    assert "<strong>Zuid</strong>" in page


def test_a_marketeer_sees_holidays_and_places_and_changes_none(
    marketeer: User, client_of: Callable[[User], Client]
) -> None:
    desk, branch = client_of(marketeer), BranchFactory()
    assert desk.get("/school-holidays/").status_code == 200
    assert desk.get("/places/").status_code == 200
    assert desk.post("/school-holidays/region/", {"region": "zuid"}).status_code == 403
    assert desk.post(f"/places/{branch.pk}/", {"latitude": "52.5", "longitude": "5"}).status_code == 403


def test_places_say_what_is_known_and_what_is_not(desk: Client, django_assert_max_num_queries: Any) -> None:
    PostalPlace.objects.create(code="1441AB", latitude=52.5, longitude=4.95)
    BranchFactory(code="PUR", name="Purmerend", postal_code="1441AB")
    BranchFactory(code="X", name="Bus")
    CustomerFactory(postal_code="1441AB")
    CustomerFactory(postal_code="9999ZZ")
    with django_assert_max_num_queries(20):
        page = text(desk.get("/places/"))
    assert "52,5000" in page
    assert "onbekend" in page
    assert "van 2 met een postcode" in page


def test_a_branch_is_put_in_its_place_and_back(desk: Client) -> None:
    branch = BranchFactory()
    desk.post(f"/places/{branch.pk}/", {"latitude": "52,5126", "longitude": "5,049"})
    place = BranchPlace.objects.get(branch=branch)
    assert (place.latitude, place.longitude) == (52.5126, 5.049)
    assert "Gemaakt" in text(desk.get(f"/places/{branch.pk}/"))
    answer = desk.post(f"/places/{branch.pk}/", {"latitude": "5", "longitude": "52"})
    assert answer.status_code == 422
    assert "tussen 50 en 54" in text(answer)
    desk.post(f"/places/{branch.pk}/", {"latitude": "", "longitude": ""})
    assert not BranchPlace.objects.exists()
