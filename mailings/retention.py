"""How long is kept what a message was: its address, its letter, the links that were followed in it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from django.core.files.storage import default_storage
from django.utils.translation import gettext_lazy as _

from common.retention import DAYS, MONTHS, RetentionRule, retention_rules
from common.sql import execute, rows
from mailings.actions.drafts import forget_old_drafts
from mailings.models import Draft, LetterBatch

BATCH = 50_000

# What nothing will happen to any more; the message itself stays, so that it can be told what somebody got.
_OLD_ADDRESSES = """
SELECT id FROM mailings_message
WHERE (address <> '' OR reply <> '') AND state_at < %(before)s AND state IN ('sent', 'failed', 'withdrawn', 'in_doubt')
"""
_OLD_CLICKS = "SELECT id FROM mailings_click WHERE clicked_at < %(before)s"
_OLD_MACHINE_CLICKS = "SELECT id FROM mailings_machineclick WHERE clicked_at < %(before)s"
_OLD_BOUNCES = "SELECT id FROM mailings_bounce WHERE received_at < %(before)s"
_OLD_EARLIER = "SELECT id FROM mailings_earlierdecision WHERE replaced_at < %(before)s"
_OLD_DECISIONS = "SELECT id FROM mailings_decision WHERE decided_at < %(before)s"


def _counter(old: str) -> Callable[[dt.datetime, dt.datetime], int]:
    def count(before: dt.datetime, now: dt.datetime) -> int:
        return int(rows(f"SELECT count(*) AS n FROM ({old}) AS old", {"before": before})[0]["n"])  # noqa: S608

    return count


def _in_batches(statement: str, old: str) -> Callable[[dt.datetime, dt.datetime], int]:
    def apply(before: dt.datetime, now: dt.datetime) -> int:
        total = 0
        while done := execute(statement.format(old=f"{old} LIMIT {BATCH}"), {"before": before}):
            total += done
        return total

    return apply


def _remove_decisions(before: dt.datetime, now: dt.datetime) -> int:
    _in_batches("DELETE FROM mailings_earlierdecision WHERE id IN ({old})", _OLD_EARLIER)(before, now)
    return _in_batches("DELETE FROM mailings_decision WHERE id IN ({old})", _OLD_DECISIONS)(before, now)


def _count_clicks(before: dt.datetime, now: dt.datetime) -> int:
    return _counter(_OLD_CLICKS)(before, now) + _counter(_OLD_MACHINE_CLICKS)(before, now)


def _remove_clicks(before: dt.datetime, now: dt.datetime) -> int:
    _in_batches("DELETE FROM mailings_machineclick WHERE id IN ({old})", _OLD_MACHINE_CLICKS)(before, now)
    return _in_batches("DELETE FROM mailings_click WHERE id IN ({old})", _OLD_CLICKS)(before, now)


def _count_letters(before: dt.datetime, now: dt.datetime) -> int:
    return LetterBatch.objects.filter(created_at__lt=before).exclude(file="").count()


def _remove_letters(before: dt.datetime, now: dt.datetime) -> int:
    old = list(LetterBatch.objects.filter(created_at__lt=before).exclude(file=""))
    for batch in old:
        default_storage.delete(batch.file.name or "")
        LetterBatch.objects.filter(pk=batch.pk).update(file="")
    return len(old)


def _count_drafts(before: dt.datetime, now: dt.datetime) -> int:
    return Draft.objects.filter(saved_at__lt=before).count()


def _remove_drafts(before: dt.datetime, now: dt.datetime) -> int:
    return forget_old_drafts(before=before)


for rule in (
    RetentionRule(
        "drafts",
        _("What staff typed in a message and did not save"),
        _("It comes back to who typed it, until it is saved or thrown away."),
        _count_drafts,
        _remove_drafts,
        unit=DAYS,
        period=90,
        most=365,
    ),
    RetentionRule(
        "addresses",
        _("E-mail addresses on messages"),
        _("To which address a message went, and what the mail server answered. That somebody got it stays known."),
        _counter(_OLD_ADDRESSES),
        _in_batches("UPDATE mailings_message SET address = '', reply = '' WHERE id IN ({old})", _OLD_ADDRESSES),
        unit=MONTHS,
        period=24,
    ),
    RetentionRule(
        "clicks",
        _("Which link was followed in which message"),
        _("That somebody followed a link stays known as an activity, as long as those are kept."),
        _count_clicks,
        _remove_clicks,
        unit=MONTHS,
        period=13,
    ),
    RetentionRule(
        "bounces",
        _("What mail servers reported about mail"),
        _("Which mail did not arrive, and why. Addresses that are blocked because of it stay blocked."),
        _counter(_OLD_BOUNCES),
        _in_batches("DELETE FROM mailings_bounce WHERE id IN ({old})", _OLD_BOUNCES),
        unit=MONTHS,
        period=13,
    ),
    RetentionRule(
        "decisions",
        _("Why somebody did or did not get a message"),
        _("The reason per customer and mailing. Reports of older mailings then no longer tell who was left out."),
        _counter(_OLD_DECISIONS),
        _remove_decisions,
        unit=MONTHS,
        period=36,
    ),
    RetentionRule(
        "letters",
        _("Files with printed letters"),
        _("The PDF, with names and addresses. How many letters it held stays known."),
        _count_letters,
        _remove_letters,
        unit=DAYS,
        period=30,
        most=365,
    ),
):
    retention_rules.register(rule)
