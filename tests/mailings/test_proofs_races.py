"""Two things at the same moment, about the same message."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from uuid import uuid4

import pytest
from django.db import connections, transaction
from django.utils import timezone

from common.sql import rows
from customers.models import Customer
from mailings import queue
from mailings.actions import unsubscribe
from mailings.models import Mailing, Message
from mailings.queue import Outcome

pytestmark = pytest.mark.django_db(transaction=True)
_WAITING = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


@pytest.fixture
def now() -> dt.datetime:
    return timezone.now()


def test_who_unsubscribes_while_his_mail_is_being_marked_is_not_said_to_have_got_none(
    start: Callable[..., Mailing], reader: Callable[..., Customer]
) -> None:
    reader()
    mailing = start()
    token, is_marked = uuid4(), Event()
    ids = [message_id for message_id, _customer in queue.claim(mailing, token=token, limit=1)]

    def mark_slowly() -> set[int]:
        try:
            with transaction.atomic():
                marked = queue.mark(mailing, ids, token=token, now=timezone.now())
                is_marked.set()
                until = time.monotonic() + 60
                while not rows(_WAITING):
                    assert time.monotonic() < until, "nobody waits"
                    time.sleep(0.01)
            return marked
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        marking = pool.submit(mark_slowly)
        assert is_marked.wait(60)
        unsubscribe(Message.objects.get(), scope="purpose", method="page", now=timezone.now())
        assert marking.result(30) == set(ids)
    assert Message.objects.get().state == "sending"
    assert queue.record(mailing, [Outcome(ids[0], "sent")], token=token) == 1
