"""What is tidied up every night."""

from __future__ import annotations

import datetime as dt

from django.db.models import F

from common.sql import execute
from customers.models import ImportRun

# An uploaded file holds personal data: kept long enough to look into a complaint about an import, and no longer.
FILE_DAYS = 30


def maintain(*, now: dt.datetime) -> dict[str, int]:
    """Remove households without people, and files of old imports with what they changed; return how many of each."""
    return {
        "households": remove_empty_households(),
        "files": remove_old_files(now=now),
        "changes": remove_old_changes(now=now),
    }


def remove_empty_households() -> int:
    """Remove addresses at which nobody lives any more; return how many."""
    return execute(
        """
        DELETE FROM customers_household AS household
        WHERE NOT EXISTS (SELECT FROM customers_customer AS customer WHERE customer.household_id = household.id)
        """
    )


def remove_old_files(*, now: dt.datetime) -> int:
    """Remove the files of imports that ended more than FILE_DAYS ago; the runs and their counts stay.

    Who has not said yes to an import by then has said no.
    """
    forgotten = ImportRun.objects.filter(
        state=ImportRun.State.PREVIEWED, created_at__lt=now - dt.timedelta(days=FILE_DAYS)
    )
    forgotten.update(state=ImportRun.State.CANCELLED, finished_at=F("created_at"), preview={})
    old = ImportRun.objects.filter(finished_at__lt=now - dt.timedelta(days=FILE_DAYS)).exclude(file="")
    count = 0
    for run in old.iterator():
        run.file.delete(save=False)
        run.file = ""
        run.save(update_fields=["file"])
        count += 1
    return count


def remove_old_changes(*, now: dt.datetime) -> int:
    """Forget how rows were before imports that can no longer be undone; return how many."""
    return execute(
        """
        DELETE FROM customers_importchange AS change USING customers_importrun AS run
        WHERE run.id = change.run_id AND run.finished_at < %(until)s
        """,
        {"until": now - dt.timedelta(days=FILE_DAYS)},
    )
