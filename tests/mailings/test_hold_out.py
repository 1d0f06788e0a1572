# ruff: noqa: F401, F811 - fixtures are imported, and asked for by name

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.urls import reverse

from campaigns.actions import add_step, create_campaign, enrol, start_campaign
from campaigns.actions.runs import take_step
from campaigns.models import Action
from common.errors import Refused
from customers.models import Customer, Purpose
from mailings import gate
from mailings.actions import change_sending_settings
from mailings.gate import HoldOut, Terms
from mailings.models import Decision, Mailing
from newsletter.actions import create_edition, create_newsletter, save_item, send_edition
from tests.campaigns.conftest import make_action, member
from tests.factories import ConsentFactory

pytestmark = pytest.mark.django_db

Start = Callable[..., Mailing]


def held(mailing: Mailing) -> set[int]:
    return set(mailing.decisions.filter(outcome="hold_out").values_list("customer_id", flat=True))


def test_an_own_control_group_is_stable_and_another_than_the_next(start: Start, readers: Any) -> None:
    readers(200)
    first, again, other = (start(hold_out=HoldOut(20, key)) for key in ("action:1", "action:1", "action:2"))
    assert 10 <= len(held(first)) <= 80  # 40 is to be expected; further away once in millions of runs
    assert held(first) == held(again)
    assert held(first) != held(other)


def test_it_comes_beside_the_general_one(start: Start, readers: Any) -> None:
    readers(200)
    own = held(start(hold_out=HoldOut(20, "action:1")))
    change_sending_settings(hold_out_percent=20)
    general = held(start())
    assert held(start(hold_out=HoldOut(20, "action:1"))) == own | general


def test_service_messages_have_none(start: Start, readers: Any, service: Purpose) -> None:
    readers(10)
    assert held(start(purpose=service, hold_out=HoldOut(50, "action:1"))) == set()


def test_a_larger_share_holds_the_smaller_one(start: Start, readers: Any) -> None:
    readers(100)
    small, large = (held(start(hold_out=HoldOut(percent, "campaign:1"))) for percent in (10, 30))
    assert small < large


def test_a_preview_reckons_with_it(start: Start, readers: Any, marketing: Purpose, now: dt.datetime) -> None:
    readers(100)
    hold_out = HoldOut(30, "action:7")
    terms = Terms(marketing, "email", hold_out=hold_out)
    everybody = Customer.objects.all()
    seen = gate.preview(terms, candidates=everybody, now=now)
    total, ids = gate.people(terms, "hold_out", candidates=everybody, first=0, count=1000, now=now)
    mailing = start(hold_out=hold_out)
    assert set(ids) == held(mailing)
    assert seen["hold_out"] == total == len(ids)


def test_who_is_in_the_group_of_a_campaign_gets_none_of_its_steps(
    house: Any, reader: Any, make_action: Callable[..., Action], now: dt.datetime
) -> None:
    for _ in range(40):
        reader(kind="member")
    campaign = create_campaign(name="Gemeten", hold_out_percent=30, by=None, now=now)
    for day in (0, 0):
        action = make_action(purpose="marketing", hold_out_percent=5)
        add_step(campaign, action=action, day=day, by=None, now=now)
    start_campaign(campaign, by=None, now=now)
    enrol(campaign, Customer.objects.all(), by="test", now=now)
    for step in campaign.steps.order_by("pk"):
        take_step(step, now=now)
    first, second = Mailing.objects.order_by("pk")
    assert first.hold_out_key == f"campaign:{campaign.pk}"
    assert held(first) == held(second)
    assert 1 <= len(held(first)) <= 30  # 12 is to be expected
    assert Decision.objects.count() == 80


def test_a_control_group_is_at_most_half(house: Any, make_action: Callable[..., Action], now: dt.datetime) -> None:
    with pytest.raises(Refused):
        make_action(hold_out_percent=51)
    with pytest.raises(Refused):
        create_campaign(name="Teveel", hold_out_percent=51, by=None, now=now)


def test_the_group_of_a_newsletter_gets_none_of_its_editions(
    house: Any, reader: Any, client_of: Any, marketeer: User, now: dt.datetime
) -> None:
    newsletter = create_newsletter(name="Uit", hold_out_percent=20, by=None, now=now)
    for _ in range(60):
        ConsentFactory(customer=reader(), purpose=newsletter.purpose)
    editions = []
    for subject in ("Juni", "Juli"):
        editions.append(create_edition(newsletter, subject=subject, by=None, now=now))
        save_item(editions[-1], title="Agenda", body="<p>Er is van alles.</p>", by=None, now=now)
    told = client_of(marketeer).get(reverse("workbench:edition_check", args=[editions[0].pk]))
    first, second = (send_edition(one, by=None, now=now) for one in editions)
    assert (first.hold_out_percent, first.hold_out_key) == (20, f"newsletter:{newsletter.pk}")
    assert held(first) == held(second)
    assert 1 <= len(held(first)) <= 30  # 12 is to be expected
    rows = {row["label"]: row["value"] for row in told.context["funnel"].rows}
    assert rows[Decision.Outcome.HOLD_OUT.label] == len(held(first))


def test_another_share_of_a_newsletter_is_set_on_its_page(
    house: Any, client_of: Any, marketeer: User, now: Any
) -> None:
    newsletter = create_newsletter(name="Uit", by=None, now=now)
    client, page = client_of(marketeer), reverse("workbench:newsletter_detail", args=[newsletter.pk])
    assert "controlegroep" not in client.get(page).content.decode()
    change = reverse("workbench:newsletter_change", args=[newsletter.pk])
    asked = {"name": "Uit", "description": "", "is_active": "on", "priority": 2, "hold_out_percent": 51}
    assert client.post(change, asked).status_code == 422
    assert client.post(change, {**asked, "hold_out_percent": 5}).status_code == 302
    newsletter.refresh_from_db()
    assert newsletter.hold_out_percent == 5
    assert "5%" in client.get(page).content.decode()
    with pytest.raises(Refused):
        create_newsletter(name="Te veel", hold_out_percent=51, by=None, now=now)
