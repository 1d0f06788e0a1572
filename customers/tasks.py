"""Work off what waits in the database; lost, doubled or late calls do no harm."""

from __future__ import annotations

from celery import shared_task

from common.time import clock, local_date
from customers.actions.imports import import_lock, next_import, run_import
from customers.actions.maintenance import maintain
from customers.actions.privacy import make_waiting_copies, run_retention
from customers.actions.quality import count_quality as count_quality_now


@shared_task(ignore_result=True)
def run_waiting_imports() -> int:
    """Work off the imports that wait, in the order in which they came; return how many. Broken-off runs start again."""
    done = 0
    with import_lock(wait=False) as is_ours:
        # Who has the lock is the only one at work, so a run that claims to be under way was broken off.
        while is_ours and (run := next_import()):
            run_import(run, now=clock())
            done += 1
    return done


@shared_task(ignore_result=True)
def maintain_nightly() -> dict[str, int]:
    """Tidy up: households without people, files of imports that have been kept long enough."""
    return maintain(now=clock())


@shared_task(ignore_result=True)
def make_copies() -> int:
    """Make the copies of their data that customers wait for; return how many."""
    return make_waiting_copies(now=clock())


@shared_task(ignore_result=True)
def keep_no_longer() -> dict[str, int]:
    """Remove what was kept long enough, once a night; return rule -> rows."""
    now = clock()
    return run_retention(local_date(now), now=now).counts


@shared_task(ignore_result=True)
def count_quality() -> int:
    """Count what is wrong with the data, for the page about quality; return how many figures."""
    return count_quality_now(now=clock())
