from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from campaigns.models import Campaign
from customers.actions import ensure_base_data
from customers.models import ImportRun, MatchPair, Source
from labels.models import Label
from selections.models import Selection
from tests.factories import CustomerFactory, FactFactory, SourceFactory
from workbench.roadmap import roadmap

pytestmark = pytest.mark.django_db
ClientOf = Callable[[User], Client]


@pytest.fixture
def base_data(db: None) -> None:
    ensure_base_data()


def task(now: dt.datetime, step: int, number: int) -> Any:
    return roadmap(now)[step - 1].tasks[number - 1]


def library() -> Source:
    source: Source = SourceFactory(code="library")
    return source


def delivered(source: Source, at: dt.datetime) -> None:
    ImportRun.objects.create(
        source=source, format="customers", file_name="leden.csv", state="done", created_at=at, finished_at=at
    )


def test_an_empty_installation_has_everything_before_it(base_data: None, now: dt.datetime) -> None:
    steps = roadmap(now)
    assert len(steps) == 5
    assert [step.state for step in steps] == ["todo"] * 5


def test_sources_count_as_brought_together_once_they_deliver_and_tell_what_customers_do(now: dt.datetime) -> None:
    FactFactory()
    assert not task(now, 1, 1).is_done
    delivered(library(), now - dt.timedelta(days=2))
    assert task(now, 1, 1).is_done
    assert "1" in task(now, 1, 1).told


def test_a_waiting_pair_is_work_to_do(now: dt.datetime) -> None:
    first, second = CustomerFactory(), CustomerFactory()
    assert task(now, 1, 3).is_done
    MatchPair.objects.create(first=first, second=second, score=80, found_at=now)
    assert not task(now, 1, 3).is_done


def test_labels_have_meaning_once_each_says_in_words_what_it_is(now: dt.datetime) -> None:
    assert not task(now, 2, 2).is_done
    label = Label.objects.create(code="vriend", name="Vriend", kind="own", created_at=now)
    assert not task(now, 2, 2).is_done
    label.description = "Geeft elk jaar meer dan tien euro."
    label.save()
    assert task(now, 2, 2).is_done


def test_groups_are_agreed_on_once_there_is_a_selection(now: dt.datetime) -> None:
    assert not task(now, 2, 3).is_done
    Selection.objects.create(name="Leden", created_at=now, updated_at=now)
    assert task(now, 2, 3).is_done


def test_three_campaigns_are_asked_for(now: dt.datetime) -> None:
    for number in range(3):
        assert not task(now, 4, 1).is_done
        Campaign.objects.create(name=f"Campagne {number}", kind="free", state="running", created_at=now)
    assert task(now, 4, 1).is_done


def test_a_source_that_has_fallen_silent_is_named(now: dt.datetime) -> None:
    CustomerFactory()
    delivered(library(), now - dt.timedelta(days=40))
    silent = task(now, 5, 3)
    assert not silent.is_done
    assert str(library()) in silent.told


def test_the_page_links_only_to_what_this_person_may_do(client_of: ClientOf, marketeer: User, base_data: None) -> None:
    page = client_of(marketeer).get("/steps/").content.decode()
    assert 'href="/duplicates/"' in page
    assert 'href="/purposes/"' not in page  # for administrators


def test_the_number_of_queries_does_not_grow(
    client_of: ClientOf, marketeer: User, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    FactFactory.create_batch(10)
    client = client_of(marketeer)
    with django_assert_max_num_queries(40):
        client.get("/steps/")
