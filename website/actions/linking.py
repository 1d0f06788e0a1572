"""From an anonymous visit to a customer: only after he identified himself, and only while he allows it."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db import transaction

from common.sql import execute, rows
from common.tokens import BadToken
from customers.actions import source
from customers.consents import ALLOWED, verdicts_sql
from customers.models import Channel, Customer, Purpose
from customers.recording import FACT_COLUMNS, insert_facts
from website.facts import SECTOR, SOURCE
from website.models import Identification, Site
from website.tokens import read_web_token

IDLE = dt.timedelta(minutes=30)  # then a visit is over and how long its pages were looked at is known
BATCH = 5000

# Whose hit it is: of who had identified last, or of the first who did when nobody had yet.
_WHOSE = """
JOIN LATERAL (
    SELECT said.customer_id FROM website_identification AS said
    WHERE said.site_id = hit.site_id AND said.visit = hit.visit
    ORDER BY (said.at <= hit.occurred_at) DESC,
        CASE WHEN said.at <= hit.occurred_at THEN -extract(epoch FROM said.at) ELSE extract(epoch FROM said.at) END
    LIMIT 1
) AS whose ON true
"""


@transaction.atomic
def identify(site: Site, visit: str, *, proof: str, now: dt.datetime) -> bool:
    """Link a visit to the customer whose token it shows, if he allows that; return whether it is linked.

    Raises BadToken when the proof is not ours or too old.
    """
    customer = _present(read_web_token(proof, now=now))
    if customer is None or not may_link(customer, site.purpose, now=now):
        return False
    Identification.objects.get_or_create(site=site, visit=visit, customer=customer, defaults={"at": now})
    return True


def _present(pk: int) -> Customer | None:
    """Return the customer, or who he was merged into."""
    customer = Customer.everyone.filter(pk=pk).first()
    while customer and customer.merged_into_id:
        customer = customer.merged_into
    return customer


def may_link(customer: Customer, purpose: Purpose, *, now: dt.datetime) -> bool:
    """Tell whether this customer said yes to what the site asks for."""
    return customer.pk in _allowed([customer.pk], purpose, now)


def _allowed(ids: list[int], purpose: Purpose, now: dt.datetime) -> set[int]:
    candidates = f"SELECT unnest(ARRAY[{', '.join(map(str, ids))}]::bigint[])"
    verdicts = verdicts_sql(candidates, purpose=purpose, channel=Channel.EMAIL, as_of=now)
    found = rows(f"SELECT customer_id FROM ({verdicts}) AS judged WHERE verdict = %(yes)s", {"yes": ALLOWED})  # noqa: S608
    return {row["customer_id"] for row in found}


def record_visits(*, now: dt.datetime, idle: dt.timedelta = IDLE) -> int:
    """Make facts of the hits of identified visits that are over; return how many facts are new.

    Whoever took back his yes in the meantime is not linked any more. Each batch is one transaction and each fact is
    known by its hit, so a run that is broken off or doubled does no harm.
    """
    total, went_on = 0, True
    while went_on:
        new, went_on = _record_batch(now, idle)
        total += new
    return total


@transaction.atomic
def _record_batch(now: dt.datetime, idle: dt.timedelta) -> tuple[int, bool]:
    over = """
        SELECT hit.id FROM website_hit AS hit WHERE NOT hit.recorded AND hit.occurred_at < %(over)s AND EXISTS (
            SELECT FROM website_identification AS said WHERE said.site_id = hit.site_id AND said.visit = hit.visit
        ) ORDER BY hit.id LIMIT %(batch)s FOR UPDATE SKIP LOCKED
    """
    hits: dict[str, Any] = {"over": now - idle, "batch": BATCH}
    ids = [row["id"] for row in rows(over, hits)]
    if not ids:
        return 0, False
    _drop_refusals(ids, now)
    select = f"""
        SELECT whose.customer_id, hit.kind, hit.occurred_at, hit.world, '{SECTOR}' AS sector,
            hit.duration_seconds, left(regexp_replace(lower(hit.section), '[^[:alnum:]]+', '-', 'g'), 40) AS genre,
            %(source)s::bigint AS source_id, hit.token AS external_id
        FROM website_hit AS hit {_WHOSE} WHERE hit.id = ANY(%(ids)s)
    """  # noqa: S608 - made of our own words
    given = ("customer_id", "kind", "occurred_at", "world", "sector", "duration_seconds", "genre")
    columns = [name for name in FACT_COLUMNS if name in (*given, "source_id", "external_id")]
    new = insert_facts(select, {"ids": ids, "source": source(SOURCE).pk}, columns=columns)
    execute("UPDATE website_hit SET recorded = true WHERE id = ANY(%(ids)s)", {"ids": ids})
    return new, len(ids) == BATCH


def _drop_refusals(ids: list[int], now: dt.datetime) -> None:
    """Forget who the visitors of these hits are that do not allow it (any more)."""
    said = rows(
        """
        SELECT DISTINCT said.customer_id, site.purpose_id FROM website_hit AS hit
        JOIN website_site AS site ON site.id = hit.site_id
        JOIN website_identification AS said ON said.site_id = hit.site_id AND said.visit = hit.visit
        WHERE hit.id = ANY(%(ids)s)
        """,
        {"ids": ids},
    )
    for purpose in Purpose.objects.filter(pk__in={row["purpose_id"] for row in said}):
        asked = [row["customer_id"] for row in said if row["purpose_id"] == purpose.pk]
        refused = set(asked) - _allowed(asked, purpose, now)
        Identification.objects.filter(customer__in=refused, site__purpose=purpose).delete()


__all__ = ["BadToken", "identify", "may_link", "record_visits"]
