"""Erase again who was erased before a back-up was restored that still held them (AVG 17; the journal tells who)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

from django.db import transaction
from psycopg2 import Binary

from common.errors import Refused
from common.personal import personal_tables
from common.sql import rows
from common.traces import Persons
from customers.actions.privacy.erasing import erase_customer
from customers.models import Customer, ErasedKey, Erasure
from customers.privacy import journal, keys
from customers.privacy.erasing import erase
from customers.privacy.journal import Digest, Entry

BY = "erase_again"  # who erased, on receipts
What = ErasedKey.What

# Who came after the erasure is somebody else, or asked to come back.
_PERSONS = """
SELECT customer.id, wanted.ground FROM customers_customer AS customer
JOIN unnest(%(digests)s::bytea[], %(moments)s::timestamptz[], %(grounds)s::text[]) AS wanted (digest, moment, ground)
    ON wanted.digest = customers_erased_digest(%(key)s, 'number', customer.number)
WHERE customer.created_at <= wanted.moment ORDER BY customer.id
"""
_ADDRESSES = """
SELECT DISTINCT lower(held.{column}) AS address FROM {table} AS held
WHERE customers_erased_digest(%(key)s, 'email', lower(held.{column})) = ANY(%(digests)s::bytea[])
    AND NOT EXISTS (
        SELECT FROM customers_contactpoint AS point
        WHERE point.channel = 'email' AND point.value = lower(held.{column})
    )
"""


@dataclass
class Again:
    """What was done: persons and addresses that were erased again, and why others (ids) could not be."""

    persons: int
    addresses: int
    kept: dict[int, str]


@dataclass(frozen=True)
class Erased:
    """Who is to be gone: a hash, since when, and on what ground."""

    what: str
    digest: bytes
    at: dt.datetime
    ground: str


def erase_again(path: Path | None, *, now: dt.datetime) -> Again:
    """Erase everybody whom the journal at ``path``, or the database itself, knows as erased; return what was done.

    Whoever was let in again since stays. Doing it twice does nothing more. Raises BadJournal and OSError.
    """
    gone = _gone(journal.read(path) if path else ())
    _remember(gone)
    done = Again(0, 0, {})
    for pk, ground in _found(gone):
        customer = Customer.everyone.filter(pk=pk).first()
        try:
            if customer:
                done.persons += erase_customer(customer, ground=ground, by=BY, now=now).persons
        except Refused as refused:
            done.kept[pk] = str(refused)
    done.addresses = _erase_addresses([one.digest for one in gone if one.what == What.EMAIL], now=now)
    return done


def _gone(entries: Iterable[Entry]) -> list[Erased]:
    """Return what was erased and not let in since: of the journal, and of the database as far as that is silent.

    What somebody asked for is not forgotten when another with the same name and home goes by age later.
    """
    gone: dict[Digest, Erased] = {
        (row.what, bytes(row.digest)): Erased(row.what, bytes(row.digest), row.erased_at, Erasure.Ground.REQUEST)
        for row in ErasedKey.objects.iterator()
    }
    for entry in entries:
        for what, digest in entry.digests:
            if entry.did == journal.RELEASED:
                gone.pop((what, digest), None)
            else:
                known = gone.get((what, digest))
                asked = known is not None and known.ground == Erasure.Ground.REQUEST
                gone[what, digest] = Erased(what, digest, entry.at, Erasure.Ground.REQUEST if asked else entry.ground)
    return list(gone.values())


@transaction.atomic
def _remember(gone: Collection[Erased]) -> None:
    """Keep out who asked for it, as before; let in who was let in."""
    asked = {(one.what, one.digest): one for one in gone if one.ground == Erasure.Ground.REQUEST}
    known = {(row.what, bytes(row.digest)): row.pk for row in ErasedKey.objects.iterator()}
    ErasedKey.objects.filter(pk__in=[pk for pair, pk in known.items() if pair not in asked]).delete()
    for pair, one in asked.items():
        if pair not in known:
            keys.remember_digests([pair], at=one.at)


def _found(gone: Collection[Erased]) -> list[tuple[int, str]]:
    numbers = [one for one in gone if one.what == What.NUMBER]
    values = {
        "key": keys.key(),
        "digests": [Binary(one.digest) for one in numbers],
        "moments": [one.at for one in numbers],
        "grounds": [one.ground for one in numbers],
    }
    return [(row["id"], row["ground"]) for row in rows(_PERSONS, values)] if numbers else []


@transaction.atomic
def _erase_addresses(digests: Collection[bytes], *, now: dt.datetime) -> int:
    """Erase rows about an erased address that no customer has: blocks, sign-ups, requests for a link."""
    values = {"key": keys.key(), "digests": [Binary(digest) for digest in digests]}
    found: set[str] = set()
    for table in personal_tables if digests else ():
        if table.holds == "address":
            statement = _ADDRESSES.format(column=table.column, table=table.table)
            found |= {row["address"] for row in rows(statement, values)}
    if found:
        persons = Persons(ids=(), numbers=(), emails=tuple(sorted(found)), phones=(), now=now)
        receipt = Erasure.objects.create(ground=Erasure.Ground.REQUEST, erased_by=BY, erased_at=now, persons=0)
        receipt.counts = erase(persons)
        receipt.save(update_fields=["counts"])
    return len(found)
