"""When labels are computed, given by rule, ended and counted: each night, and when somebody asks."""

from __future__ import annotations

import datetime as dt

from celery import shared_task

from common.time import clock, local_date
from labels.actions import count_labels, end_labels, follow_rules, refresh_system_labels, run_backfills
from labels.models import Label


def key_by_hand(now: dt.datetime) -> str:
    """Return the key of what somebody asks for himself: it is done at most once a minute."""
    return f"by hand {now:%Y-%m-%d %H:%M}"


@shared_task
def refresh_system_labels_nightly() -> None:
    """Recompute the system labels, then follow the rules of own labels, which may ask for those of the system; once per
    Amsterdam day however often it is called.
    """
    now = clock()
    due_key = f"nightly {local_date(now)}"
    try:
        refresh_system_labels(now=now, due_key=due_key, full=False)
    finally:
        follow_rules(now=now, due_key=due_key)


@shared_task
def refresh_system_labels_now() -> None:
    """Recompute the system labels at this moment, at most once a minute."""
    now = clock()
    refresh_system_labels(now=now, due_key=key_by_hand(now))


@shared_task
def refresh_system_labels_changed() -> None:
    """Recompute after thresholds or values were changed; when nothing differs, only who changed is looked at."""
    now = clock()
    refresh_system_labels(now=now, due_key=f"changed {now.isoformat()}", full=False)


@shared_task
def follow_rule_now(label: int) -> None:
    """Follow the rule of one label at this moment, at most once a minute."""
    now = clock()
    known = Label.objects.by_rule().select_related("group", "selection").filter(pk=label).first()
    if known is not None:
        follow_rules(now=now, due_key=key_by_hand(now), only=known)


@shared_task
def end_labels_nightly() -> None:
    """Take the labels whose days or time are over, and count how many had each label yesterday; twice does no harm."""
    now = clock()
    end_labels(now=now)
    count_labels(now=now)


@shared_task
def work_out_histories() -> int:
    """Work out the histories of labels that somebody asked for; return how many."""
    return run_backfills(clock=clock)
