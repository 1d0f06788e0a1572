"""What the tests of campaigns start from: an organisation that may send, actions with content, and members."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from itertools import count
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from campaigns.actions import activate_trigger, add_step, create_action, create_campaign, create_trigger, start_campaign
from campaigns.models import Action, Campaign, Trigger
from customers.models import Customer, Purpose
from mailings.actions import change_sending_settings, save_content
from mailings.models import Mailing, Message, SendingSettings
from selections.actions import create_selection
from selections.models import Selection
from tests.factories import CustomerFactory, begin, limit_messages

TEXT = {"type": "text", "data": {"text": "<p>Dag {{ first_name }}</p>"}}

_numbers = count(1)


def at(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Europe/Amsterdam"))


@pytest.fixture
def house(db: None) -> SendingSettings:
    begin()
    limit_messages(3, days=7)
    return change_sending_settings(
        organisation="Bibliotheek Waterland",
        postal_address="Postbus 12, 1440 AA Purmerend",
        sender_name="Bibliotheek Waterland",
        sender_email="nieuws@waterland.example",
    )


@pytest.fixture
def member(house: SendingSettings) -> Callable[..., Customer]:
    """Give a member; service messages may always be sent to one."""
    return lambda **fields: CustomerFactory(**{"kind": "member", **fields})


@pytest.fixture
def make_action(house: SendingSettings, now: dt.datetime) -> Callable[..., Action]:
    def make(name: str = "", purpose: str = "service", blocks: list[Any] | None = None, **fields: Any) -> Action:
        name = name or f"Actie {next(_numbers)}"
        action = create_action(
            name=name, purpose=Purpose.objects.get(code=purpose), channels=Mailing.Channels.EMAIL, by=None, now=now,
            **fields,
        )  # fmt: skip
        chosen = [TEXT] if blocks is None else blocks
        save_content(action.content, name=name, subject="Dag {{ first_name }}", blocks=chosen, now=now)
        action.content.refresh_from_db()
        return action

    return make


@pytest.fixture
def make_campaign(make_action: Callable[..., Action], now: dt.datetime) -> Callable[..., Campaign]:
    """Give a running campaign with steps on these days; ``start=False`` leaves it a draft."""

    def make(*days: int, start: bool = True, started: dt.datetime | None = None, **fields: Any) -> Campaign:
        moment = started or now
        fields.setdefault("name", f"Campagne {next(_numbers)}")
        campaign = create_campaign(by=None, now=moment, **fields)
        for number, day in enumerate(days or (0,), start=1):
            action = make_action(f"{campaign.name} stap {number}")
            add_step(campaign, action=action, day=day, by=None, now=moment)
        return start_campaign(campaign, by=None, now=moment) if start else campaign

    return make


@pytest.fixture
def make_trigger(make_action: Callable[..., Action], now: dt.datetime) -> Callable[..., Trigger]:
    """Give an active trigger; without a campaign it runs an action of its own."""

    def make(kind: str = "birthday", active_from: dt.datetime | None = None, **fields: Any) -> Trigger:
        moment = active_from or now
        params = fields.pop("params", {"days_before": 0})
        if "campaign" not in fields and "action" not in fields:
            fields["action"] = make_action()
        name = fields.pop("name", f"Trigger {next(_numbers)}")
        trigger = create_trigger(name=name, kind=kind, params=params, by=None, now=moment, **fields)
        return activate_trigger(trigger, by=None, now=moment)

    return make


@pytest.fixture
def select(now: dt.datetime) -> Callable[..., Selection]:
    def make(criterion: str, name: str = "", **params: Any) -> Selection:
        rule = {"version": 2, "op": "all", "children": [{"criterion": criterion, "params": params}]}
        return create_selection(name=name or f"Selectie {next(_numbers)}", rule=rule, now=now)

    return make


def receivers(action: Action) -> list[int]:
    """The customers with a message of this action, once per message, in the order of sending."""
    found = Message.objects.filter(mailing__content=action.content).order_by("mailing_id", "customer_id")
    return list(found.values_list("customer_id", flat=True))
