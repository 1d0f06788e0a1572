"""Criteria about campaigns and actions, and what keeps a selection from being deleted."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.utils import translation

from campaigns.actions import enrol, leave, run_action
from campaigns.models import Enrolment
from common.criteria import criteria
from common.errors import Refused
from customers.models import Customer
from mailings.models import Message
from selections.actions import create_selection, delete_selection
from selections.compiler import compile_rule
from selections.explain import describe
from selections.usages import uses_of

pytestmark = pytest.mark.django_db
Make = Callable[..., Any]


def rule(criterion: str, **params: Any) -> dict[str, Any]:
    return {"version": 2, "op": "all", "children": [{"criterion": criterion, "params": params}]}


def found(criterion: str, now: dt.datetime, **params: Any) -> set[Customer]:
    return set(compile_rule(rule(criterion, **params), now=now))


def test_taking_part_and_having_completed(make_campaign: Make, member: Make, now: dt.datetime) -> None:
    campaign, other = make_campaign(), make_campaign()
    active, completed, left, _stranger = (member() for _number in range(4))
    enrol(campaign, Customer.objects.filter(pk__in=[active.pk, completed.pk, left.pk]), by="marketeer", now=now)
    Enrolment.objects.filter(customer=completed).update(state="completed")
    leave(campaign, Customer.objects.filter(pk=left.pk), reason="", now=now)
    assert found("campaigns.takes_part", now, campaign=campaign.pk) == {active}
    assert found("campaigns.completed", now, campaign=campaign.pk) == {completed}
    assert found("campaigns.takes_part", now, campaign=other.pk) == set()


def test_having_received_an_action_means_that_it_was_sent(make_action: Make, member: Make, now: dt.datetime) -> None:
    action, customer, waiting = make_action(), member(), member()
    run_action(action, Customer.objects.all(), due_key="proef", by=None, now=now)
    assert found("campaigns.received", now, action=action.pk) == set()
    Message.objects.filter(customer=customer).update(state="sent", sent_at=now)
    assert found("campaigns.received", now, action=action.pk) == {customer}
    later = now + dt.timedelta(days=31)
    assert found("campaigns.received", later, action=action.pk) == {customer}
    assert found("campaigns.received", later, action=action.pk, within_days=30) == set()
    assert found("campaigns.received", later, action=action.pk, within_days=31) == {customer}
    assert waiting not in found("campaigns.received", later, action=action.pk)


@pytest.mark.parametrize(
    ("criterion", "params", "field"),
    [
        ("campaigns.takes_part", {"campaign": 987654}, "campaign"),
        ("campaigns.completed", {"campaign": 987654}, "campaign"),
        ("campaigns.received", {"action": 987654}, "action"),
    ],
)
def test_a_selection_that_points_at_nothing_is_refused(
    house: Any, now: dt.datetime, criterion: str, params: dict[str, Any], field: str
) -> None:
    with pytest.raises(Refused) as refusal:
        create_selection(name="Mis", rule=rule(criterion, **params), now=now)
    assert (refusal.value.field or "").endswith(field)


def test_the_criteria_are_described_and_fill_their_forms(make_campaign: Make, make_action: Make) -> None:
    campaign, action = make_campaign(name="Voorjaar"), make_action("Lente")
    with translation.override("en"):
        assert "take part in the campaign “Voorjaar”" in describe(rule("campaigns.takes_part", campaign=campaign.pk))
        assert "have completed the campaign “Voorjaar”" in describe(rule("campaigns.completed", campaign=campaign.pk))
        received = rule("campaigns.received", action=action.pk, within_days=30)
        assert "received the action “Lente” in the last 30 days" in describe(received)
        assert "ever received the action “Lente”" in describe(rule("campaigns.received", action=action.pk))
    form = criteria["campaigns.received"].form({"action": str(action.pk), "within_days": ""})
    assert form.is_valid()
    assert criteria["campaigns.received"].read(form.cleaned_data).model_dump() == {
        "action": action.pk,
        "within_days": None,
    }
    form = criteria["campaigns.takes_part"].form({"campaign": str(campaign.pk)})
    assert form.is_valid()


def test_a_selection_that_a_trigger_waits_at_is_not_deleted(make_trigger: Make, select: Make) -> None:
    selection, free = select("customer.kind", kinds=["member"]), select("customer.age", at_least=18)
    trigger = make_trigger("enters_selection", params={"selection": selection.pk})
    assert [use.thing for use in uses_of(selection)] == [trigger]
    with pytest.raises(Refused) as refusal:
        delete_selection(selection)
    assert trigger.name in str(refusal.value)
    delete_selection(free)
