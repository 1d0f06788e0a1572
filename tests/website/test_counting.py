"""Every night hits become counts: each once, and nothing by which a visit could be recognised stays."""

from __future__ import annotations

import datetime as dt

import pytest

from common.time import clock, end_of_day, local_date, start_of_day
from customers.models import Fact
from tests.factories import CustomerFactory
from tests.website.conftest import Send
from tests.website.test_linking import says
from website.actions import change_site, roll_up
from website.models import Hit, HitCount, Identification, PageCount, QueryCount, Site, VisitCount
from website.sites import forget_sites
from website.statistics import pages
from website.tokens import make_web_token


def morning(days: int = 1) -> dt.datetime:
    """Return a moment so many days ahead, when the day before is surely over."""
    return start_of_day(local_date(clock()) + dt.timedelta(days=days)) + dt.timedelta(hours=6)


def test_hits_of_yesterday_become_counts(send: Send, site: Site) -> None:
    today = local_date(clock())
    for number in range(3):
        send(p="/catalogus/x", i=f"pagina-{number}")
    send("time", i="pagina-1", d=30)
    send(p="/catalogus/x", v="bezoek-twee")
    send("search", r=0)
    assert roll_up(now=clock()) == 0, "today is not over"
    assert roll_up(now=morning()) == 5
    assert not Hit.objects.exists()
    count = HitCount.objects.get(kind="page_view")
    assert (count.day, count.section, count.hits, count.identified) == (today, "Catalogus", 4, 0)
    assert count.duration_seconds == 30
    assert HitCount.objects.get(kind="search").without_results == 1
    visits = VisitCount.objects.get()
    assert (visits.visits, visits.identified) == (2, 0)
    assert roll_up(now=morning()) == 0


def test_late_hits_are_added_to_the_counts_of_their_day(send: Send, site: Site) -> None:
    send()
    day = clock()
    roll_up(now=morning())
    send()
    Hit.objects.update(occurred_at=day)
    roll_up(now=morning())
    assert HitCount.objects.get().hits == 2


def test_identified_visits_become_facts_before_they_are_counted(send: Send, site: Site) -> None:
    customer = CustomerFactory()
    says(customer, "granted")
    send()
    send("identify", c=make_web_token(customer, now=clock()))
    send(v="ander-bezoek")
    roll_up(now=morning())
    assert Fact.objects.get().customer == customer
    count, visits = HitCount.objects.get(), VisitCount.objects.get()
    assert (count.hits, count.identified) == (2, 1)
    assert (visits.visits, visits.identified) == (2, 1)
    roll_up(now=morning(2))
    assert not Identification.objects.exists()


def test_words_that_few_searched_for_are_not_kept(send: Send, site: Site) -> None:
    change_site(site, keeps_queries=True, by=None, now=clock())
    forget_sites()
    for number in range(3):
        send("search", q="Noorwegen", r=2, v=f"bezoek-{number}")
        send("search", q="mijn naam is jansen", r=0)
    roll_up(now=morning())
    assert list(QueryCount.objects.values_list("query", "searches")) == [("noorwegen", 3)]


def test_pages_are_counted_apart_when_a_site_wants_that_and_several_saw_them(send: Send, site: Site) -> None:
    send(p="/agenda/kerst/")
    roll_up(now=morning())
    assert not PageCount.objects.exists()
    change_site(site, keeps_pages=True, by=None, now=clock())
    forget_sites()
    for number in range(3):
        send(p="/Agenda/Kerst?wie=jansen#boven", v=f"bezoek-{number}", i=f"kerstpagina-{number}")
        send(p="/mijn/jan-jansen", v="bezoek-een")
        send(p="/klant/1234567", v=f"bezoek-{number}")
        send(p="/jan@example.nl", v=f"bezoek-{number}")
    send("time", i="kerstpagina-1", d=30, v="bezoek-1")
    send(p="/agenda/kerst/", v="bezoek-1")
    roll_up(now=morning())
    count = PageCount.objects.get()
    assert (count.path, count.views, count.visits, count.duration_seconds) == ("/agenda/kerst", 4, 3, 30)
    [page] = pages([site.pk], first=local_date(clock()))
    assert (page.path, page.views, page.average) == ("/agenda/kerst", 4, 8)
    roll_up(now=morning())
    assert PageCount.objects.get().views == 4


@pytest.mark.parametrize("minutes", [0, 20])
def test_just_after_midnight_yesterday_may_not_be_over(send: Send, site: Site, minutes: int) -> None:
    send()
    midnight = end_of_day(local_date(clock()))
    Hit.objects.update(occurred_at=midnight - dt.timedelta(minutes=5))
    assert roll_up(now=midnight + dt.timedelta(minutes=minutes)) == 0
    assert roll_up(now=midnight + dt.timedelta(hours=3)) == 1
