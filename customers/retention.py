"""How long customers and what belongs to them are kept. Erasing people is off until the organisation wants it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from django.utils.translation import gettext_lazy as _

from common.retention import DAYS, MONTHS, RetentionRule, Tie, retention_rules, ties
from common.sql import execute
from common.time import local_date
from customers import dropped
from customers.actions.maintenance import FILE_DAYS, remove_old_files
from customers.actions.privacy import erase_many, expire_copies
from customers.actions.retention import limit, months_kept, retention_of_facts
from customers.models import AccessRequest, CustomerChange, Erasure, Fact, ImportRun, Note
from customers.models.privacy import ErasureRequest
from customers.privacy.leaving import count_gone, next_gone

BY = "retention"  # who erased, on receipts


def _count_gone(kind: str) -> Callable[[dt.datetime, dt.datetime], int]:
    return lambda before, now: count_gone(kind, before, now=now)


def _erase_gone(kind: str) -> Callable[[dt.datetime, dt.datetime], int]:
    def apply(before: dt.datetime, now: dt.datetime) -> int:
        """Erase batch by batch; who cannot be erased tonight is passed by."""
        erased, after = 0, 0
        while ids := next_gone(kind, before, now=now, after=after):
            receipt = erase_many(ids, ground=Erasure.Ground.RETENTION, by=BY, now=now)
            erased, after = erased + (receipt.persons if receipt else 0), ids[-1]
        return erased

    return apply


def _count_facts(before: dt.datetime, now: dt.datetime) -> int:
    day = local_date(now)
    return sum(
        Fact.objects.filter(kind=kind, occurred_at__lt=limit(day, months)).count()
        for kind, months in months_kept().items()
    )


def _fade_facts(before: dt.datetime, now: dt.datetime) -> int:
    return sum(retention_of_facts(day=local_date(now), now=now).values())


def _is_old(before: dt.datetime) -> Callable[[int], bool]:
    """Tell of an import whether it ended before; one that is not known any more did."""
    younger = set(ImportRun.objects.exclude(finished_at__lt=before).values_list("pk", flat=True))
    return lambda run: run not in younger


def _count_files(before: dt.datetime, now: dt.datetime) -> int:
    is_old = _is_old(before)
    dropped_files = sum(is_old(run) for _path, run in dropped.done())
    return ImportRun.objects.filter(finished_at__lt=before).exclude(file="").count() + dropped_files


def _remove_files(before: dt.datetime, now: dt.datetime) -> int:
    """Remove the files, also in the folders of deliveries, and empty what of them stands in lists of refused rows."""
    execute(
        """
        UPDATE customers_importerror AS error SET value = '' FROM customers_importrun AS run
        WHERE error.run_id = run.id AND run.finished_at < %(before)s AND error.value <> ''
        """,
        {"before": before},
    )
    return remove_old_files(now=now) + dropped.remove_done(_is_old(before))


def _count_changes(before: dt.datetime, now: dt.datetime) -> int:
    return CustomerChange.objects.filter(changed_at__lt=before).count()


def _remove_changes(before: dt.datetime, now: dt.datetime) -> int:
    return execute("DELETE FROM customers_customerchange WHERE changed_at < %(before)s", {"before": before})


def _count_notes(before: dt.datetime, now: dt.datetime) -> int:
    return Note.objects.filter(happened_at__lt=before).count()


def _remove_notes(before: dt.datetime, now: dt.datetime) -> int:
    """Remove old notes, the history of their texts with them, in one statement."""
    return execute(
        """
        WITH old AS MATERIALIZED (SELECT id FROM customers_note WHERE happened_at < %(before)s),
        history AS (DELETE FROM customers_noteevent USING old WHERE pgh_obj_id = old.id)
        DELETE FROM customers_note AS note USING old WHERE note.id = old.id
        """,
        {"before": before},
    )


def _count_copies(before: dt.datetime, now: dt.datetime) -> int:
    return AccessRequest.objects.filter(state=AccessRequest.State.READY, expires_at__lte=now).count()


def _remove_copies(before: dt.datetime, now: dt.datetime) -> int:
    return expire_copies(now=now)


def _answered(before: dt.datetime) -> str:
    return "state <> 'open' AND decided_at < %(before)s"


def _count_requests(before: dt.datetime, now: dt.datetime) -> int:
    return ErasureRequest.objects.exclude(state=ErasureRequest.State.OPEN).filter(decided_at__lt=before).count()


def _remove_requests(before: dt.datetime, now: dt.datetime) -> int:
    return execute(f"DELETE FROM customers_erasurerequest WHERE {_answered(before)}", {"before": before})  # noqa: S608


for rule in (
    RetentionRule(
        "facts",
        _("What customers did"),
        _("After its time a loan or visit becomes a count per month, without anybody in it. Labels stay as they are."),
        _count_facts,
        _fade_facts,
        unit="",
        is_fixed=True,
        elsewhere=_("Each kind of activity has its own period, on the page Kinds of activity."),
    ),
    RetentionRule(
        "former",
        _("Former members"),
        _(
            "Erased when this long nothing happened: no subscription, loan, visit or click. Who still allows us to "
            "write, has a voucher, or is the parent of a member, stays."
        ),
        _count_gone("former"),
        _erase_gone("former"),
        period=24,
        is_on=False,
    ),
    RetentionRule(
        "prospects",
        _("Prospects and newsletter contacts"),
        _("Erased when this long nothing happened and nothing is allowed any more."),
        _count_gone("prospect"),
        _erase_gone("prospect"),
        period=24,
        is_on=False,
    ),
    RetentionRule(
        "import_files",
        _("Files taken in"),
        _("The file itself, and the values of refused rows. What came of it stays."),
        _count_files,
        _remove_files,
        unit=DAYS,
        period=FILE_DAYS,
        is_fixed=True,
    ),
    RetentionRule(
        "changes",
        _("History of changes to customers"),
        _("Who changed which field from what to what."),
        _count_changes,
        _remove_changes,
        unit=MONTHS,
        period=24,
    ),
    RetentionRule(
        "notes",
        _("Notes and contacts"),
        _("What staff wrote down of calls, visits and complaints, with what it said before."),
        _count_notes,
        _remove_notes,
        period=36,
    ),
    RetentionRule(
        "copies",
        _("Copies of their data for customers"),
        _("The files can be downloaded for two weeks."),
        _count_copies,
        _remove_copies,
        unit=DAYS,
        period=14,
        is_fixed=True,
    ),
    RetentionRule(
        "erasure_requests",
        _("Answered requests to be erased"),
        _("Requests that were refused or withdrawn, with the answer."),
        _count_requests,
        _remove_requests,
        unit=MONTHS,
        period=24,
    ),
):
    retention_rules.register(rule)

for tie in (
    Tie("restricted", _("Data are restricted"), "customer.restricted_at IS NOT NULL"),
    Tie(
        "allows",
        _("Allows us to write"),
        """EXISTS (
            SELECT FROM (
                SELECT DISTINCT ON (purpose_id, channel) state FROM customers_consent AS ledger
                WHERE ledger.customer_id = customer.id AND ledger.event_at <= %(now)s
                    AND NOT EXISTS (SELECT FROM customers_consent AS later WHERE later.retracts_id = ledger.id)
                ORDER BY purpose_id, channel, event_at DESC, state = 'granted'
            ) AS latest WHERE latest.state = 'granted'
        )""",
    ),
    Tie(
        "parent",
        _("Parent of a member"),
        """EXISTS (
            SELECT FROM customers_guardianship AS bond JOIN customers_customer AS child ON child.id = bond.child_id
            WHERE bond.guardian_id = customer.id AND child.kind = 'member'
        )""",
    ),
    Tie(
        "asked",
        _("Waits for an answer"),
        """EXISTS (
            SELECT FROM customers_erasurerequest AS request
            WHERE request.customer_id = customer.id AND request.state = 'open'
        )""",
    ),
):
    ties.register(tie)
