from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import Page
from pytest_django import DjangoAssertNumQueries, Settings

from customers.models import Channel, LedgerCheck
from tests.factories import ConsentFactory, CustomerFactory, FactFactory, SubscriptionFactory
from workbench import figures

pytestmark = pytest.mark.django_db
ClientOf = Callable[[User], Client]


def test_customers_are_counted_with_members_and_new_ones(now: dt.datetime) -> None:
    CustomerFactory(registered_on=dt.date(2020, 1, 1))
    CustomerFactory(registered_on=dt.date(2026, 5, 17))  # the first of thirty days
    CustomerFactory(registered_on=dt.date(2026, 5, 16), kind="prospect")
    assert figures.customers(now) == figures.CustomerFigures(total=3, members=2, new=1)


def test_facts_are_counted_per_kind_in_the_last_thirty_days(now: dt.datetime) -> None:
    FactFactory.create_batch(2, kind="loan", occurred_at=now - dt.timedelta(days=2))
    FactFactory(kind="visit", occurred_at=now - dt.timedelta(days=29))
    FactFactory(kind="visit", occurred_at=now - dt.timedelta(days=31))
    FactFactory(kind="loan", occurred_at=now + dt.timedelta(hours=1))
    assert figures.facts_by_kind(now) == {"loan": 2, "visit": 1}


def test_clicks_fall_on_the_amsterdam_day(now: dt.datetime) -> None:
    late = dt.datetime(2026, 6, 13, 22, 30, tzinfo=dt.UTC)  # half past midnight in Amsterdam
    FactFactory(kind="click", occurred_at=late)
    assert figures.clicks_per_day(now) == {dt.date(2026, 6, 14): 1}


def test_reach_counts_only_those_who_may_be_written_to_and_have_an_address(now: dt.datetime) -> None:
    SubscriptionFactory(customer=CustomerFactory())  # pays, so may be mailed
    ConsentFactory(customer=CustomerFactory(email=""))  # said yes, but has no address
    ConsentFactory(customer=SubscriptionFactory(customer=CustomerFactory()).customer, state="withdrawn")
    ConsentFactory(customer=CustomerFactory(kind="prospect"))
    counts = {row.channel: row.count for row in figures.reach(now)}
    assert counts[Channel.EMAIL] == 2
    assert counts[Channel.POST] == 3  # members, until they object
    assert counts[Channel.PHONE] == 0


def test_the_dashboard_shows_the_figures(client_of: ClientOf, marketeer: User) -> None:
    CustomerFactory.create_batch(3)
    page = client_of(marketeer).get("/").content.decode()
    assert '<p class="stat-value">3</p>' in page
    assert page.count("<h1") == 1


def test_an_empty_installation_is_told_where_to_start(client_of: ClientOf, marketeer: User) -> None:
    assert "empty-state" in client_of(marketeer).get("/").content.decode()


def test_the_number_of_queries_does_not_grow_with_the_customers(
    client_of: ClientOf, marketeer: User, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    FactFactory.create_batch(20)
    client = client_of(marketeer)
    with django_assert_max_num_queries(30):
        client.get("/")


@pytest.mark.parametrize(("role", "address"), [("counter", "/balie/"), ("integrator", "/api/v1/docs/")])
def test_those_who_work_elsewhere_are_shown_the_way(
    client_of: ClientOf, make_user: Callable[..., User], role: str, address: str
) -> None:
    assert client_of(make_user(role)).get("/").headers["Location"] == address


def test_someone_without_any_role_is_refused(client_of: ClientOf, make_user: Callable[..., User]) -> None:
    assert client_of(make_user(None)).get("/").status_code == 403


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("width", [1440, 390])
def test_the_dashboard_fits_and_is_accessible(
    page: Page, sign_in: Callable[[User], None], marketeer: User, axe: Callable[[], None], width: int
) -> None:
    FactFactory.create_batch(3, kind="loan", occurred_at=dt.datetime.now(tz=dt.UTC) - dt.timedelta(days=1))
    sign_in(marketeer)
    page.set_viewport_size({"width": width, "height": 900})
    page.goto("/")
    page.locator("canvas").evaluate("element => new Promise(done => setTimeout(done, 300))")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    axe()


@pytest.mark.django_db(transaction=True)
def test_somebody_signs_in_with_the_demo_button_and_out_again(
    page: Page, marketeer: User, axe: Callable[[], None], settings: Settings, tmp_path: Any
) -> None:
    settings.DEMO, settings.STATE_DIR = True, tmp_path
    login = '[{"role": "Marketeer", "username": "marketeer", "password": "geheim-wachtwoord"}]'
    (tmp_path / "demo-logins.json").write_text(login)
    page.goto("/")
    axe()
    page.get_by_role("button", name="marketeer / geheim-wachtwoord").click()
    page.locator("form.form-wide [type=submit]").click()
    page.wait_for_url("**/")
    page.locator(".side-foot summary").click()
    page.locator(".side-foot .menu-item[type=submit]").click()
    page.wait_for_url("**/accounts/login/")


@pytest.mark.django_db(transaction=True)
def test_a_wrong_password_is_explained_and_too_many_close_the_door(client: Client, marketeer: User) -> None:
    tries = [client.post("/accounts/login/", {"username": "marketeer", "password": "fout"}) for _ in range(9)]
    assert tries[0].status_code == 200
    assert "error-summary" in tries[0].content.decode()
    assert tries[-1].status_code == 429
    assert "15 minuten" in tries[-1].content.decode()


def test_a_ledger_that_is_not_whole_asks_for_attention(
    now: dt.datetime, administrator: User, client_of: ClientOf
) -> None:
    LedgerCheck.objects.create(started_at=now, finished_at=now, row_count=5)
    assert not figures.attention(now)
    LedgerCheck.objects.create(started_at=now, finished_at=now, row_count=4, missing_count=1)
    assert figures.attention(now)
    page = client_of(administrator).get("/").content.decode()
    assert "Het register van toestemmingen is niet heel" in page
