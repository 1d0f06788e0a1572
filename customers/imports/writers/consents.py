"""Consents: events of the ledger with the time at which they happened, so an old file never undoes a later
refusal.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from common.sql import execute, rows
from customers.imports.formats import CHANNELS, STATES
from customers.imports.writers.merging import good_rows

_CHANNELS = " ".join(f"WHEN '{word}' THEN '{code}'" for word, code in CHANNELS.items())
_STATES = " ".join(f"WHEN '{word}' THEN '{code}'" for word, code in STATES.items())


def write_consents(present: frozenset[str], values: Mapping[str, Any]) -> tuple[int, int, int]:
    """Add the events that are not in the ledger yet; return (new, 0, known)."""
    new = execute(
        f"""
        INSERT INTO customers_consent (customer_id, purpose_id, channel, state, source_id, actor, wording_version,
            evidence, event_at)
        SELECT customer.id, purpose.id, CASE lower(r.kanaal) {_CHANNELS} END, CASE lower(r.status) {_STATES} END,
            %(source)s, %(actor)s, r.tekstversie,
            CASE WHEN r.bron = '' THEN '{{}}'::jsonb ELSE jsonb_build_object('said_through', r.bron) END,
            customers_read_moment(r.tijdstip)
        FROM ({good_rows()}) AS r
        JOIN customers_customer AS customer ON customer.number = r.klantnummer
        JOIN customers_purpose AS purpose
            ON purpose.code = coalesce((%(purposes)s::jsonb) ->> lower(r.doel), lower(r.doel))
        ON CONFLICT (customer_id, purpose_id, channel, event_at, state, source_id) DO NOTHING
        """,  # noqa: S608
        values,
    )
    good = rows(f"SELECT count(*) AS good FROM ({good_rows()}) AS r")[0]["good"]  # noqa: S608
    return new, 0, good - new
