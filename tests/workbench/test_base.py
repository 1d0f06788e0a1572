from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ImproperlyConfigured
from django.test import Client, RequestFactory

from common.templatetags.ui import calendar_month, chart_rows
from customers.models import Branch
from tests.factories import BranchFactory
from workbench.base import ActionView, FormPage, ListPage, TemplatePage, WorkbenchView, chosen_month

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.workbench.pages")]

HTMX = {"HX-Request": "true"}
ClientOf = Callable[[User], Client]


@pytest.mark.parametrize("base", [WorkbenchView, TemplatePage, ListPage, FormPage, ActionView])
def test_a_page_without_a_permission_cannot_be_defined(base: type[WorkbenchView]) -> None:
    with pytest.raises(ImproperlyConfigured, match="Page needs a permission"):
        type("Page", (base,), {})


def test_a_page_with_a_permission_that_does_not_exist_cannot_be_defined() -> None:
    with pytest.raises(ImproperlyConfigured):
        type("Page", (TemplatePage,), {"permission": "do_everything"})


def test_a_page_is_not_abstract_because_its_base_is() -> None:
    with pytest.raises(ImproperlyConfigured):
        type("Page", (type("Base", (TemplatePage,), {"abstract": True}),), {})


def test_a_visitor_who_is_not_signed_in_goes_to_the_sign_in_page(client: Client) -> None:
    response = client.get("/t/branches/?page=2")
    assert response.headers["Location"] == "/accounts/login/?next=/t/branches/%3Fpage%3D2"


def test_a_page_refuses_those_without_its_permission(client_of: ClientOf, counter_staff: User) -> None:
    response = client_of(counter_staff).get("/t/branches/")
    assert response.status_code == 403
    assert b"<h1>" in response.content


def test_a_list_shows_its_rows_in_pages(client_of: ClientOf, marketeer: User) -> None:
    for name in ("Edam", "Ilpendam", "Marken", "Monnickendam"):
        BranchFactory(name=name)
    first = client_of(marketeer).get("/t/branches/").content.decode()
    second = client_of(marketeer).get("/t/branches/?page=2").content.decode()
    assert "Marken" in first
    assert "Monnickendam" not in first
    assert "Monnickendam" in second
    assert "Marken" not in second


def test_a_list_filters_and_keeps_the_filter_when_it_is_sorted(client_of: ClientOf, marketeer: User) -> None:
    BranchFactory(name="Edam")
    BranchFactory(name="Marken")
    page = client_of(marketeer).get("/t/branches/?name=eda&page=1").content.decode()
    assert "Edam" in page
    assert "Marken" not in page
    assert 'href="?name=eda&amp;sort=-name"' in page


def test_a_row_with_markup_in_it_is_escaped(client_of: ClientOf, marketeer: User) -> None:
    BranchFactory(name='<script>"')
    page = client_of(marketeer).get("/t/branches/").content.decode()
    assert "&lt;script&gt;&quot;" in page
    assert '<script>"' not in page


def test_htmx_gets_only_the_table(client_of: ClientOf, marketeer: User) -> None:
    BranchFactory(name="Edam")
    response = client_of(marketeer).get("/t/branches/", headers=HTMX)
    assert "Edam" in response.content.decode()
    assert "<html" not in response.content.decode()
    assert "HX-Request" in response.headers["Vary"]


@pytest.mark.parametrize("header", ["HX-Boosted", "HX-History-Restore-Request"])
def test_htmx_gets_the_whole_page_for_a_boosted_link_and_for_its_history(
    client_of: ClientOf, marketeer: User, header: str
) -> None:
    response = client_of(marketeer).get("/t/branches/", headers={**HTMX, header: "true"})
    assert "<html" in response.content.decode()


def test_an_empty_list_says_what_would_be_there(client_of: ClientOf, marketeer: User) -> None:
    assert "Nog geen vestigingen" in client_of(marketeer).get("/t/branches/").content.decode()


def test_the_button_to_add_shows_only_to_those_who_may(
    client_of: ClientOf, marketeer: User, administrator: User
) -> None:
    assert "/t/branches/add/" not in client_of(marketeer).get("/t/branches/").content.decode()
    assert "/t/branches/add/" in client_of(administrator).get("/t/branches/").content.decode()


def test_an_object_that_does_not_exist_is_not_found(client_of: ClientOf, marketeer: User) -> None:
    assert client_of(marketeer).get("/t/branches/99999/").status_code == 404


def test_the_page_of_an_object_carries_its_name_and_the_way_back(client_of: ClientOf, marketeer: User) -> None:
    branch = BranchFactory(name="Edam")
    page = client_of(marketeer).get(f"/t/branches/{branch.pk}/").content.decode()
    assert '<h1 class="page-title">Edam</h1>' in page
    assert '<a href="/t/branches/">Vestigingen</a>' in page


def test_a_form_that_is_right_calls_the_action_and_goes_on(client_of: ClientOf, marketeer: User) -> None:
    response = client_of(marketeer).post("/t/branches/add/", {"name": "Edam"}, follow=True)
    assert response.redirect_chain == [("/t/branches/", 302)]
    assert "Bewaard" in response.content.decode()
    assert Branch.objects.filter(name="Edam").exists()


def test_a_form_that_is_wrong_keeps_what_was_typed_and_links_to_the_field(client_of: ClientOf, marketeer: User) -> None:
    response = client_of(marketeer).post("/t/branches/add/", {"name": "", "opened_on": "32-13-2026"})
    page = response.content.decode()
    assert response.status_code == 422
    assert 'value="32-13-2026"' in page
    assert '<a href="#id_opened_on">Open sinds</a>' in page
    assert 'aria-describedby="id_name_helptext id_name_error"' in page
    assert 'id="id_name_error"' in page
    assert 'id="id_name_helptext"' in page


@pytest.mark.parametrize(("name", "words"), [("Overal", "Die naam bestaat al."), ("Nergens", "Er is geen plaats.")])
def test_what_an_action_refuses_becomes_an_error_of_the_form(
    client_of: ClientOf, marketeer: User, name: str, words: str
) -> None:
    response = client_of(marketeer).post("/t/branches/add/", {"name": name})
    assert response.status_code == 422
    assert words in response.content.decode()
    assert not Branch.objects.exists()


def test_htmx_follows_a_form_by_a_header(client_of: ClientOf, marketeer: User) -> None:
    response = client_of(marketeer).post("/t/branches/add/", {"name": "Edam"}, headers=HTMX)
    assert response.headers["HX-Redirect"] == "/t/branches/"


def test_a_button_does_nothing_when_it_is_only_looked_at(client_of: ClientOf, administrator: User) -> None:
    branch = BranchFactory(name="Marken")
    assert client_of(administrator).get(f"/t/branches/{branch.pk}/close/").status_code == 405
    assert Branch.objects.filter(pk=branch.pk).exists()


def test_a_refused_button_goes_back_with_the_reason(client_of: ClientOf, administrator: User) -> None:
    branch = BranchFactory(name="Edam")
    response = client_of(administrator).post(
        f"/t/branches/{branch.pk}/close/", headers={"Referer": "http://testserver/t/branches/"}, follow=True
    )
    assert response.redirect_chain == [("http://testserver/t/branches/", 302)]
    assert "Edam heeft nog klanten." in response.content.decode()


def test_a_refused_button_never_sends_the_visitor_to_another_site(client_of: ClientOf, administrator: User) -> None:
    branch = BranchFactory(name="Edam")
    url = f"/t/branches/{branch.pk}/close/"
    response = client_of(administrator).post(url, headers={"Referer": "https://evil.example/"})
    assert response.headers["Location"] == "/"


def test_a_refused_button_of_htmx_leaves_the_page_and_shows_the_reason(
    client_of: ClientOf, administrator: User
) -> None:
    branch = BranchFactory(name="Edam")
    response = client_of(administrator).post(f"/t/branches/{branch.pk}/close/", headers=HTMX)
    assert (response.status_code, response.headers["HX-Reswap"]) == (422, "none")
    toasts = json.loads(response.headers["HX-Trigger"])["toasts"]["items"]
    assert toasts == [{"text": "Edam heeft nog klanten.", "tone": "error"}]


def test_figures_amounts_and_days_are_shown_the_dutch_way(client_of: ClientOf, marketeer: User) -> None:
    page = client_of(marketeer).get("/t/figures/").content.decode()
    assert ">1.234.567<" in page
    assert ">€\u00a01.250,50<" in page
    assert ">1 mrt 2026<" in page


def test_every_page_carries_a_strict_policy_and_no_inline_style(client_of: ClientOf, marketeer: User) -> None:
    response = client_of(marketeer).get("/t/branches/")
    assert "'unsafe-inline'" not in response.headers["Content-Security-Policy"]
    assert " style=" not in response.content.decode()
    assert "onclick" not in response.content.decode()


@pytest.mark.parametrize(("month", "first"), [("2026-02", dt.date(2026, 2, 1)), ("2026-13", None), ("", None)])
def test_the_month_comes_from_the_address_or_is_the_present_one(month: str, first: dt.date | None) -> None:
    request = RequestFactory().get("/", {"month": month})
    assert chosen_month(request, dt.date(2026, 6, 15)) == (first or dt.date(2026, 6, 1))


def test_a_calendar_lays_events_on_weeks_from_monday() -> None:
    events = [{"date": dt.date(2026, 6, 1), "title": "a"}, {"date": dt.date(2026, 6, 1), "title": "b"}]
    month = calendar_month(dt.date(2026, 6, 15), events)
    assert month.weeks[0][0].date == dt.date(2026, 6, 1)
    assert [event["title"] for event in month.weeks[0][0].events] == ["a", "b"]
    assert month.weeks[-1][-1].is_outside
    assert (month.previous, month.next) == (dt.date(2026, 5, 1), dt.date(2026, 7, 1))


@pytest.mark.parametrize(("day", "following"), [((2026, 1, 31), (2026, 2, 1)), ((2026, 12, 31), (2027, 1, 1))])
def test_a_calendar_never_skips_a_month(day: tuple[int, int, int], following: tuple[int, int, int]) -> None:
    assert calendar_month(dt.date(*day), []).next == dt.date(*following)


def test_the_figures_of_a_chart_become_rows() -> None:
    data = {"labels": ["ma", "di"], "datasets": [{"label": "x", "data": [1, 2]}, {"label": "y", "data": [3, 4]}]}
    assert chart_rows(data) == [("ma", [1, 3]), ("di", [2, 4])]
