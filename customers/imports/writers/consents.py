"""Consents: events of the ledger with the time at which they happened, so an old file never undoes a later
refusal.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from common.sql import execute, rows
from customers.consents.rules import AGE_OF_CONSENT, PROCESSING
from customers.imports.progress import reached
from customers.imports.undoing import SAID, Undone
from customers.imports.words import CHANNELS, STATES
from customers.imports.writers.merging import cells_of_row, good_rows, keep_samples, remark

_CHANNELS = " ".join(f"WHEN '{word}' THEN '{code}'" for word, code in CHANNELS.items())
_STATES = " ".join(f"WHEN '{word}' THEN '{code}'" for word, code in STATES.items())
# What is said about these counts whatever channel it was said over.
_IS_PROCESSING = "purpose.code IN ('{}')".format("', '".join(sorted(PROCESSING)))
_TAKEN_BACK = "EXISTS (SELECT FROM customers_consent AS back WHERE back.retracts_id = said.id)"
_BY_ANOTHER = "parent.customer_id IS NOT NULL AND said.guardian_id IS DISTINCT FROM parent.customer_id"
COLUMNS = ("klantnummer", "doel", "kanaal", "status", "tijdstip", "bron", "tekstversie", "ouder_klantnummer")


def _event_at(*, was_retracted: bool, has_parents: bool) -> str:
    """Return SQL for the moment of a row of the file.

    A yes that was taken back with an earlier import may be said again, and one that came without the parent may come
    with him: a microsecond later, since the first one stays.
    """
    moved = [test for test, is_asked in ((_TAKEN_BACK, was_retracted), (_BY_ANOTHER, has_parents)) if is_asked]
    if not moved:
        return "customers_read_moment(r.tijdstip)"
    return f"""customers_read_moment(r.tijdstip) + interval '1 microsecond' * (
        SELECT count(*) FROM customers_consent AS said
        WHERE said.customer_id = known.customer_id AND said.purpose_id = purpose.id
            AND said.channel = CASE lower(r.kanaal) {_CHANNELS} END AND said.source_id = %(source)s
            AND said.state = CASE lower(r.status) {_STATES} END
            AND said.event_at >= customers_read_moment(r.tijdstip)
            AND said.event_at < customers_read_moment(r.tijdstip) + interval '1 millisecond'
            AND ({" OR ".join(moved)})
    )"""  # noqa: S608 - our own words


def refuse_consents(present: frozenset[str], values: Mapping[str, Any]) -> None:
    """Refuse a yes of somebody who said no elsewhere before it, and yes nowhere since: a file never undoes that.

    Systems tend to deliver the state of today with the date of today, which would reset every unsubscription. What this
    source itself told before it may tell otherwise.
    """
    execute(
        f"""
        WITH refused AS (
            SELECT said.customer_id, said.purpose_id, max(said.event_at) AS at,
                CASE WHEN {_IS_PROCESSING} THEN '' ELSE said.channel END AS channel
            FROM customers_consent AS said JOIN customers_purpose AS purpose ON purpose.id = said.purpose_id
            WHERE said.state IN ('withdrawn', 'objected') AND said.source_id <> %(source)s
            GROUP BY said.customer_id, said.purpose_id, 4
        )
        INSERT INTO import_problem (row_number, column_name, value, code)
        SELECT r.row_number, 'status', left(r.status, 200), 'said_no'
        FROM ({good_rows()}) AS r JOIN import_known AS known ON known.number = r.klantnummer
        JOIN customers_purpose AS purpose
            ON purpose.code = coalesce((%(purposes)s::jsonb) ->> lower(r.doel), lower(r.doel))
        JOIN refused ON refused.customer_id = known.customer_id AND refused.purpose_id = purpose.id
            AND refused.channel = CASE WHEN {_IS_PROCESSING} THEN '' ELSE CASE lower(r.kanaal) {_CHANNELS} END END
        WHERE CASE lower(r.status) {_STATES} END = 'granted' AND refused.at < customers_read_moment(r.tijdstip)
            AND NOT EXISTS (
                SELECT FROM customers_consent AS said JOIN customers_customer AS person ON person.id = said.customer_id
                WHERE said.customer_id = refused.customer_id AND said.purpose_id = refused.purpose_id
                    AND refused.channel IN ('', said.channel) AND said.event_at > refused.at
                    AND said.state = 'granted' AND NOT {_TAKEN_BACK}
                    AND (said.guardian_id IS NOT NULL OR person.birth_date IS NULL
                        OR person.birth_date + interval '{AGE_OF_CONSENT} years'
                            <= (said.event_at AT TIME ZONE 'Europe/Amsterdam')::date)
            )
        """,  # noqa: S608
        values,
    )


def write_consents(present: frozenset[str], values: Mapping[str, Any]) -> tuple[int, int, int]:
    """Add the events that are not in the ledger yet; return (new, 0, known).

    In the order of customers, in which the ledger's chain takes its locks.
    """
    # Looked at once: nearly always nothing was ever taken back, and a million look-ups would tell nothing.
    was_retracted = rows("SELECT EXISTS (SELECT FROM customers_consent WHERE retracts_id IS NOT NULL) AS found")
    has_parents = "ouder_klantnummer" in present
    event = _event_at(was_retracted=was_retracted[0]["found"], has_parents=has_parents)
    parent = "LEFT JOIN import_known AS parent ON parent.number = r.ouder_klantnummer" if has_parents else ""
    before = rows("SELECT coalesce(max(id), 0) AS last FROM customers_consent")[0]["last"]
    new = execute(
        f"""
        INSERT INTO customers_consent (customer_id, purpose_id, channel, state, source_id, actor, wording_version,
            evidence, event_at, guardian_id, run_id)
        SELECT known.customer_id, purpose.id, CASE lower(r.kanaal) {_CHANNELS} END, CASE lower(r.status) {_STATES} END,
            %(source)s, %(actor)s, r.tekstversie,
            CASE WHEN r.bron = '' THEN '{{}}'::jsonb ELSE jsonb_build_object('said_through', r.bron) END,
            {event}, {"parent.customer_id" if has_parents else "NULL"}, %(run)s
        FROM import_row AS r
        JOIN import_known AS known ON known.number = r.klantnummer
        JOIN customers_purpose AS purpose
            ON purpose.code = coalesce((%(purposes)s::jsonb) ->> lower(r.doel), lower(r.doel))
        {parent}
        ORDER BY known.customer_id, customers_read_moment(r.tijdstip), r.row_number
        ON CONFLICT (customer_id, purpose_id, channel, event_at, state, source_id) DO NOTHING
        """,  # noqa: S608
        values,
    )
    reached(0.8)
    keep_samples(
        "new",
        f"""
        SELECT r.row_number, r.klantnummer AS title, '{{}}'::jsonb AS before, {cells_of_row(COLUMNS)} AS after
        FROM import_row AS r JOIN import_known AS known ON known.number = r.klantnummer
        JOIN customers_consent AS added ON added.customer_id = known.customer_id AND added.id > {int(before)}
            AND added.run_id = %(run)s AND added.event_at >= customers_read_moment(r.tijdstip)
            AND added.event_at < customers_read_moment(r.tijdstip) + interval '1 millisecond'
            AND added.channel = CASE lower(r.kanaal) {_CHANNELS} END
            AND added.state = CASE lower(r.status) {_STATES} END
        JOIN customers_purpose AS purpose ON purpose.id = added.purpose_id
            AND purpose.code = coalesce((%(purposes)s::jsonb) ->> lower(r.doel), lower(r.doel))
        """,  # noqa: S608
        values,
    )
    remark(
        "child_alone",
        f"""
        SELECT count(*) FROM import_row AS r JOIN import_known AS known ON known.number = r.klantnummer
        JOIN customers_customer AS child ON child.id = known.customer_id
        JOIN customers_purpose AS purpose
            ON purpose.code = coalesce((%(purposes)s::jsonb) ->> lower(r.doel), lower(r.doel))
        WHERE CASE lower(r.status) {_STATES} END = 'granted' AND r.ouder_klantnummer = ''
            AND purpose.rule <> 'service' AND CASE lower(r.kanaal) {_CHANNELS} END <> 'post'
            AND child.birth_date + interval '{AGE_OF_CONSENT} years'
                > (customers_read_moment(r.tijdstip) AT TIME ZONE 'Europe/Amsterdam')::date
        """,  # noqa: S608
        values,
    )
    good = rows("SELECT count(*) AS good FROM import_row AS r")[0]["good"]
    return new, 0, good - new


def undo_consents(values: Mapping[str, Any]) -> Undone:
    """Take back what people would have allowed by this run, by rows that say so; refusals stay.

    The ledger is append-only, and undoing never makes anybody reachable: only a yes is taken back.
    """
    removed = execute(
        """
        INSERT INTO customers_consent (customer_id, purpose_id, channel, state, source_id, actor, wording_version,
            evidence, event_at, retracts_id, run_id)
        SELECT said.customer_id, said.purpose_id, said.channel, 'retracted', said.source_id, %(undone_by)s,
            said.wording_version, '{}', %(now)s + row_number() OVER (
                PARTITION BY said.customer_id, said.purpose_id, said.channel ORDER BY said.id
            ) * interval '1 microsecond', said.id, %(run)s
        FROM customers_consent AS said
        WHERE said.run_id = %(run)s AND said.state = 'granted'
            AND NOT EXISTS (SELECT FROM customers_consent AS known WHERE known.retracts_id = said.id)
        ORDER BY said.customer_id, said.id
        """,
        values,
    )
    kept = rows(
        "SELECT count(*) AS kept FROM customers_consent WHERE run_id = %(run)s AND state IN ('withdrawn', 'objected')",
        values,
    )[0]["kept"]
    return removed, 0, {SAID: kept} if kept else {}
