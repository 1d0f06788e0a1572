"""What leaves of a test of versions: each reader his own version, and the rest the one that was decided."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from mailings import worker
from mailings.actions import decide_experiment, plan_experiment, set_arms
from mailings.models import Content, Mailing
from tests.smtp_sink import Sink

# Workers keep connections of their own, so what tests leave must be committed.
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def now() -> dt.datetime:
    """Delivery reads the clock of the database, so these tests live in the present."""
    return timezone.now()


def test_each_reader_gets_his_version_and_the_rest_what_was_decided(
    start: Callable[..., Mailing], make_content: Callable[..., Content], readers: Any, smtp_sink: Sink, now: dt.datetime
) -> None:
    readers(40)
    content = make_content(subject="Nieuws")
    experiment = plan_experiment(content, now=now)
    set_arms(experiment, [{"percent": 30}, {"percent": 30, "subject": "Anders", "sender_name": "Anna"}], now=now)
    mailing = start(content=content, with_test=True)
    place: dict[str, int | None] = dict(mailing.messages.values_list("address", "arm__position"))
    assert set(place.values()) == {0, 1, None}
    worker.send_ready(seconds=30)
    heads = {0: ("Nieuws", "Bibliotheek Waterland"), 1: ("Anders", "Anna")}
    assert {one.recipients[0]: head_of(one) for one in smtp_sink.received} == {
        address: heads[arm] for address, arm in place.items() if arm is not None
    }
    decide_experiment(experiment, winner=experiment.versions[1], now=timezone.now())
    worker.send_ready(seconds=30)
    assert {one.recipients[0]: head_of(one) for one in smtp_sink.received} == {
        address: heads[1 if arm is None else arm] for address, arm in place.items()
    }
    assert len(smtp_sink.received) == 40
    mailing.refresh_from_db()
    assert mailing.state == "finished"


def head_of(received: Any) -> tuple[str, str]:
    message = received.message
    return str(message["Subject"]), message["From"].addresses[0].display_name
