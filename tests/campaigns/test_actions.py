"""Actions: made with a content of their own, checked before they go out, run once per occasion."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from campaigns.actions import archive_action, change_action, check_action, create_action, restore_action, run_action
from campaigns.models import Action, Campaign, Trigger
from common.errors import Refused
from customers.models import Customer, Purpose
from labels.actions import create_label
from labels.models import Assignment, Label
from mailings.actions import save_content
from mailings.models import Decision, Mailing
from tests.campaigns.conftest import TEXT, receivers
from tests.factories import DefinitionFactory

pytestmark = pytest.mark.django_db
Make = Callable[..., Any]


def test_an_action_is_made_with_an_empty_content_and_history(
    make_action: Make, marketeer: Any, now: dt.datetime
) -> None:
    purpose = Purpose.objects.get(code="service")
    action = create_action(name="Welkom", purpose=purpose, channels="email", by=marketeer, now=now)
    assert action.content.blocks == []
    [event] = action.events.all()
    assert event.pgh_context.metadata["by"] == marketeer.get_username()


def test_a_name_is_given_once_whatever_the_capitals(make_action: Make, now: dt.datetime) -> None:
    first, second = make_action("Welkom"), make_action("Verjaardag")
    with pytest.raises(Refused) as refusal:
        make_action("WELKOM")
    assert refusal.value.field == "name"
    with pytest.raises(Refused):
        change_action(second, name="welkom", purpose=first.purpose, channels="email", by=None, now=now)
    change_action(first, name="Welkom", purpose=first.purpose, channels="letter", by=None, now=now)
    first.refresh_from_db()
    assert first.channels == "letter"


@pytest.mark.parametrize(
    ("subject", "blocks", "channels", "code"),
    [
        ("Dag", [], "email", "content_empty"),
        ("", [TEXT], "email", "subject_empty"),
        ("", [TEXT], "email_or_letter", "subject_empty"),
        ("", [TEXT], "letter", None),
        ("Dag", [TEXT], "email", None),
    ],
)
def test_an_action_is_checked_before_it_goes_out(
    make_action: Make, now: dt.datetime, subject: str, blocks: list[Any], channels: str, code: str | None
) -> None:
    action = make_action()
    save_content(action.content, name="x", subject=subject, blocks=blocks, now=now)
    Action.objects.update(channels=channels)
    action = Action.objects.get(pk=action.pk)
    if code is None:
        check_action(action)
        return
    with pytest.raises(Refused) as refusal:
        check_action(action)
    assert refusal.value.code == code


def test_a_voucher_makes_a_message_commercial(make_action: Make, member: Make, now: dt.datetime) -> None:
    voucher = {"type": "voucher", "data": {"definition": DefinitionFactory().pk}}
    member()
    action = make_action(purpose="service", blocks=[TEXT, voucher])
    with pytest.raises(Refused) as refusal:
        run_action(action, Customer.objects.all(), due_key="proef", by=None, now=now)
    assert refusal.value.code == "voucher_in_service_message"
    check_action(make_action(purpose="marketing", blocks=[TEXT, voucher]))


def test_running_an_action_twice_for_one_occasion_is_one_mailing(
    make_action: Make, member: Make, now: dt.datetime
) -> None:
    action, customer = make_action(), member()
    mailings = {run_action(action, Customer.objects.all(), due_key="eens", by=None, now=now).pk for _again in range(2)}
    assert len(mailings) == 1
    assert receivers(action) == [customer.pk]
    assert Mailing.objects.get().origin == f"action:{action.pk}"


def test_an_action_for_nobody_makes_no_messages(make_action: Make, now: dt.datetime) -> None:
    action = make_action()
    run_action(action, Customer.objects.none(), due_key="niemand", by=None, now=now)
    assert receivers(action) == []


def test_the_label_is_given_to_those_the_gate_lets_through(make_action: Make, member: Make, now: dt.datetime) -> None:
    label = create_label(name="Gefeliciteerd", kind=Label.Kind.OWN, now=now)
    action = make_action(gives_label=label)
    reached, unreachable = member(), member(email="")
    run_action(action, Customer.objects.all(), due_key="label", by=None, now=now)
    outcomes = dict(Decision.objects.values_list("customer", "outcome"))
    assert outcomes == {reached.pk: "accepted", unreachable.pk: "no_address"}
    [assignment] = Assignment.objects.filter(label=label)
    assert (assignment.customer, assignment.reason) == (reached, action.name)


@pytest.mark.parametrize("kind", [Label.Kind.CUSTOMER, Label.Kind.IMPORTED])
def test_only_an_own_label_can_be_given(make_action: Make, now: dt.datetime, kind: str) -> None:
    label = create_label(name="Voorleesmiddagen", kind=kind, now=now)
    with pytest.raises(Refused) as refusal:
        make_action(gives_label=label)
    assert refusal.value.field == "gives_label"


def test_archiving_stops_the_triggers_and_waits_for_campaigns(
    make_action: Make, make_trigger: Make, make_campaign: Callable[..., Campaign], now: dt.datetime
) -> None:
    trigger: Trigger = make_trigger()
    action = trigger.action
    archive_action(action, by=None)
    trigger.refresh_from_db()
    assert (action.is_archived, trigger.is_active) == (True, False)
    with pytest.raises(Refused) as refusal:
        run_action(action, Customer.objects.all(), due_key="archief", by=None, now=now)
    assert refusal.value.code == "action_archived"
    restore_action(action, by=None)
    run_action(action, Customer.objects.all(), due_key="archief", by=None, now=now)

    campaign = make_campaign()
    with pytest.raises(Refused) as refusal:
        archive_action(campaign.steps.get().action, by=None)
    assert campaign.name in str(refusal.value)


def test_reach_is_counted_over_all_mailings_of_an_action(
    make_action: Make, member: Make, now: dt.datetime, django_assert_num_queries: Any
) -> None:
    action, other = make_action(), make_action()
    customers = [member(), member()]
    for number in range(2):
        run_action(
            action, Customer.objects.all(), due_key=f"keer {number}", by=None, now=now + dt.timedelta(days=number)
        )
    with django_assert_num_queries(1):
        found = {one.pk: one for one in Action.objects.with_reach()}
    assert (found[action.pk].mailing_count, found[action.pk].message_count) == (2, 2 * len(customers))
    assert found[action.pk].last_mailing_at == now + dt.timedelta(days=1)
    assert (found[other.pk].mailing_count, found[other.pk].message_count, found[other.pk].last_mailing_at) == (
        0,
        0,
        None,
    )
