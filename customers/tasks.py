"""Work off what waits in the database; lost, doubled or late calls do no harm."""

from __future__ import annotations

import logging

from celery import shared_task
from django.core.cache import cache

from common.time import clock, local_date
from customers.actions.feeds import look_for_files
from customers.actions.imports import import_lock, next_import, run_import
from customers.actions.ledger import check_ledger
from customers.actions.maintenance import maintain
from customers.actions.matching import match_changed, match_lock
from customers.actions.privacy import make_waiting_copies, run_retention
from customers.actions.quality import count_quality as count_quality_now
from customers.actions.sources import follow_precedence
from customers.actions.tallies import tally_facts as tally_facts_now

log = logging.getLogger(__name__)

MATCH_AGAIN = 60  # seconds


@shared_task(ignore_result=True)
def run_waiting_imports() -> int:
    """Work off the imports that wait, in the order in which they came; return how many. Broken-off runs start again."""
    done = 0
    with import_lock(wait=False) as is_ours:
        # Who has the lock is the only one at work, so a run that claims to be under way was broken off.
        while is_ours and (run := next_import()):
            run_import(run, now=clock())
            done += 1
    if done:
        tally_facts.delay()
        match_nightly.delay()  # who came in may be known already
    return done


@shared_task(ignore_result=True)
def look_for_deliveries() -> int:
    """Put the files in line that appeared in the folders of feeds whose time has come; return how many."""
    taken = look_for_files(now=clock())
    if taken:
        run_waiting_imports.delay()
    return taken


@shared_task(ignore_result=True)
def follow_sources() -> int:
    """Let customers follow sources whose precedence was changed; return how many changed."""
    with import_lock(wait=False) as is_ours:
        return follow_precedence(now=clock()) if is_ours else 0


@shared_task(ignore_result=True)
def maintain_nightly() -> dict[str, int]:
    """Tidy up: households without people, files of imports that have been kept long enough."""
    return maintain(now=clock())


@shared_task(ignore_result=True)
def make_copies() -> int:
    """Make the copies of their data that customers wait for; return how many."""
    return make_waiting_copies(now=clock())


@shared_task(ignore_result=True)
def tally_facts() -> int:
    """Count per kind, source and month what customers did; return how many tallies."""
    return tally_facts_now(now=clock())


@shared_task(ignore_result=True)
def keep_no_longer() -> dict[str, int]:
    """Remove what was kept long enough, once a night; return rule -> rows."""
    now = clock()
    counts: dict[str, int] = run_retention(local_date(now), now=now).counts
    return counts


@shared_task(ignore_result=True)
def count_quality() -> int:
    """Count what is wrong with the data, for the page about quality; return how many figures."""
    return count_quality_now(now=clock())


@shared_task(ignore_result=True)
def check_ledger_nightly() -> int:
    """Check that nobody changed the ledger of consents behind our back; return how many rows are not as they were."""
    check = check_ledger(now=clock())
    if not check.is_whole:
        log.error("the ledger of consents: %s rows broken, %s missing", check.broken_count, check.missing_count)
    return check.broken_count + check.missing_count


@shared_task(ignore_result=True)
def match_nightly() -> int:
    """Compare who is new or changed with everybody: merge what is certain, propose the rest; return how many merged.

    While another run is at it this one comes back later, rather than keep a worker waiting that could send mail.
    """
    with match_lock() as is_ours:
        if is_ours:
            return match_changed(now=clock()).merged
    match_soon()
    return 0


def match_soon() -> None:
    """Have customers compared within a minute: once for however many ask, since one run looks at all who changed."""
    if cache.add("match-soon", True, MATCH_AGAIN):
        match_nightly.apply_async(countdown=MATCH_AGAIN)
