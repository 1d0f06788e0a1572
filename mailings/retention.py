"""How long is kept what a message was: its address, its letter, the links that were followed in it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from django.core.files.storage import default_storage
from django.utils.translation import gettext_lazy as _

from common.retention import DAYS, MONTHS, RetentionRule, retention_rules
from common.sql import rows
from mailings.actions.drafts import forget_old_drafts
from mailings.actions.forgotten import forgotten_letters
from mailings.actions.texts import old_text_files
from mailings.models import Draft, LetterBatch

BATCH = 50_000
FORGOTTEN = dt.timedelta(days=1)  # no pile takes so long to print

# What nothing will happen to any more; the message itself stays, so that it can be told what somebody got.
_OLD_ADDRESSES = """
SELECT id FROM mailings_message
WHERE (address <> '' OR reply <> '') AND state_at < %(before)s AND state IN ('sent', 'failed', 'withdrawn', 'in_doubt')
"""
_OLD_HOMES = """
SELECT printed.id FROM mailings_printedletter AS printed
JOIN mailings_letterbatch AS batch ON batch.id = printed.batch_id
WHERE (printed.address_key <> '' OR printed.later_keys <> '{}') AND batch.created_at < %(before)s
"""
_OLD_REPLIES = "SELECT id FROM mailings_settlement WHERE reply <> '' AND settled_at < %(before)s"
_OLD_CLICKS = "SELECT id FROM mailings_click WHERE clicked_at < %(before)s"
_OLD_MACHINE_CLICKS = "SELECT id FROM mailings_machineclick WHERE clicked_at < %(before)s"
_OLD_BOUNCES = "SELECT id FROM mailings_bounce WHERE received_at < %(before)s"
_OLD_RETURNS = "SELECT id FROM mailings_postreturn WHERE recorded_at < %(before)s"
_OLD_ANSWERS = "SELECT id FROM mailings_textreply WHERE received_at < %(before)s"
_OLD_NOTES = "SELECT id FROM mailings_call WHERE called_at < %(before)s AND note <> ''"
_OLD_EARLIER = "SELECT id FROM mailings_earlierdecision WHERE replaced_at < %(before)s"
_OLD_DECISIONS = "SELECT id FROM mailings_decision WHERE decided_at < %(before)s"


def _counter(old: str) -> Callable[[dt.datetime, dt.datetime], int]:
    def count(before: dt.datetime, now: dt.datetime) -> int:
        return int(rows(f"SELECT count(*) AS n FROM ({old}) AS old", {"before": before})[0]["n"])  # noqa: S608

    return count


def _in_batches(statement: str, old: str, *, key: str = "id") -> Callable[[dt.datetime, dt.datetime], int]:
    """Return what applies a statement to the old rows, each batch from where the one before it ended: else every batch
    would walk past all that is younger, or was done, once more.
    """

    def apply(before: dt.datetime, now: dt.datetime) -> int:
        batch = statement.format(old=f"{old} AND {key} > %(after)s ORDER BY {key} LIMIT {BATCH}")
        text = f"WITH done AS ({batch} RETURNING id) SELECT count(*) AS n, coalesce(max(id), 0) AS last FROM done"  # noqa: S608
        total, count, after = 0, BATCH, 0
        while count == BATCH:
            [done] = rows(text, {"before": before, "after": after})
            count, after = done["n"], done["last"]
            total += count
        return total

    return apply


def _remove_decisions(before: dt.datetime, now: dt.datetime) -> int:
    _in_batches("DELETE FROM mailings_earlierdecision WHERE id IN ({old})", _OLD_EARLIER)(before, now)
    return _in_batches("DELETE FROM mailings_decision WHERE id IN ({old})", _OLD_DECISIONS)(before, now)


def _forget_addresses(before: dt.datetime, now: dt.datetime) -> int:
    _in_batches("UPDATE mailings_settlement SET reply = '' WHERE id IN ({old})", _OLD_REPLIES)(before, now)
    homes = "UPDATE mailings_printedletter SET address_key = '', later_keys = '{{}}' WHERE id IN ({old})"
    statement = "UPDATE mailings_message SET address = '', reply = '' WHERE id IN ({old})"
    places = _in_batches(homes, _OLD_HOMES, key="printed.id")(before, now)
    return places + _in_batches(statement, _OLD_ADDRESSES)(before, now)


def _count_addresses(before: dt.datetime, now: dt.datetime) -> int:
    return _counter(_OLD_HOMES)(before, now) + _counter(_OLD_ADDRESSES)(before, now)


def _count_clicks(before: dt.datetime, now: dt.datetime) -> int:
    return _counter(_OLD_CLICKS)(before, now) + _counter(_OLD_MACHINE_CLICKS)(before, now)


def _remove_clicks(before: dt.datetime, now: dt.datetime) -> int:
    machines = _in_batches("DELETE FROM mailings_machineclick WHERE id IN ({old})", _OLD_MACHINE_CLICKS)(before, now)
    return machines + _in_batches("DELETE FROM mailings_click WHERE id IN ({old})", _OLD_CLICKS)(before, now)


def _count_letters(before: dt.datetime, now: dt.datetime) -> int:
    old = LetterBatch.objects.filter(created_at__lt=before).exclude(file="").count()
    return old + len(forgotten_letters(before=now - FORGOTTEN))


def _remove_letters(before: dt.datetime, now: dt.datetime) -> int:
    old = list(LetterBatch.objects.filter(created_at__lt=before).exclude(file=""))
    for batch in old:
        default_storage.delete(batch.file.name or "")
        LetterBatch.objects.filter(pk=batch.pk).update(file="")
    forgotten = forgotten_letters(before=now - FORGOTTEN)
    for name in forgotten:
        default_storage.delete(name)
    return len(old) + len(forgotten)


def _count_text_files(before: dt.datetime, now: dt.datetime) -> int:
    return len(old_text_files(before=before))


def _remove_text_files(before: dt.datetime, now: dt.datetime) -> int:
    old = old_text_files(before=before)
    for path in old:
        path.unlink(missing_ok=True)
    return len(old)


def _count_said(before: dt.datetime, now: dt.datetime) -> int:
    return _counter(_OLD_ANSWERS)(before, now) + _counter(_OLD_NOTES)(before, now)


def _remove_said(before: dt.datetime, now: dt.datetime) -> int:
    _in_batches("UPDATE mailings_call SET note = '' WHERE id IN ({old})", _OLD_NOTES)(before, now)
    return _in_batches("DELETE FROM mailings_textreply WHERE id IN ({old})", _OLD_ANSWERS)(before, now)


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
        _count_addresses,
        _forget_addresses,
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
        "post_returns",
        _("Which letter came back, and why"),
        _("That an address is no good stays known at the customer until it changes."),
        _counter(_OLD_RETURNS),
        _in_batches("DELETE FROM mailings_postreturn WHERE id IN ({old})", _OLD_RETURNS),
        unit=MONTHS,
        period=13,
    ),
    RetentionRule(
        "answers",
        _("What customers answered to text messages and said on the telephone"),
        _("What came of a call stays known, and a no stays a no."),
        _count_said,
        _remove_said,
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
        "texts",
        _("Files with text messages"),
        _("Where no provider carries them they are written to a folder, with numbers and texts."),
        _count_text_files,
        _remove_text_files,
        unit=DAYS,
        period=30,
        most=365,
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
