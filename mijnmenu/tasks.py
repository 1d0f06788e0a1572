"""Answer what customers asked for; the rows say what waits, so a call that is lost or doubled does no harm."""

from __future__ import annotations

from celery import shared_task
from django.db import transaction

from common.time import clock
from mailings.tasks import send_queued
from mijnmenu import actions


@shared_task
def answer_customers() -> None:
    """Mail the links and confirmations that were asked for, and forget requests of long ago."""
    now = clock()
    if actions.answer_requests(now=now):
        send_queued.delay()
    actions.send_confirmations(now=now)
    actions.tell_old_addresses(now=now)
    actions.forget_old_requests(now=now)


def ring() -> None:
    """Wake the task once the present transaction stands. Without a broker it comes within a minute by itself."""
    transaction.on_commit(answer_customers.delay, robust=True)
