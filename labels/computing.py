"""Compute families of system labels and values: prepare what they read, and give the statement of each.

Everything is prepared in temporary tables of the transaction: ``label_scope`` (whom an incremental run is about, made
by ``labels.changes``), ``label_fact`` (their facts), ``label_unprofiled`` (who may not be profiled), ``label_merged``
(whose row was taken up in another), ``label_measure`` (what families want to know of facts, taken in one pass for all
of them) and ``label_value`` (computed values).
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Iterable, Mapping
from typing import Any

from common.sql import execute
from labels.formulas import number_sql, read_terms
from labels.models import ValueDefinition
from labels.profiling import EVERYBODY, unprofiled_sql
from labels.system import Family
from labels.system.measures import Measures, columns_of
from labels.system.thresholds import Limits

FEW = 1000  # rows: a table this small is planned well without statistics
_MEMORY = "128MB"  # for sorting and hashing, until the transaction ends

_DROP = """
DROP TABLE IF EXISTS pg_temp.label_fact, pg_temp.label_unprofiled, pg_temp.label_merged, pg_temp.label_measure,
    pg_temp.label_value
"""
_FACTS = """
CREATE TEMPORARY TABLE label_fact ON COMMIT DROP AS
SELECT fact.customer_id, kind, occurred_at, sector, world, genre, quantity, amount_cents, duration_seconds
  FROM label_scope AS scope JOIN customers_fact AS fact ON fact.customer_id = scope.customer_id WHERE scope.is_own
"""
# A few rows may have stayed with who was merged into another, and would count for him.
_MERGED = """
CREATE TEMPORARY TABLE label_merged ON COMMIT DROP AS
SELECT id AS customer_id FROM customers_customer WHERE merged_into_id IS NOT NULL
"""
_VALUE = """
INSERT INTO label_value (customer_id, value_id, number)
SELECT customer_id, %(value)s, {number} FROM label_measure AS measure WHERE {condition} AND {allowed}
"""
_MAY = "NOT EXISTS (SELECT FROM label_merged AS merged WHERE merged.customer_id = {customer})"
_MAY_BE_PROFILED = (
    _MAY + " AND NOT EXISTS (SELECT FROM label_unprofiled AS unprofiled WHERE unprofiled.customer_id = {customer})"
)
_SCOPED = "SELECT customer_id FROM label_scope"


class Among(Mapping[str, str]):
    """``among[column]``: the condition that a customer belongs to whom a run is about."""

    def __init__(self, *, scoped: bool, with_mates: bool = False) -> None:
        self._who = (_SCOPED if with_mates else f"{_SCOPED} WHERE is_own") if scoped else ""

    def __getitem__(self, column: str) -> str:
        return f"{column} IN ({self._who})" if self._who else "true"

    def __iter__(self) -> Any:
        return iter(())

    def __len__(self) -> int:
        return 0


class Computing:
    """One computation: of these families and values at ``now``, for everybody or for ``label_scope``.

    ``limits`` are the thresholds per family, by default as they are set. ``prepare`` fills the temporary tables; after
    that each ``statement`` may be executed in the same transaction.
    """

    def __init__(
        self,
        chosen: Iterable[Family],
        definitions: Iterable[ValueDefinition],
        *,
        now: dt.datetime,
        limits: Mapping[str, Limits] | None = None,
        scoped: bool = False,
    ) -> None:
        self.families, self.definitions, self.now, self.scoped = list(chosen), list(definitions), now, scoped
        self.limits = limits or {family.code: family.limits() for family in self.families}
        self._terms = {definition.pk: read_terms(definition.terms) for definition in self.definitions}
        self._named = {family.code: family.measures(self.limits[family.code]) for family in self.families}
        wanted = [one for named in self._named.values() for one in named.values()]
        self.measures = Measures([*wanted, *(term.measure for terms in self._terms.values() for term in terms)])
        self.seconds: dict[str, float] = {}

    def prepare(self) -> None:
        """Fill the temporary tables; one pass over the facts, or of those in scope."""
        execute(f"SET LOCAL work_mem = '{_MEMORY}'")
        execute(_DROP)
        people = _SCOPED if self.scoped else EVERYBODY
        if self.scoped:
            self._timed("facts", "label_fact", _FACTS)
        unprofiled = unprofiled_sql(now=self.now, among=people)
        made = f"CREATE TEMPORARY TABLE label_unprofiled ON COMMIT DROP AS {unprofiled}"
        self._timed("profiling", "label_unprofiled", made, {})
        execute(_MERGED)
        sql, params = self.measures.statement(self.facts, self.now)
        made = f"CREATE TEMPORARY TABLE label_measure ON COMMIT DROP AS {sql}"
        self._timed("measures", "label_measure", made, params)
        self._values()

    @property
    def facts(self) -> str:
        """The table in which families find facts."""
        return "label_fact" if self.scoped else "customers_fact"

    def statement(self, family: Family) -> tuple[str, dict[str, Any]]:
        """Return SQL that yields (customer_id, code) of who may have a label of the family, and its params."""
        among = Among(scoped=self.scoped, with_mates=family.of_household)
        sql = family.sql.format(
            among=among,
            facts=self.facts,
            m=columns_of(self._named[family.code], self.measures),
            v={code: self._value_sql(code) for code in family.values},
        )
        allowed = (_MAY_BE_PROFILED if family.is_profiling else _MAY).format(customer="computed.customer_id")
        text = f"SELECT customer_id, code FROM ({sql}) AS computed WHERE {allowed} AND {among['computed.customer_id']}"  # noqa: S608
        return text, dict(family.params(self.now, self.limits[family.code]))

    def stored_values(self, family: Family) -> dict[str, str]:
        """Return the values that a family reads as sub-queries of what is stored, for what must be known beforehand."""
        return {code: self._value_sql(code, "labels_customervalue") for code in family.values}

    def _value_sql(self, code: str, table: str = "label_value") -> str:
        known = next((definition.pk for definition in self.definitions if definition.code == code), 0)
        return f"SELECT customer_id, number FROM {table} WHERE value_id = {known:d}"  # noqa: S608

    def _values(self) -> None:
        execute(
            "CREATE TEMPORARY TABLE label_value (customer_id bigint, value_id bigint, number float8) ON COMMIT DROP"
        )
        started = time.monotonic()
        columns = {measure: f"measure.{self.measures.column(measure)}" for measure in self.measures}
        written = 0
        for pk, terms in self._terms.items():
            number, condition = number_sql(terms, columns)
            allowed = _MAY_BE_PROFILED.format(customer="measure.customer_id")
            written += execute(_VALUE.format(number=number, condition=condition, allowed=allowed), {"value": pk})
        if written > FEW:
            execute("ANALYZE label_value")
        self.seconds["values"] = time.monotonic() - started

    def _timed(self, what: str, table: str, statement: str, params: dict[str, Any] | None = None) -> None:
        """Make a table, and tell the planner what is in it."""
        started = time.monotonic()
        if execute(statement, params) > FEW:
            execute(f"ANALYZE {table}")
        self.seconds[what] = time.monotonic() - started


def compute_family(family: Family, *, now: dt.datetime) -> tuple[str, dict[str, Any]]:
    """Prepare everything for one family as of a moment, for everybody, and return its statement and params.

    Within one transaction this may be called for one moment after another; each call makes the tables anew.
    """
    work = Computing([family], values_of(family), now=now)
    work.prepare()
    return work.statement(family)


def values_of(family: Family) -> list[ValueDefinition]:
    """Return the definitions of the values that a family reads."""
    return list(ValueDefinition.objects.filter(code__in=family.values))
