"""Criteria about campaigns and actions, and what keeps a selection from being deleted."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.http import QueryDict
from django.utils import translation

from campaigns.actions import advance, enrol, leave, run_action
from campaigns.models import Enrolment, Step
from common.criteria import criteria
from common.errors import Refused
from customers.models import Customer
from mailings.models import Message
from selections.actions import create_selection, delete_selection
from selections.usages import uses_of

pytestmark = pytest.mark.django_db
Make = Callable[..., Any]

DAY = dt.timedelta(days=1)


def rule(criterion: str, **params: Any) -> dict[str, Any]:
    return {"version": 2, "op": "all", "children": [{"criterion": criterion, "params": params}]}


def found(code: str, now: dt.datetime, **params: Any) -> set[Customer]:
    """Return who is found, having checked that the opposite finds all others."""
    criterion = criteria[code]
    q = criterion.to_q(criterion.params.model_validate(params), now=now)
    found, others = set(Customer.objects.filter(q)), set(Customer.objects.filter(~q))
    assert found | others == set(Customer.objects.all())
    assert not found & others
    return found


def of(*customers: Customer) -> Any:
    return Customer.objects.filter(pk__in=[customer.pk for customer in customers])


def test_taking_part_having_completed_and_having_left(make_campaign: Make, member: Make, now: dt.datetime) -> None:
    campaign, other = make_campaign(), make_campaign()
    active, completed, left, _stranger = (member() for _number in range(4))
    enrol(campaign, of(active, completed, left), by="marketeer", now=now)
    later = now + 5 * DAY
    Enrolment.objects.filter(customer=completed).update(state="completed", left_at=later)
    leave(campaign, of(left), reason="customer", now=later)
    assert found("campaigns.takes_part", later, campaign=campaign.pk) == {active}
    assert found("campaigns.takes_part", later) == {active}
    assert found("campaigns.takes_part", later, campaign=[other.pk, campaign.pk]) == {active}
    assert found("campaigns.takes_part", later, campaign=other.pk) == set()
    assert found("campaigns.completed", later, campaign=campaign.pk) == {completed}
    assert found("campaigns.left", later, campaign=campaign.pk) == {left}
    assert found("campaigns.left", later, reasons=["customer", "staff"]) == {left}
    assert found("campaigns.left", later, reasons=["staff"]) == set()
    assert found("campaigns.completed", later + 9 * DAY, within_days=8) == set()
    assert found("campaigns.left", later + 9 * DAY, within_days=9) == {left}


def test_a_past_moment_sees_who_took_part_then(make_campaign: Make, member: Make, now: dt.datetime) -> None:
    campaign, stays, goes = make_campaign(), member(), member()
    enrol(campaign, of(stays, goes), by="marketeer", now=now)
    leave(campaign, of(goes), reason="", now=now + 5 * DAY)
    present = now + 30 * DAY
    assert found("campaigns.takes_part", now - DAY) == set()
    assert found("campaigns.takes_part", now + 4 * DAY) == {stays, goes}
    assert found("campaigns.takes_part", present) == {stays}
    assert found("campaigns.left", now + 4 * DAY) == set()
    assert found("campaigns.took_part", present) == {stays, goes}
    assert found("campaigns.took_part", present, within_days=24) == {stays}
    assert found("campaigns.took_part", present, within_days=25) == {stays, goes}
    assert found("campaigns.took_part", present, period="before_last", number=30) == set()
    assert found("campaigns.took_part", present, period="before_last", number=29) == {stays, goes}
    assert found("campaigns.took_part", now - DAY) == set()
    for code in ("campaigns.takes_part", "campaigns.took_part", "campaigns.left", "campaigns.completed"):
        criterion = criteria[code]
        assert criterion.gap(criterion.params(), now=now, present=present) == ""


def test_how_far_somebody_is(make_campaign: Make, member: Make, now: dt.datetime) -> None:
    campaign, customer = make_campaign(0, 7), member()
    first, second = Step.objects.filter(campaign=campaign).order_by("day")
    enrol(campaign, of(customer), by="marketeer", now=now)
    assert found("campaigns.step", now, step=first.pk, where="next") == {customer}
    advance(now=now)
    assert found("campaigns.step", now, step=first.pk, where="next") == set()
    assert found("campaigns.step", now, step=[second.pk], where="next") == {customer}
    assert found("campaigns.step", now, step=[first.pk, second.pk]) == {customer}
    assert found("campaigns.step", now, step=second.pk) == set()
    assert found("campaigns.step", now - DAY, step=first.pk) == set()
    assert found("campaigns.step", now + 9 * DAY, step=first.pk, within_days=8) == set()
    criterion: Any = criteria["campaigns.step"]
    assert criterion.gap(criterion.params(step=[first.pk]), now=now, present=now + DAY) == ""
    assert criterion.gap(criterion.params(step=[first.pk], where="next"), now=now, present=now + DAY)


def test_having_received_an_action_means_that_it_was_sent(make_action: Make, member: Make, now: dt.datetime) -> None:
    action, other, customer, waiting = make_action(), make_action(), member(), member()
    run_action(action, Customer.objects.all(), due_key="proef", by=None, now=now)
    assert found("campaigns.received", now, action=action.pk) == set()
    Message.objects.filter(customer=customer).update(state="sent", sent_at=now)
    assert found("campaigns.received", now, action=action.pk) == {customer}
    assert found("campaigns.received", now, action=[other.pk, action.pk]) == {customer}
    assert found("campaigns.received", now, action=other.pk) == set()
    later = now + 31 * DAY
    assert found("campaigns.received", later, action=action.pk) == {customer}
    assert found("campaigns.received", later, action=action.pk, within_days=30) == set()
    assert found("campaigns.received", later, action=action.pk, within_days=31) == {customer}
    assert waiting not in found("campaigns.received", later, action=action.pk)


@pytest.mark.parametrize(
    ("criterion", "params", "field"),
    [
        ("campaigns.takes_part", {"campaign": 987654}, "campaign"),
        ("campaigns.took_part", {"campaign": [987654]}, "campaign"),
        ("campaigns.completed", {"campaign": 987654}, "campaign"),
        ("campaigns.left", {"campaign": 987654}, "campaign"),
        ("campaigns.step", {"step": 987654}, "step"),
        ("campaigns.received", {"action": 987654}, "action"),
    ],
)
def test_a_selection_that_points_at_nothing_is_refused(
    house: Any, now: dt.datetime, criterion: str, params: dict[str, Any], field: str
) -> None:
    with pytest.raises(Refused) as refusal:
        create_selection(name="Mis", rule=rule(criterion, **params), now=now)
    assert (refusal.value.field or "").endswith(field)


SENTENCES: list[tuple[str, dict[str, Any], str, str]] = [
    # criterion, params, in Dutch, what it saw of who left the campaign after five days
    (
        "campaigns.takes_part",
        {"campaign": True},
        "meedoen aan de campagne “Voorjaar”",
        "“Voorjaar”, van 15 juni 2026, verlaten op 20 juni 2026",
    ),
    (
        "campaigns.took_part",
        {"within_days": 30},
        "de afgelopen 30 dagen meededen aan een campagne",
        "“Voorjaar”, van 15 juni 2026, verlaten op 20 juni 2026",
    ),
    (
        "campaigns.completed",
        {"campaign": True, "period": "this_year"},
        "dit jaar de campagne “Voorjaar” helemaal hebben doorlopen",
        "“Voorjaar”, van 15 juni 2026, verlaten op 20 juni 2026",
    ),
    (
        "campaigns.left",
        {"reasons": ["customer"]},
        "een campagne verlieten (eigen wens)",
        "“Voorjaar”, van 15 juni 2026, verlaten op 20 juni 2026",
    ),
    (
        "campaigns.step",
        {"step": True, "within_days": 7},
        "de afgelopen 7 dagen stap “Voorjaar, dag 0: Voorjaar stap 1” hebben gehad",
        "nooit",
    ),
    (
        "campaigns.step",
        {"step": True, "where": "next"},
        "stap “Voorjaar, dag 0: Voorjaar stap 1” als volgende krijgen",
        "krijgt geen ervan als volgende",
    ),
    ("campaigns.received", {"action": True}, "ooit de actie “Lente” kregen", "nooit"),
    (
        "campaigns.received",
        {"action": True, "within_days": 30},
        "de afgelopen 30 dagen de actie “Lente” kregen",
        "nooit",
    ),
]


@pytest.fixture
def named(make_campaign: Make, make_action: Make) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """Put ids in for what the table says is there."""
    campaign, action = make_campaign(name="Voorjaar"), make_action("Lente")
    known = {"campaign": [campaign.pk], "action": [action.pk], "step": [campaign.steps.get().pk]}
    return lambda params: {name: known[name] if value is True else value for name, value in params.items()}


@pytest.mark.parametrize(("code", "params", "dutch", "seen"), SENTENCES)
def test_it_reads_as_a_sentence_and_tells_what_it_saw(
    named: Make, member: Make, now: dt.datetime, code: str, params: dict[str, Any], dutch: str, seen: str
) -> None:
    customer, criterion = member(), criteria[code]
    given = criterion.params.model_validate(named(params))
    campaign = Step.objects.get().campaign
    enrol(campaign, of(customer), by="marketeer", now=now)
    leave(campaign, of(customer), reason="customer", now=now + 5 * DAY)
    with translation.override("nl"):
        assert criterion.sentence(given) == dutch
        assert criterion.seen(given, customer, now=now + 6 * DAY) == seen


@pytest.mark.parametrize(("code", "params", "dutch", "seen"), SENTENCES)
def test_a_form_filled_from_params_gives_the_same_params(
    named: Make, code: str, params: dict[str, Any], dutch: str, seen: str
) -> None:
    criterion = criteria[code]
    given = criterion.params.model_validate(named(params))
    data = QueryDict(mutable=True)
    for name, value in criterion.initial(given).items():
        data.setlist(name, [str(item) for item in value] if isinstance(value, list) else [str(value)])
    form = criterion.form(data)
    assert form.is_valid(), form.errors
    assert criterion.read(form.cleaned_data) == given


def test_every_criterion_of_this_app_is_in_the_table() -> None:
    ours = {criterion.code for criterion in criteria if type(criterion).__module__.startswith("campaigns.")}
    assert ours == {code for code, *_rest in SENTENCES}


def test_a_selection_that_a_trigger_waits_at_is_not_deleted(make_trigger: Make, select: Make) -> None:
    selection, free = select("customer.kind", kinds=["member"]), select("customer.age", at_least=18)
    trigger = make_trigger("enters_selection", params={"selection": selection.pk})
    assert [use.thing for use in uses_of(selection)] == [trigger]
    with pytest.raises(Refused) as refusal:
        delete_selection(selection)
    assert trigger.name in str(refusal.value)
    delete_selection(free)
