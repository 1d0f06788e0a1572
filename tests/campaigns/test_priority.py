"""The priority of an action reaches the gate, and who had to wait gets its label all the same."""

import datetime as dt
from collections.abc import Callable

import pytest
from django.contrib.auth.models import User

from campaigns.actions import run_action
from campaigns.models import Action
from customers.models import Customer, Purpose
from labels.actions import create_label
from labels.models import Assignment
from mailings.actions import approve, change_sending_settings, decide_about_waiting
from mailings.frozen import mark_of_mailing
from mailings.models import Decision, Mailing, Message
from tests.factories import ConsentFactory, limit_messages

pytestmark = pytest.mark.django_db


def test_who_waited_gets_the_label_of_the_action_with_his_message(
    make_action: Callable[..., Action], member: Callable[..., Customer], now: dt.datetime
) -> None:
    limit_messages(1, days=2, wait_days=3)
    customer = member()
    ConsentFactory(customer=customer, purpose=Purpose.objects.get(code="marketing"))
    label = create_label(name="Kreeg de brief", kind="own", now=now)
    first = make_action(purpose="marketing", priority=Mailing.Priority.HIGH)
    second = make_action(purpose="marketing", priority=Mailing.Priority.LOW, gives_label=label)
    everybody = Customer.objects.all()
    assert run_action(first, everybody, due_key="een", by=None, now=now).priority == Mailing.Priority.HIGH
    Message.objects.update(state="sent", sent_at=now)
    waiting = run_action(second, everybody, due_key="twee", by=None, now=now)
    assert Decision.objects.get(mailing=waiting).outcome == "waits"
    assert not Assignment.objects.filter(label=label).exists()
    later = now + dt.timedelta(days=2, hours=1)
    decide_about_waiting(now=later)
    assert Assignment.objects.open().get(label=label).customer == customer


def test_the_label_comes_with_the_approval(
    make_action: Callable[..., Action], member: Callable[..., Customer], administrator: User, now: dt.datetime
) -> None:
    change_sending_settings(approval_from=1)
    ConsentFactory(customer=member(), purpose=Purpose.objects.get(code="marketing"))
    label = create_label(name="Kreeg de brief", kind="own", now=now)
    action = make_action(purpose="marketing", gives_label=label)
    mailing = run_action(action, Customer.objects.all(), due_key="een", by=None, now=now)
    assert not Assignment.objects.filter(label=label).exists()
    approve(mailing, seen=mark_of_mailing(mailing), by=administrator, now=now)
    assert Assignment.objects.open().filter(label=label).count() == 1
