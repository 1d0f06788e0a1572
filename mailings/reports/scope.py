"""Which mailings a report is about, how long after a message counts, and which activity is looked at."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.db.models import QuerySet

from common.sql import rows
from customers.facts import FactKind, fact_kinds
from mailings.facts import CALL, CLICK, OPEN
from mailings.models import Mailing

DAYS = (1, 7, 14, 30)
MOST_MAILINGS = 400  # of an action or campaign, the latest; clicks of older ones are hardly kept
USUAL_DAYS = 14
# A click is a step of its own, a call the message itself; who gets a voucher back did nothing.
_APART = {CALL, CLICK, OPEN, "redemption_reversed"}
# What a customer has to pay is not what a message brings about.
_DUES = {"fee", "fine"}


def report_kinds() -> list[FactKind]:
    """Return the kinds of activity that a report tells of."""
    return [kind for kind in fact_kinds if kind.code not in _APART]


def activity_kinds() -> list[str]:
    """Return the codes of what counts as doing anything at all."""
    return [kind.code for kind in report_kinds() if kind.code not in _DUES]


def latest(mailings: QuerySet[Mailing]) -> list[int]:
    """Return the ids of as many of these mailings as a report tells of, the latest first."""
    return list(mailings.order_by("-pk").values_list("pk", flat=True)[:MOST_MAILINGS])


@dataclass(frozen=True)
class Scope:
    """``mailings``: ids. ``days`` after somebody's message count. ``kind``: a code, or empty for any activity."""

    mailings: tuple[int, ...]
    days: int = USUAL_DAYS
    kind: str = ""

    @classmethod
    def of(cls, mailings: Iterable[int], *, days: int = USUAL_DAYS, kind: str = "") -> Scope:
        """Return the scope of these mailings, in order."""
        return cls(tuple(sorted(mailings)), days, kind)

    @property
    def is_sum(self) -> bool:
        """Whether a person may have had more than one message."""
        return len(self.mailings) > 1

    @property
    def people(self) -> str:
        """SQL that counts people of ``customer_id``; of one mailing each row is a person."""
        return "count(DISTINCT customer_id)" if self.is_sum else "count(customer_id)"

    @property
    def kinds(self) -> list[str]:
        """The codes that count as having done it."""
        return [self.kind] if self.kind else activity_kinds()

    @cached_property
    def sent(self) -> tuple[dt.datetime | None, dt.datetime | None]:
        """When the first and the last message left."""
        [found] = rows(
            """SELECT min(sent_at) AS first, max(sent_at) AS last FROM mailings_message
            WHERE mailing_id = ANY(%(mailings)s) AND state = 'sent'""",
            {"mailings": list(self.mailings)},
        )
        return found["first"], found["last"]

    @property
    def until(self) -> dt.datetime | None:
        """When the days of the last message are over; None before the first has left."""
        last = self.sent[1]
        return last + dt.timedelta(days=self.days) if last else None

    @property
    def values(self) -> dict[str, Any]:
        """Return what the statements are bound with."""
        return {
            "mailings": list(self.mailings),
            "window": dt.timedelta(days=self.days),
            "kinds": self.kinds,
            "first": self.sent[0],
            "until": self.until,
        }


#: What somebody did in the days after his own message. The bounds of all together let the index of (kind, moment)
#: serve: it holds the customer as well, so no fact is fetched.
WITHIN = """fact.customer_id = message.customer_id AND fact.kind = ANY(%(kinds)s)
    AND fact.occurred_at > %(first)s AND fact.occurred_at <= %(until)s
    AND fact.occurred_at > message.sent_at AND fact.occurred_at <= message.sent_at + %(window)s"""
DONE = f"customers_fact AS fact ON {WITHIN}"
SENT = "message.mailing_id = ANY(%(mailings)s) AND message.state = 'sent'"
