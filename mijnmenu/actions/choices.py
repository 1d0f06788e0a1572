"""Write down what a customer chose, and only what differs from what already holds."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

from django.db import transaction
from django.db.models import QuerySet

from common.time import local_date, years_before
from customers.actions.purposes import current_wording
from customers.consents import AGE_OF_CONSENT, PROFILING, channels_of, record_consent, states_of
from customers.models import Consent, Customer, Purpose
from labels.actions import take_profiling_labels
from newsletter.actions import subscribe, unsubscribe
from newsletter.models import Newsletter

SOURCE = "mijnmenu"
ACTOR = "customer"
GUARDIAN = "guardian"
WORDING = "mijnmenu-1"  # raise it whenever the words on the pages change in meaning

Choice = tuple[str, str]  # code of the purpose, channel


@transaction.atomic
def save_preferences(
    customer: Customer,
    *,
    shown: Collection[Choice],
    wanted: Collection[Choice],
    now: dt.datetime,
    guardian: Customer | None = None,
) -> int:
    """Record a yes or no for each choice that was ``shown`` and differs from what holds; return how many.

    ``guardian`` is the parent who answers for a child. What the page did not show stays as it is. Who says no to being
    profiled loses the labels derived from behaviour at once. Raises Refused for a yes that only a parent can give.
    """
    Customer.objects.select_for_update(no_key=True).get(pk=customer.pk)
    changed = 0
    for state in states_of(customer, now=now):
        choice = (state.purpose.code, str(state.channel))
        if choice not in shown or not may_choose(state.purpose) or state.is_allowed == (choice in wanted):
            continue
        answer = Consent.State.GRANTED if choice in wanted else Consent.State.WITHDRAWN
        _record(customer, state.purpose, str(state.channel), answer, now, guardian)
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
    for newsletter in Newsletter.objects.filter(pk__in=shown, is_active=True).select_related("purpose"):
        is_subscribed = newsletter.subscribers(now=now).filter(pk=customer.pk).exists()
        if is_subscribed == (newsletter.pk in wanted):
            continue
        act = unsubscribe if is_subscribed else subscribe
        words = current_wording(newsletter.purpose, now=now)
        version = words.version if words else WORDING
        act(customer, newsletter, source_code=SOURCE, actor=ACTOR, now=now, wording_version=version)
        changed += 1
    return changed


@transaction.atomic
def object_to_everything(customer: Customer, *, now: dt.datetime) -> int:
    """Record an objection (AVG 21) for every purpose but service, on every channel; return how many.

    Holds until the customer says yes to something again; what he objected to already is not said twice. Labels derived
    from behaviour are taken at once.
    """
    Customer.objects.select_for_update(no_key=True).get(pk=customer.pk)
    objected = {
        (state.purpose.pk, str(state.channel))
        for state in states_of(customer, now=now)
        if state.consent and state.consent.state == Consent.State.OBJECTED
    }
    choices = [
        (purpose, str(channel))
        for purpose in Purpose.objects.exclude(rule=Purpose.Rule.SERVICE).prefetch_related("channels")
        for channel in channels_of(purpose)
        if (purpose.pk, str(channel)) not in objected
    ]
    for purpose, channel in choices:
        _record(customer, purpose, channel, Consent.State.OBJECTED, now)
    take_profiling_labels(customer, now=now)
    return len(choices)


def wards_of(customer: Customer, *, now: dt.datetime) -> QuerySet[Customer]:
    """Return the children under 16 for whom this customer answers, the eldest first."""
    born_after = years_before(local_date(now), AGE_OF_CONSENT)
    return Customer.objects.filter(guardianships__guardian=customer, birth_date__gt=born_after).order_by("birth_date")


def _record(
    customer: Customer, purpose: Purpose, channel: str, state: str, now: dt.datetime, guardian: Customer | None = None
) -> None:
    words = current_wording(purpose, now=now)
    record_consent(
        customer,
        purpose=purpose,
        channel=channel,
        state=state,
        source_code=SOURCE,
        actor=GUARDIAN if guardian else ACTOR,
        event_at=now,
        wording_version=words.version if words else WORDING,
        evidence={"page": "mijnmenu"},
        guardian=guardian,
    )
