"""When the system labels are computed: each night, and when somebody asks."""

from __future__ import annotations

from celery import shared_task

from common.time import clock, local_date
from labels.actions import refresh_system_labels


@shared_task
def refresh_system_labels_nightly() -> None:
    """Recompute the system labels, once per Amsterdam day however often it is called."""
    now = clock()
    refresh_system_labels(now=now, due_key=f"nightly {local_date(now)}")


@shared_task
def refresh_system_labels_now() -> None:
    """Recompute the system labels at this moment, at most once a minute."""
    now = clock()
    refresh_system_labels(now=now, due_key=f"by hand {now:%Y-%m-%d %H:%M}")
