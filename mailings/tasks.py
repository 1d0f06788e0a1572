"""Wake up, do what is ready, go back to sleep: the rows in the database say what that is."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Sequence

from celery import shared_task
from celery.signals import worker_process_shutdown
from django.conf import settings
from django.contrib.auth.models import User
from django.core.cache import cache
from django.db import DataError

from common.time import clock
from mailings import actions, queue, stragglers
from mailings.actions import finish_mailings, forget_old_confirmations, print_letters
from mailings.bounces.mailbox import BATCH, fetch
from mailings.bounces.reading import Report, read_reports
from mailings.delivery.texts import FolderProvider, provider_words, text_provider
from mailings.models import Bounce, Mailing
from mailings.sms.events import read_event
from mailings.sms.worker import send_ready_texts
from mailings.worker import send_ready

log = logging.getLogger(__name__)

GOODBYE_SECONDS = 5
MAILBOX_SECONDS = 60
RUN_SECONDS = 15  # short, so that a worker that is asked to stop can, and other tasks get their turn
RING_SECONDS = 10  # so often the schedule rings
SOONEST_SECONDS = 2  # each run makes its connections anew; what a mail domain may get meanwhile is not lost
_RING = "mailings:next-ring"


@shared_task
def send_queued() -> dict[str, int]:
    """Send what is ready and return outcomes by state; rings for the next run itself while there is more."""
    summary = send_ready(seconds=RUN_SECONDS)
    if summary.has_more:
        send_queued.delay()
    else:
        _ring_for_next()
    return summary.counts


def _ring_for_next() -> None:
    """Ring before the schedule does when mail waits for its turn at a mail domain; one ring for all workers, since each
    would be followed by others.
    """
    seconds = queue.seconds_to_next(within=RING_SECONDS)
    if seconds is None:
        return
    seconds = max(seconds, SOONEST_SECONDS)
    if cache.add(_RING, True, timeout=math.ceil(seconds)):
        send_queued.apply_async(countdown=seconds, expires=seconds + RING_SECONDS)


@worker_process_shutdown.connect
def wait_for_stragglers(**_signal: object) -> None:
    """Give silent mail servers a moment before the process ends: what has no answer by then becomes a doubt."""
    stragglers.finish(seconds=GOODBYE_SECONDS)


@shared_task
def send_notices() -> int:
    """Mail staff what stopped by itself; return how many mails left."""
    return actions.send_notices(now=clock())


@shared_task
def send_confirmations() -> int:
    """Mail who signed up a link to confirm it, and remind who forgot; return how many mails left."""
    now = clock()
    forget_old_confirmations(now=now)
    return actions.send_confirmations(now=now)


@shared_task
def publish_due() -> int:
    """Write the lists whose time has come and tell other systems; return how many lists."""
    done = actions.run_due_publications(now=clock())
    actions.send_webhooks(now=clock())
    return done


@shared_task
def recover_stale() -> None:
    """Give back what dead workers held: claimed messages to the queue, those they were sending to people to look at.

    And stop the mailings of which too much comes back, count those that are over, and withdraw what is left of those
    that were cancelled.
    """
    queue.recover()
    actions.brake_mailings(now=clock())
    finish_mailings(now=clock())
    actions.keep_tallies()
    actions.withdraw_cancelled(now=clock())


@shared_task
def decide_experiments() -> int:
    """Decide the tests of versions whose time has come, and ring for the rest of their readers; return how many."""
    decided = actions.decide_due(now=clock())
    if decided:
        send_queued.delay()
    return decided


@shared_task
def judge_hits() -> int:
    """Tell clicks of people from those of programs, as soon as it can be told; return how many hits."""
    return actions.judge_hits(now=clock())


@shared_task
def read_bounces() -> int:
    """Read what came back into the mailbox for reports, for a minute at most; return how many. Raises NoMailbox."""
    count, until = 0, time.monotonic() + MAILBOX_SECONDS
    while settings.BOUNCE_MAILBOX:
        found = 0
        for mails, taken in fetch(settings.BOUNCE_MAILBOX):
            taken(_take_reports(mails))
            found += len(mails)
        count += found
        if found < BATCH or time.monotonic() > until:
            break
    return count


def _take_reports(mails: Sequence[bytes]) -> list[bool]:
    """Keep what mails report; return of each whether it is a report that could be read and kept."""
    told = [_reports_in(mail) for mail in mails]
    if not _are_kept([one for reports in told for one in reports]):  # which of them it was shows one by one
        told = [reports if _are_kept(reports) else [] for reports in told]
    return [any(report.kind != Bounce.Kind.UNKNOWN for report in reports) for reports in told]


def _reports_in(mail: bytes) -> list[Report]:
    try:
        return read_reports(mail)
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        log.warning("a mail in the mailbox for reports cannot be read; it is left there")
        return []


def _are_kept(reports: Sequence[Report]) -> bool:
    try:
        actions.record_reports(reports, source=Bounce.Source.MAILBOX, now=clock())
    except (ValueError, LookupError, TypeError, AttributeError, DataError):
        log.warning("what a mail in the mailbox for reports says cannot be kept; it is left there")
        return False
    return True


@shared_task
def check_links() -> int:
    """Look up the links that somebody asked about; return how many."""
    return actions.check_links(now=clock())


@shared_task
def send_texts() -> dict[str, int]:
    """Send the text messages that are ready and return outcomes by state; the next ring takes what is left."""
    return send_ready_texts(seconds=RUN_SECONDS)


@shared_task
def read_text_events() -> int:
    """Read what a gateway put in the folder of text messages; return how many reports and answers were news."""
    provider = text_provider()
    told = provider.events() if isinstance(provider, FolderProvider) else ()
    found = (read_event(one, provider_words()) for one in told)
    return actions.record_text_events((one for one in found if one), now=clock())


@shared_task
def decide_about_waiting() -> int:
    """Look again at those who wait for their turn; return about how many that changed."""
    return actions.decide_about_waiting(now=clock())


@shared_task
def print_letters_of(mailing_id: int, user_id: int | None = None) -> None:
    """Print the letters of a large mailing away from who asked for it."""
    by = User.objects.filter(pk=user_id).first() if user_id else None
    print_letters(Mailing.objects.get(pk=mailing_id), by=by, now=clock())
