"""Those of an audience who may be called or written by post for a purpose, as the gate decides, on lists for people."""

from __future__ import annotations

import csv
import datetime as dt
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import TextIOWrapper
from typing import IO, Any

from django.db import transaction
from django.db.models import F, QuerySet, Window
from django.db.models.expressions import RawSQL
from django.db.models.functions import Coalesce, RowNumber
from django.utils.translation import gettext as _

from common.errors import Refused
from customers.models import Channel, Customer, Purpose
from customers.names import national_phone
from labels.exports import cell
from mailings.gate import reach
from mailings.models import Decision

LABELS_AT_ONCE = 1200  # fifty sheets: what is made while somebody waits
_ROWS_AT_ONCE = 2000
_ACCEPTED = RawSQL("SELECT customer_id FROM gate_reach WHERE outcome = 'accepted'", [])


@dataclass(frozen=True)
class Reached:
    """What the gate says of an audience: outcome -> customers, the accepted first; ``usable`` are those on the list."""

    counts: dict[str, int]
    usable: int

    @property
    def total(self) -> int:
        """How many there are in all."""
        return sum(self.counts.values())

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The same for bars."""
        return [
            {
                "label": Decision.Outcome(outcome).label,
                "value": count,
                "tone": "success" if outcome == Decision.Outcome.ACCEPTED else "neutral",
            }
            for outcome, count in self.counts.items()
        ]


def look(
    found: QuerySet[Customer], *, purpose: Purpose, channel: Channel, one_per_household: bool = False, now: dt.datetime
) -> Reached:
    """Return how many may be reached and why others may not, before anything is made."""
    with _reached(found, purpose=purpose, channel=channel, now=now) as (counts, accepted):
        usable = _households(accepted).count() if one_per_household else accepted.count()
    return Reached(counts, usable)


def call_list(found: QuerySet[Customer], *, purpose: Purpose, now: dt.datetime) -> tuple[IO[bytes], int]:
    """Return a CSV file of who may be called, with room for what was said, and how many that are."""
    file: IO[bytes] = tempfile.SpooledTemporaryFile(max_size=2_000_000)  # noqa: SIM115
    text = TextIOWrapper(file, encoding="utf-8-sig", newline="", write_through=True)
    writer = csv.writer(text, delimiter=";", lineterminator="\r\n")
    writer.writerow(
        [_("Customer number"), _("Name"), _("Phone"), _("Place"), _("Branch"), _("Called on"), _("What was said")]
    )
    count = 0
    with _reached(found, purpose=purpose, channel=Channel.PHONE, now=now) as (_counts, accepted):
        people = accepted.with_contact_values().select_related("branch").order_by("last_name", "first_name", "id")  # type: ignore[attr-defined]
        for one in people.iterator(chunk_size=_ROWS_AT_ONCE):
            count += 1
            told = [one.number, one.full_name, national_phone(one.phone), one.city, one.branch or "", "", ""]
            writer.writerow([cell(value) for value in told])
    text.detach()
    file.seek(0)
    return file, count


def addresses(
    found: QuerySet[Customer], *, purpose: Purpose, one_per_household: bool, part: int, now: dt.datetime
) -> list[Sequence[str]]:
    """Return the addresses of a part (counted from 1) of those who may be written, by postal code.

    Raises Refused ``nobody`` when there is no such part.
    """
    with _reached(found, purpose=purpose, channel=Channel.POST, now=now) as (_counts, accepted):
        people = _households(accepted) if one_per_household else accepted
        first = (part - 1) * LABELS_AT_ONCE
        ordered = people.order_by("postal_code", "house_number", "house_number_addition", "id")
        lines: list[Sequence[str]] = [
            [one.full_name, *one.address_lines] for one in ordered[first : first + LABELS_AT_ONCE]
        ]
    if not lines:
        raise Refused("nobody", _("There is nobody who may be written for this purpose."))
    return lines


def parts_of(usable: int) -> list[dict[str, int]]:
    """Return the parts that the address labels of so many come in: number, first and last."""
    return [
        {"number": place + 1, "first": first + 1, "last": min(first + LABELS_AT_ONCE, usable)}
        for place, first in enumerate(range(0, usable, LABELS_AT_ONCE))
    ]


def _households(people: QuerySet[Customer]) -> QuerySet[Customer]:
    """Keep of each household the oldest; who has none is his own."""
    home = Coalesce(F("household_id"), -F("id"))
    by_age = [F("birth_date").asc(nulls_last=True), F("id").asc()]
    return people.annotate(place=Window(RowNumber(), partition_by=[home], order_by=by_age)).filter(place=1)


@contextmanager
def _reached(
    found: QuerySet[Customer], *, purpose: Purpose, channel: Channel, now: dt.datetime
) -> Iterator[tuple[dict[str, int], QuerySet[Customer]]]:
    """Let the gate decide; the accepted can be read as long as this lasts."""
    with transaction.atomic():
        counts = reach(purpose=purpose, channel=channel, now=now, candidates=found)
        yield counts, Customer.objects.filter(pk__in=_ACCEPTED)
