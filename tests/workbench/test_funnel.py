"""The funnel before anything goes out: how many per reason, who they are, and what would change it."""

# ruff: noqa: F401, F811 - fixtures are imported, and asked for by name

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from campaigns.models import Action, Campaign
from customers.models import Customer, Purpose
from mailings.actions import change_sending_settings
from mailings.models import Decision, Mailing
from selections.models import Selection
from tests.campaigns.conftest import house, make_action, make_campaign, member, select
from tests.factories import ConsentFactory, limit_messages
from tests.newsletter.conftest import edition, newsletter
from workbench.funnel import REMEDIES

pytestmark = pytest.mark.django_db


def text(response: Any) -> str:
    assert response.status_code == 200, response.status_code
    return " ".join(response.content.decode().split())


@pytest.fixture
def client(marketeer: User, client_of: Callable[[User], Client]) -> Client:
    return client_of(marketeer)


@pytest.fixture
def everybody(select: Callable[..., Selection]) -> Selection:
    return select("customer.kind", kinds=["member", "prospect"])


@pytest.fixture
def readers(member: Callable[..., Customer]) -> list[Customer]:
    """Three who said yes to marketing, and one who said nothing."""
    people = [member(first_name=name, last_name="Bos") for name in ("Anna", "Bram", "Cees")]
    for one in people:
        ConsentFactory(customer=one, purpose=Purpose.objects.get(code="marketing"))
    return [*people, member(first_name="Dirk", last_name="Zwijger", kind="prospect")]


def test_each_outcome_leads_to_the_people_and_to_what_would_change_it(
    client: Client, make_action: Callable[..., Action], everybody: Selection, readers: list[Customer]
) -> None:
    action = make_action(purpose="marketing")
    page = text(client.get(f"/actions/{action.pk}/run/?selection={everybody.pk}"))
    people = f"/actions/{action.pk}/run/people/?selection={everybody.pk}"
    assert f"{people}&amp;outcome=accepted" in page
    assert f"{people}&amp;outcome=no_permission" in page
    assert "Vraag om toestemming" in page
    refused = text(client.get(f"{people}&outcome=no_permission"))
    assert "Dirk Zwijger" in refused
    assert "Anna Bos" not in refused
    assert "Vraag om toestemming" in refused
    accepted = client.get(f"{people}&outcome=accepted")
    assert [one.first_name for one in accepted.context["people"]] == ["Anna", "Bram", "Cees"]
    assert not Decision.objects.exists()


def test_that_a_colleague_has_to_approve_is_said_beforehand(
    client: Client, make_action: Callable[..., Action], everybody: Selection, readers: list[Customer]
) -> None:
    page = f"/actions/{make_action(purpose='marketing').pk}/run/?selection={everybody.pk}"
    for approval_from, is_said in ((4, False), (3, True)):
        change_sending_settings(approval_from=approval_from)
        assert ("wacht het eerst op de goedkeuring van een collega" in text(client.get(page))) is is_said


@pytest.mark.parametrize("given", ["outcome=hold_out", "outcome=rubbish&page=99", "page=-1", "page=x&campaign=zz"])
def test_whatever_stands_in_the_address_gives_a_page(
    client: Client, make_action: Callable[..., Action], everybody: Selection, readers: list[Customer], given: str
) -> None:
    action = make_action(purpose="marketing")
    text(client.get(f"/actions/{action.pk}/run/people/?selection={everybody.pk}&{given}"))
    assert "Niemand krijgt nu dit besluit" in text(client.get(f"/actions/{action.pk}/run/people/?selection=0"))


def test_the_people_come_a_page_at_a_time_at_the_same_cost(
    client: Client, make_action: Callable[..., Action], everybody: Selection, member: Any,
    django_assert_max_num_queries: Any,
) -> None:  # fmt: skip
    for _ in range(60):
        member()
    action = make_action()
    address = f"/actions/{action.pk}/run/people/?selection={everybody.pk}&outcome=accepted"
    with django_assert_max_num_queries(35):
        first = client.get(address).context
    second = client.get(f"{address}&page=2").context
    assert (len(first["people"]), len(second["people"])) == (50, 10)
    assert first["page"].paginator.count == 60
    assert not {one.pk for one in first["people"]} & {one.pk for one in second["people"]}


def test_only_who_may_go_there_is_shown_the_way(
    client: Client, administrator: User, client_of: Any, make_action: Callable[..., Action], everybody: Selection,
    readers: list[Customer],
) -> None:  # fmt: skip
    action = make_action(purpose="marketing")
    address = f"/actions/{action.pk}/run/?selection={everybody.pk}"
    assert "Wat elk doel vraagt" not in text(client.get(address))
    assert "Wat elk doel vraagt" in text(client_of(administrator).get(address))


def test_an_edition_shows_the_same(client: Client, edition: Any, readers: list[Customer]) -> None:
    text(client.get(f"/editions/{edition.pk}/check/"))
    assert "Niemand krijgt nu dit besluit" in text(client.get(f"/editions/{edition.pk}/check/people/?outcome=accepted"))


def test_a_campaign_shows_it_per_step_with_its_own_control_group(
    client: Client, make_campaign: Callable[..., Campaign], everybody: Selection, member: Any, make_action: Any,
    now: dt.datetime,
) -> None:  # fmt: skip
    for _ in range(40):
        ConsentFactory(customer=member(), purpose=Purpose.objects.get(code="marketing"))
    campaign = make_campaign(0, start=False, hold_out_percent=50)
    action = campaign.steps.get().action
    action.purpose = Purpose.objects.get(code="marketing")
    action.save()
    response = client.get(f"/campaigns/{campaign.pk}/enrol/?selection={everybody.pk}")
    assert action.name in text(response)
    [(_step, funnel)] = response.context["steps"]
    assert 5 <= funnel.accepted <= 35
    assert funnel.total == 40


def test_every_reason_says_what_would_change_it() -> None:
    final = {Decision.Outcome.ACCEPTED, Decision.Outcome.DECEASED}
    assert set(REMEDIES) == set(Decision.Outcome) - final


def test_an_own_control_group_is_set_on_the_action(
    client: Client, make_action: Callable[..., Action], readers: list[Customer]
) -> None:
    action = make_action(purpose="marketing")
    given = {"name": action.name, "purpose": action.purpose_id, "channels": "email", "priority": 2}
    assert client.post(f"/actions/{action.pk}/change/", {**given, "hold_out_percent": 60}).status_code == 422
    client.post(f"/actions/{action.pk}/change/", {**given, "hold_out_percent": 25})
    action.refresh_from_db()
    assert action.hold_out_percent == 25


def test_the_page_of_a_mailing_has_the_same_funnel(client: Client, make_action: Any, readers: list[Customer]) -> None:
    from campaigns.actions import run_action

    limit_messages(1)
    action = make_action(purpose="marketing")
    for key in ("een", "twee"):
        run_action(action, Customer.objects.all(), due_key=key, by=None, now=dt.datetime.now(dt.UTC))
    page = text(client.get(f"/mailings/{Mailing.objects.first().pk}/"))  # type: ignore[union-attr]
    assert "outcome=frequency_cap" in page
    assert "een ruimere limiet" in page
