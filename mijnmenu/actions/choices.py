"""Write down what a customer chose, and only what differs from what already holds."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

from django.db import transaction

from customers.consents import channels_of, record_consent, states_of
from customers.models import Consent, Customer, Purpose
from labels.actions import take_profiling_labels
from newsletter.actions import subscribe, unsubscribe
from newsletter.models import Newsletter

SOURCE = "mijnmenu"
ACTOR = "customer"
WORDING = "mijnmenu-1"  # raise it whenever the words on the pages change in meaning
PROFILING = "profiling"

Choice = tuple[str, str]  # code of the purpose, channel


@transaction.atomic
def save_preferences(
    customer: Customer, *, shown: Collection[Choice], wanted: Collection[Choice], now: dt.datetime
) -> int:
    """Record a yes or no for each choice that was ``shown`` and differs from what holds; return how many.

    What the page did not show stays as it is. Saying no to profiling takes the labels derived from behaviour at once.
    """
    Customer.objects.select_for_update(no_key=True).get(pk=customer.pk)
    changed = 0
    for state in states_of(customer, now=now):
        choice = (state.purpose.code, str(state.channel))
        if choice not in shown or not may_choose(state.purpose) or state.is_allowed == (choice in wanted):
            continue
        answer = Consent.State.GRANTED if choice in wanted else Consent.State.WITHDRAWN
        _record(customer, state.purpose, str(state.channel), answer, now)
        if state.purpose.code == PROFILING and answer == Consent.State.WITHDRAWN:
            take_profiling_labels(customer, now=now)
        changed += 1
    return changed


def may_choose(purpose: Purpose) -> bool:
    """Whether the page offers a switch: service messages belong to the membership, some purposes are not shown."""
    return purpose.is_public and purpose.rule != Purpose.Rule.SERVICE


@transaction.atomic
def save_subscriptions(customer: Customer, *, shown: Collection[int], wanted: Collection[int], now: dt.datetime) -> int:
    """Subscribe to and unsubscribe from the newsletters (ids) that differ from what holds; return how many."""
    Customer.objects.select_for_update(no_key=True).get(pk=customer.pk)
    changed = 0
    for newsletter in Newsletter.objects.filter(pk__in=shown, is_active=True):
        is_subscribed = newsletter.subscribers(now=now).filter(pk=customer.pk).exists()
        if is_subscribed == (newsletter.pk in wanted):
            continue
        act = unsubscribe if is_subscribed else subscribe
        act(customer, newsletter, source_code=SOURCE, actor=ACTOR, now=now, wording_version=WORDING)
        changed += 1
    return changed


@transaction.atomic
def object_to_everything(customer: Customer, *, now: dt.datetime) -> int:
    """Record an objection (AVG 21) for every purpose but service, on every channel; return how many.

    Holds until the customer says yes to something again. Labels derived from behaviour are taken at once.
    """
    purposes = Purpose.objects.exclude(rule=Purpose.Rule.SERVICE)
    choices = [(purpose, str(channel)) for purpose in purposes for channel in channels_of(purpose)]
    for purpose, channel in choices:
        _record(customer, purpose, channel, Consent.State.OBJECTED, now)
    take_profiling_labels(customer, now=now)
    return len(choices)


def _record(customer: Customer, purpose: Purpose, channel: str, state: str, now: dt.datetime) -> None:
    record_consent(
        customer,
        purpose=purpose,
        channel=channel,
        state=state,
        source_code=SOURCE,
        actor=ACTOR,
        event_at=now,
        wording_version=WORDING,
        evidence={"page": "mijnmenu"},
    )
