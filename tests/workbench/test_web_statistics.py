from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from common.time import clock, local_date
from customers.actions import ensure_base_data
from tests.factories import CustomerFactory
from website.actions import add_site, roll_up
from website.models import Hit, HitCount, Identification, PageRule, QueryCount, Site, VisitCount

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(client_of: Callable[[User], Client], administrator: User) -> Client:
    ensure_base_data()
    return client_of(administrator)


@pytest.fixture
def site(client: Client) -> Site:
    return add_site(name="Bibliotheek", hosts=["www.example.nl"], by=None, now=clock())


def url(name: str, *args: Any) -> str:
    return reverse(f"workbench:{name}", args=args)


def text(response: Any) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", response.content.decode()).split())


def hit(site: Site, token: str, *, visit: str = "bezoek-a", **fields: Any) -> None:
    usual = {"kind": "page_view", "occurred_at": clock(), "section": "Agenda", "duration_seconds": 60}
    Hit.objects.create(site=site, visit=visit, token=token, **(usual | fields))


def test_without_a_website_the_page_leads_to_connecting_one(client: Client) -> None:
    page = client.get(url("web_statistics"))
    assert url("site_add") in page.content.decode()


def test_counts_of_earlier_days_and_hits_of_today_stand_in_one_line(client: Client, site: Site) -> None:
    yesterday = local_date(clock()) - dt.timedelta(days=1)
    HitCount.objects.create(
        site=site, day=yesterday, kind="page_view", section="Agenda", hits=10, identified=5, without_results=0,
        duration_seconds=300,
    )  # fmt: skip
    VisitCount.objects.create(site=site, day=yesterday, visits=4, identified=1)
    hit(site, "pagina-1")
    hit(site, "pagina-2", kind="search", results=0, section="Catalogus", duration_seconds=0)
    Identification.objects.create(site=site, visit="bezoek-a", customer=CustomerFactory(), at=clock())
    answer = client.get(url("web_statistics"))
    context = answer.context
    assert context["visits_chart"]["datasets"][0]["data"][-2:] == [4, 1]
    assert context["visits_chart"]["datasets"][1]["data"][-2:] == [10, 1]
    total = context["total"]
    assert (total.views, total.visits, total.identified) == (11, 5, 2)
    assert (total.searches, total.without_results) == (1, 1)
    assert context["minutes"] == 1.2
    section = context["viewed_sections"][0]
    assert "Agenda 11 33 55%" in text(answer)
    assert (section.name, section.views, section.average, section.share) == ("Agenda", 11, 33, 55)


def test_the_figures_are_the_same_after_the_night(client: Client, site: Site) -> None:
    for number in range(3):
        hit(site, f"pagina-{number}", visit=f"bezoek-{number}", occurred_at=clock() - dt.timedelta(days=2))
    before = client.get(url("web_statistics")).context["total"]
    assert roll_up(now=clock()) == 3
    assert client.get(url("web_statistics")).context["total"] == before
    assert before.visits == 3


def test_another_site_and_another_period_are_chosen(client: Client, site: Site) -> None:
    other = add_site(name="Theater", hosts=["theater.example.nl"], by=None, now=clock())
    hit(site, "pagina-1")
    QueryCount.objects.create(site=site, day=local_date(clock()), query="noorwegen", searches=3, without_results=0)
    assert "noorwegen" in text(client.get(url("web_statistics")))
    page = client.get(url("web_statistics"), {"site": other.pk, "days": "365"})
    assert page.context["total"].views == 0
    assert len(page.context["visits_chart"]["labels"]) == 365
    assert "noorwegen" not in text(page)
    assert client.get(url("web_statistics"), {"site": "x", "days": "y"}).status_code == 200


def test_the_page_takes_as_many_queries_for_a_year(client: Client, site: Site) -> None:
    def asked(days: int) -> int:
        with CaptureQueriesContext(connection) as found:
            client.get(url("web_statistics"), {"days": days})
        return len(found)

    hit(site, "pagina-1")
    asked(30)
    assert asked(30) == asked(365) < 20


def test_a_website_is_connected_with_a_line_for_its_pages(client: Client) -> None:
    page = client.get(url("site_add"))
    purpose = page.context["form"].initial["purpose"].pk
    body = {"name": "Bibliotheek", "hosts": "https://www.example.nl/\nexample.nl", "purpose": purpose}
    answer = client.post(url("site_add"), body)
    site = Site.objects.get()
    assert answer.headers["Location"] == url("site_detail", site.pk)
    assert site.hosts == ["example.nl", "www.example.nl"]
    page = client.get(url("site_detail", site.pk))
    snippet = f'/static/website/wise.js" data-site="{site.key}" defer></script>'
    assert snippet in page.context["snippet"]
    assert client.post(url("site_add"), body | {"name": "Ander", "hosts": "geen domein"}).status_code == 422
    assert client.post(url("site_add"), body | {"name": "Ander", "hosts": ""}).status_code == 422
    assert client.post(url("site_add"), body).status_code == 422, "the name is taken"


def test_what_pages_are_about_is_told_by_rules(client: Client, site: Site) -> None:
    added = client.post(url("site_rule_add", site.pk), {"path": "agenda/", "section": "Agenda"})
    assert added.status_code == 302
    rule = PageRule.objects.get()
    assert (rule.prefix, rule.section) == ("/agenda/", "Agenda")
    assert client.post(url("site_rule_add", site.pk), {"path": "", "section": ""}).status_code == 422
    client.post(url("site_rule_remove", rule.pk))
    assert not PageRule.objects.exists()


def test_a_website_is_changed_and_taken_out_of_use(client: Client, site: Site) -> None:
    body = {"name": "Bieb", "hosts": "www.example.nl", "purpose": site.purpose_id}
    assert client.post(url("site_change", site.pk), body).status_code == 302
    site.refresh_from_db()
    assert (site.name, site.is_active) == ("Bieb", False)
    assert "niet in gebruik" in text(client.get(url("site_list")))
