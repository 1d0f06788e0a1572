import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.utils import translation

from common.errors import Refused
from customers.models import Customer
from mailings.actions import record_click
from mailings.models import Mailing, Message
from selections.actions import create_selection
from selections.compiler import compile_rule
from selections.explain import describe

pytestmark = pytest.mark.django_db


def rule(criterion: str, **params: Any) -> dict[str, Any]:
    return {"version": 1, "op": "all", "children": [{"criterion": criterion, "params": params}]}


@pytest.fixture
def people(reader: Callable[..., Customer], start: Callable[..., Mailing], now: dt.datetime) -> dict[str, Any]:
    got, clicked, none = reader(), reader(), reader()
    first, second = start(got, clicked), start(clicked)
    Message.objects.filter(mailing=first).update(state="sent", sent_at=now - dt.timedelta(days=20))
    Message.objects.filter(mailing=second).update(state="failed")
    record_click(Message.objects.get(mailing=first, customer=clicked).pk, 0, now=now - dt.timedelta(days=5))
    return {"got": got, "clicked": clicked, "none": none, "first": first, "second": second}


@pytest.mark.parametrize(
    ("criterion", "params", "expected"),
    [
        ("mailings.received", {}, {"got", "clicked"}),
        ("mailings.received", {"mailing": "first"}, {"got", "clicked"}),
        ("mailings.received", {"mailing": "second"}, set()),
        ("mailings.received", {"within_days": 19}, set()),
        ("mailings.received", {"within_days": 21}, {"got", "clicked"}),
        ("mailings.not_received", {}, {"none"}),
        ("mailings.not_received", {"within_days": 19}, {"got", "clicked", "none"}),
        ("mailings.clicked", {}, {"clicked"}),
        ("mailings.clicked", {"mailing": "second"}, set()),
        ("mailings.clicked", {"within_days": 4}, set()),
        ("mailings.clicked", {"within_days": 6}, {"clicked"}),
    ],
)
def test_what_was_received_and_followed_can_be_asked(
    people: dict[str, Any], now: dt.datetime, criterion: str, params: dict[str, Any], expected: set[str]
) -> None:
    params = {name: people[value].pk if name == "mailing" else value for name, value in params.items()}
    found = set(compile_rule(rule(criterion, **params), now=now))
    assert found == {people[name] for name in expected}


def test_a_mailing_that_does_not_exist_is_refused(now: dt.datetime) -> None:
    with pytest.raises(Refused):
        create_selection(name="x", rule=rule("mailings.received", mailing=999), now=now)


def test_it_reads_as_a_sentence(people: dict[str, Any]) -> None:
    with translation.override("en"):
        sentence = describe(rule("mailings.clicked", mailing=people["first"].pk, within_days=30))
    assert "clicked in the mailing “Voorjaar” in the past 30 days" in sentence
