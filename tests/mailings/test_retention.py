from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from common.retention import retention_rules
from mailings import retention
from mailings.models import Bounce, Click, Mailing
from tests.factories import follow_link

pytestmark = pytest.mark.django_db

DAY = dt.timedelta(days=1)


def test_what_is_old_goes_in_batches_each_from_where_the_last_ended(
    start: Callable[..., Mailing],
    readers: Any,
    now: dt.datetime,
    monkeypatch: pytest.MonkeyPatch,
    django_assert_max_num_queries: Any,
) -> None:
    readers(5)
    mailing = start()
    mailing.messages.update(state="sent", sent_at=now, state_at=now)
    messages = list(mailing.messages.order_by("pk"))
    for number, message in enumerate(messages):  # every second one is young, among the old
        follow_link(message, now=now + dt.timedelta(hours=1) + number % 2 * 9 * DAY)
        Bounce.objects.create(
            message=message, kind="soft", received_at=now + number % 2 * 9 * DAY, source="smtp", key=str(number)
        )
    monkeypatch.setattr(retention, "BATCH", 2)
    before = now + 5 * DAY
    for code, left in (("clicks", Click), ("bounces", Bounce)):
        rule = retention_rules[code]
        assert rule.count(before, now) == 3
        with django_assert_max_num_queries(4):  # two and one, and machine clicks of which there are none
            assert rule.apply(before, now) == 3
        assert left.objects.count() == 2
        assert (rule.count(before, now), rule.apply(before, now)) == (0, 0)


def test_addresses_are_forgotten_and_messages_stay(
    start: Callable[..., Mailing], readers: Any, now: dt.datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    readers(5)
    mailing = start()
    first = mailing.messages.order_by("pk").first()
    assert first
    mailing.messages.exclude(pk=first.pk).update(state="sent", sent_at=now, state_at=now)
    monkeypatch.setattr(retention, "BATCH", 3)
    assert retention_rules["addresses"].apply(now + DAY, now) == 4
    assert set(mailing.messages.exclude(address="")) == {first}  # it has yet to leave
    assert mailing.messages.count() == 5
