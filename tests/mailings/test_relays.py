"""Several mail servers with shares and speeds, limits per mail domain, and a halt that is heard in time."""

import datetime as dt
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from celery.signals import worker_process_shutdown
from django.contrib.auth.models import User
from django.core.cache import cache
from django.db import connections
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from common.errors import Refused
from customers.models import Customer
from mailings import pacing, queue, stragglers
from mailings.actions import (
    cancel,
    pause,
    remove_domain_limit,
    remove_relay,
    resume,
    save_domain_limit,
    save_relay,
)
from mailings.delivery import try_out
from mailings.models import DomainLimit, Mailing, Message, Relay
from mailings.tasks import send_queued
from mailings.worker import Summary, send_ready
from tests.faults.scripted_smtp import Server, scripted_smtp
from wise_marketing.celery import app

pytestmark = pytest.mark.django_db(transaction=True)

Start = Callable[..., Mailing]
Reader = Callable[..., Customer]
MakeRelay = Callable[..., Relay]


@pytest.fixture
def now() -> dt.datetime:
    return timezone.now()


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[dict[str, Server]]:
    with scripted_smtp(tmp_path / "one") as one, scripted_smtp(tmp_path / "other") as other:
        yield {"RELAY_ONE": one, "RELAY_OTHER": other}


@pytest.fixture
def make_relay(servers: dict[str, Server], settings: Settings) -> MakeRelay:
    settings.RELAYS = {name: address(server.port) for name, server in servers.items()}

    def make(variable: str, **fields: Any) -> Relay:
        given = {"name": variable.removeprefix("RELAY_").title(), "weight": 1, "connections": 2, "per_second": None}
        return save_relay(None, variable=variable, **{**given, "is_active": True, **fields})

    return make


def address(port: int) -> dict[str, Any]:
    return {
        "EMAIL_HOST": "127.0.0.1", "EMAIL_PORT": port, "EMAIL_HOST_USER": "", "EMAIL_HOST_PASSWORD": "",
        "EMAIL_USE_TLS": False, "EMAIL_USE_SSL": False,
    }  # fmt: skip


def states(mailing: Mailing) -> dict[str, int]:
    return dict(Counter(Message.objects.filter(mailing=mailing).values_list("state", flat=True)))


def test_relays_share_a_mailing_by_their_weights_and_each_message_tells_its_own(
    start: Start, readers: Any, make_relay: MakeRelay, servers: dict[str, Server]
) -> None:
    make_relay("RELAY_ONE", weight=3, connections=6), make_relay("RELAY_OTHER", connections=6)
    for server in servers.values():
        server.seconds_per_mail = 0.02
    readers(60)
    mailing = start()
    send_ready(seconds=30)
    assert states(mailing) == {"sent": 60}
    told = Counter(Message.objects.values_list("relay", flat=True))
    assert told == {"One": len(servers["RELAY_ONE"].accepted()), "Other": len(servers["RELAY_OTHER"].accepted())}
    assert told["One"] > told["Other"] > 0


def test_a_relay_out_of_use_gets_nothing(
    start: Start, readers: Any, make_relay: MakeRelay, servers: dict[str, Server]
) -> None:
    make_relay("RELAY_ONE"), make_relay("RELAY_OTHER", is_active=False)
    readers(10)
    start()
    send_ready(seconds=30)
    assert (len(servers["RELAY_ONE"].accepted()), servers["RELAY_OTHER"].connections) == (10, 0)


def test_a_relay_that_does_not_answer_leaves_its_share_to_the_others(
    start: Start, readers: Any, make_relay: MakeRelay, servers: dict[str, Server]
) -> None:
    make_relay("RELAY_ONE"), make_relay("RELAY_OTHER")
    servers["RELAY_OTHER"].most_connections = 0
    readers(30)
    mailing = start()
    summary = send_ready(seconds=30)
    mailing.refresh_from_db()
    assert (mailing.state, summary.is_unreachable) == ("sending", False)
    # two connections were tried, each with a message, which comes back soon and has lost no attempt
    assert states(mailing) == {"sent": 28, "deferred": 2}
    assert set(Message.objects.filter(state="deferred").values_list("relay", "attempts")) == {("Other", 0)}


def test_without_relays_in_use_the_server_of_the_settings_is_used(
    start: Start, reader: Reader, make_relay: MakeRelay, servers: dict[str, Server], settings: Settings
) -> None:
    remove_relay(make_relay("RELAY_ONE"))
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", servers["RELAY_OTHER"].port
    reader()
    start()
    send_ready(seconds=30)
    assert Message.objects.get().relay == ""
    assert len(servers["RELAY_OTHER"].accepted()) == 1


def test_a_relay_is_not_given_more_per_second_than_it_may_have(
    start: Start, readers: Any, make_relay: MakeRelay, servers: dict[str, Server]
) -> None:
    make_relay("RELAY_ONE", per_second=5, connections=20)
    readers(60)
    mailing = start()
    began = time.monotonic()
    summary = send_ready(seconds=2)
    took = time.monotonic() - began
    sent = len(servers["RELAY_ONE"].accepted())
    assert 1 <= sent <= 5 + 5 * (took + 1)
    assert summary.has_more
    assert states(mailing) == {"sent": sent, "queued": 60 - sent}


def test_workers_together_take_no_more_than_the_allowance(make_relay: MakeRelay) -> None:
    relay = make_relay("RELAY_ONE", per_second=10)
    Relay.objects.update(allowance=10, allowance_at=timezone.now() + dt.timedelta(hours=1))
    taken = [pacing.take_from_relay(relay.pk, per_second=10, wanted=4) for _ in range(4)]
    Relay.objects.update(allowance=7)
    assert sum(taken) <= 10
    assert pacing.take_from_relay(10**9, per_second=10, wanted=4) == 4


@pytest.mark.parametrize("per_minute", [1, 7, 60, 3000])
def test_in_no_minute_does_a_domain_get_more_than_its_limit(per_minute: int) -> None:
    limit = save_domain_limit(None, domain="groot.example", per_minute=per_minute)
    DomainLimit.objects.update(allowance=0, allowance_at=timezone.now() - dt.timedelta(hours=1))  # a long silence
    taken = []
    for _second in range(120):
        taken.append(pacing.take_from_domain(limit, wanted=10_000))
        limit.refresh_from_db()
        DomainLimit.objects.update(allowance_at=limit.allowance_at - dt.timedelta(seconds=0.95))  # a second later
    minutes = [sum(taken[start : start + 60]) for start in range(61)]
    assert per_minute * 0.8 <= max(minutes) <= per_minute


def test_in_no_second_does_a_relay_get_more_than_a_fifth_above_its_speed(make_relay: MakeRelay) -> None:
    relay = make_relay("RELAY_ONE", per_second=100)
    Relay.objects.update(allowance=0, allowance_at=timezone.now() - dt.timedelta(hours=1))  # a long silence
    taken = []
    for _tenth in range(40):
        taken.append(pacing.take_from_relay(relay.pk, per_second=100, wanted=1000))
        relay.refresh_from_db()
        Relay.objects.update(allowance_at=relay.allowance_at - dt.timedelta(seconds=0.08))  # a tenth later
    seconds = [sum(taken[start : start + 10]) for start in range(31)]
    assert 80 <= max(seconds) <= 120


def test_a_domain_gets_so_many_per_minute_and_others_do_not_wait_for_it(
    start: Start, reader: Reader, make_relay: MakeRelay, servers: dict[str, Server]
) -> None:
    make_relay("RELAY_ONE")
    save_domain_limit(None, domain=" @Groot.example ", per_minute=60)
    DomainLimit.objects.update(allowance=3, allowance_at=timezone.now())
    for number in range(20):
        reader(email=f"a{number}@groot.example"), reader(email=f"b{number}@klein.example")
    mailing = start()
    send_ready(seconds=30)
    addresses = [line.split()[0] for line in servers["RELAY_ONE"].accepted()]
    large = [one for one in addresses if one.endswith("@groot.example")]
    assert len(addresses) - len(large) == 20
    assert 3 <= len(large) < 20
    waiting = Message.objects.filter(mailing=mailing, state="queued").order_by("next_attempt_at")
    assert waiting.count() == 20 - len(large)
    assert set(waiting.values_list("attempts", "reply")) == {(0, "")}
    # they come back one after the other and not all at once
    first, last = waiting[0], waiting[waiting.count() - 1]
    spread = last.next_attempt_at - first.next_attempt_at
    assert spread > dt.timedelta(seconds=waiting.count() - 2)


def test_who_waits_for_a_domain_is_not_claimed_again_and_again(
    start: Start, reader: Reader, make_relay: MakeRelay, servers: dict[str, Server]
) -> None:
    make_relay("RELAY_ONE")
    save_domain_limit(None, domain="groot.example", per_minute=60)
    DomainLimit.objects.update(allowance=3, allowance_at=timezone.now())
    for number in range(60):
        reader(email=f"a{number}@groot.example")
    reader(email="b@klein.example")
    mailing = start()
    began = timezone.now()
    send_ready(seconds=30, chunk=10)
    sent = len(servers["RELAY_ONE"].accepted())
    assert states(mailing) == {"sent": sent, "queued": 61 - sent}
    assert Message.objects.get(address="b@klein.example").state == "sent"
    waiting = list(Message.objects.filter(state="queued").order_by("next_attempt_at"))
    # one a second: of chunks by themselves the last would come back after ten
    assert waiting[-1].next_attempt_at > began + dt.timedelta(seconds=len(waiting) - 1)
    assert all(b.next_attempt_at - a.next_attempt_at > dt.timedelta(seconds=0.9) for a, b in pairwise(waiting))
    # and nearly all of them were never taken in the hand
    assert Message.objects.filter(state="queued", state_at__gt=began).count() <= 10


def test_who_is_put_off_comes_back_when_the_allowance_has_grown_and_not_a_whole_gap_later(
    start: Start, reader: Reader, make_relay: MakeRelay
) -> None:
    make_relay("RELAY_ONE")
    save_domain_limit(None, domain="groot.example", per_minute=6)
    gap = 60 / (6 * 0.9)
    reader(email="a@groot.example"), reader(email="b@groot.example")
    start()
    DomainLimit.objects.update(allowance=0, allowance_at=timezone.now() - dt.timedelta(seconds=gap * 0.8))
    began = timezone.now()
    send_ready(seconds=30)
    first, second = (
        (one - began).total_seconds() for one in Message.objects.order_by("next_attempt_at").values_list(
            "next_attempt_at", flat=True
        )
    )  # fmt: skip
    assert 0 < first < gap * 0.3
    assert second - first == pytest.approx(gap, rel=0.05)


def test_the_bell_is_rung_for_the_next_turn_of_a_domain_once_for_all_workers(
    start: Start, reader: Reader, make_relay: MakeRelay
) -> None:
    cache.delete("mailings:next-ring")
    make_relay("RELAY_ONE")
    save_domain_limit(None, domain="groot.example", per_minute=30)
    DomainLimit.objects.update(allowance=0, allowance_at=timezone.now())
    for name in "abc":
        reader(email=f"{name}@groot.example")
    start()
    assert queue.seconds_to_next(within=10) is None
    with app.connection_for_write() as connection:
        broker = connection.default_channel.client
        before = broker.llen("celery")
        send_queued()
        seconds = queue.seconds_to_next(within=10)
        assert seconds is not None
        assert 0 < seconds <= 60 / 27
        send_queued()
        assert broker.llen("celery") == before + 1
    assert queue.seconds_to_next(within=0.001) is None


def test_nobody_waits_longer_than_it_takes_to_notice_another_limit(
    start: Start, reader: Reader, make_relay: MakeRelay
) -> None:
    make_relay("RELAY_ONE")
    save_domain_limit(None, domain="groot.example", per_minute=1)
    DomainLimit.objects.update(allowance=0, allowance_at=timezone.now())
    for number in range(30):
        reader(email=f"a{number}@groot.example")
    mailing = start()
    send_ready(seconds=30, chunk=20)
    until = timezone.now() + dt.timedelta(seconds=pacing.LONGEST_WAIT_SECONDS)
    waiting = list(Message.objects.filter(mailing=mailing, state="queued").order_by("next_attempt_at"))
    assert len(waiting) >= 29
    assert waiting[-1].next_attempt_at <= until
    apart = [b.next_attempt_at - a.next_attempt_at for a, b in pairwise(waiting[:8])]
    assert min(apart) > dt.timedelta(seconds=50)  # those whose turn comes sooner still go one after the other


def test_a_connection_that_keeps_silent_holds_up_nobody_else(
    start: Start, reader: Reader, make_relay: MakeRelay, servers: dict[str, Server]
) -> None:
    relay = make_relay("RELAY_ONE", connections=3)
    server = servers["RELAY_ONE"]
    for number in range(2):
        reader(email=f"hang{number}@example.nl")
    for number in range(20):
        reader(email=f"a{number}@example.nl")
    first, second = start(), start()
    Message.objects.filter(mailing=second, address__startswith="hang").delete()

    def sent_all_else() -> bool:
        send_ready(seconds=30, chunk=5, patience=0.5)
        return (states(first), states(second)) == ({"sent": 20, "sending": 2}, {"sent": 20})

    wait_until(sent_all_else, seconds=60)
    assert stragglers.busy_by_relay() == {relay.pk: 2}
    third = start()
    send_ready(seconds=30, patience=0.5)  # there is one connection left, on which the next hangs
    called = server.connections
    assert send_ready(seconds=30).is_unreachable  # so nobody calls any more
    assert (server.connections, stragglers.busy_by_relay()) == (called, {relay.pk: 3})
    server.let_go.set()
    worker_process_shutdown.send(sender=None)  # as Celery does before a process ends
    assert stragglers.finish(seconds=30)
    assert states(first) == {"sent": 22}
    send_ready(seconds=30)
    assert states(third) == {"sent": 22}
    assert len(set(server.accepted())) == len(server.accepted()) == 64


def run(done: list[Summary]) -> None:
    try:
        done.append(send_ready(seconds=60))
    finally:
        connections.close_all()


def wait_until(is_true: Callable[[], bool], *, seconds: float) -> float:
    """Wait and return how long it took."""
    began = time.monotonic()
    while not is_true():
        assert time.monotonic() < began + seconds, "waited in vain"
        time.sleep(0.01)
    return time.monotonic() - began


def test_pause_resume_and_cancel_are_heard_within_ten_seconds(
    start: Start, readers: Any, make_relay: MakeRelay, servers: dict[str, Server]
) -> None:
    """A slow server: each mail takes it a fifth of a second, so the mailing would last for a long time."""
    make_relay("RELAY_ONE", connections=2)
    server = servers["RELAY_ONE"]
    server.seconds_per_mail = 0.2
    readers(300)
    mailing = start()
    for halt in (pause, cancel):
        summaries: list[Summary] = []
        worker = threading.Thread(target=run, args=(summaries,))
        before = len(server.accepted())
        worker.start()
        wait_until(lambda count=before: len(server.accepted()) > count + 2, seconds=60)  # type: ignore[misc]
        halt(mailing, now=timezone.now())
        began = time.monotonic()
        worker.join(10)
        assert not worker.is_alive(), "still at work"
        assert time.monotonic() - began < 10
        held = len(server.accepted())
        send_ready(seconds=5)
        assert len(server.accepted()) == held
        if halt is pause:
            resume(mailing, now=timezone.now())
    assert set(states(mailing)) == {"sent", "withdrawn"}
    assert states(mailing)["sent"] == len(server.accepted()) == len(set(server.accepted()))


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"variable": "RELAY_NONE"}, "variable"),
        ({"name": "One"}, "name"),
        ({"variable": "RELAY_ONE", "name": "Anders"}, "variable"),
        ({"connections": 0}, "connections"),
        ({"connections": 1000}, "connections"),
        ({"per_second": 0}, "per_second"),
    ],
)
def test_what_cannot_work_is_refused(make_relay: MakeRelay, fields: dict[str, Any], field: str) -> None:
    make_relay("RELAY_ONE")
    with pytest.raises(Refused) as refused:
        make_relay(**{"variable": "RELAY_OTHER", **fields})
    assert refused.value.field == field


@pytest.mark.parametrize("domain", ["groot", "a@b.nl", "", "x y.nl"])
def test_a_limit_is_for_a_domain(domain: str) -> None:
    with pytest.raises(Refused):
        save_domain_limit(None, domain=domain, per_minute=5)


def test_a_domain_has_one_limit(db: None) -> None:
    limit = save_domain_limit(None, domain="groot.example", per_minute=5)
    with pytest.raises(Refused):
        save_domain_limit(None, domain="GROOT.example", per_minute=6)
    remove_domain_limit(limit)
    assert save_domain_limit(None, domain="groot.example", per_minute=6).per_minute == 6


def test_the_page_says_where_mail_goes_when_no_server_is_in_use(
    make_relay: MakeRelay, client: Client, administrator: User
) -> None:
    client.force_login(administrator)
    page = reverse("workbench:relay_list")
    relay = make_relay("RELAY_ONE")
    assert "Geen van deze servers is in gebruik" not in client.get(page).content.decode()
    save_relay(relay, is_active=False)
    assert "Geen van deze servers is in gebruik" in client.get(page).content.decode()


def test_a_connection_can_be_tried(make_relay: MakeRelay, servers: dict[str, Server]) -> None:
    relay = make_relay("RELAY_ONE")
    assert try_out(relay.variable) == ""
    servers["RELAY_ONE"].most_connections = 0
    assert "421" in try_out(relay.variable)
