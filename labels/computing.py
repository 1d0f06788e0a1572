"""Compute families of system labels and values: prepare what they read, and give the statement of each.

Everything is prepared in temporary tables of the transaction: ``label_scope`` (whom an incremental run is about, made
by ``labels.changes``), ``label_merged`` (whose row was taken up in another), ``label_unprofiled`` (these, and who may
not be profiled), ``label_fact`` (the facts of the others, of the kinds and as far back as families look),
``label_measure`` (what families want to know of facts, taken in one pass for all of them), ``label_relation_24`` (who
had to do with library and theatre in so many months) and ``label_value`` (computed values).
"""

from __future__ import annotations

import datetime as dt
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from common.sql import execute
from common.time import local_date
from labels.formulas import number_sql, read_terms
from labels.models import ValueDefinition
from labels.profiling import EVERYBODY, unprofiled_sql
from labels.system import Family
from labels.system.measures import Measures, columns_of
from labels.system.moments import day_sql
from labels.system.relations import RELATIONS, relation_params
from labels.system.thresholds import Limits

FEW = 1000  # rows: a table this small is planned well without statistics
_MEMORY = "128MB"  # for sorting and hashing, until the transaction ends
# Of some customers alone: a few MB are used at a million customers, for the bits of pages to be read. Were there too
# little, each row of such a page would be compared with all of them; this does for a thousand million facts.
_MEMORY_SCOPED = "512MB"
_SAMPLE_SCOPED = 10  # statistics out of 3,000 rows of a table instead of 30,000

_DROP = """
DROP TABLE IF EXISTS pg_temp.label_fact, pg_temp.label_unprofiled, pg_temp.label_merged, pg_temp.label_measure,
    pg_temp.label_value, pg_temp.label_of_customers, pg_temp.label_of_subscriptions, pg_temp.label_of_totals,
    pg_temp.label_of_present
"""
# Read once for all families. Each fact with its day, and those of who may not be profiled left out at once.
_FACTS = """
CREATE TEMPORARY TABLE label_fact ON COMMIT DROP AS
SELECT fact.customer_id, kind, occurred_at, {day} AS day, sector, world, genre, quantity, amount_cents, duration_seconds
  FROM customers_fact AS fact WHERE ({wanted}) AND occurred_at <= %(now)s AND {allowed}
"""
_NO_FACTS = """
CREATE TEMPORARY TABLE label_fact (customer_id bigint, kind varchar, occurred_at timestamptz, day int, sector varchar,
    world varchar, genre varchar, quantity int, amount_cents bigint, duration_seconds int) ON COMMIT DROP
"""
# A few rows may have stayed with who was merged into another, and would count for him.
_MERGED = """
CREATE TEMPORARY TABLE label_merged ON COMMIT DROP AS
SELECT id AS customer_id FROM customers_customer WHERE merged_into_id IS NOT NULL
"""
_UNPROFILED = """
CREATE TEMPORARY TABLE label_unprofiled ON COMMIT DROP AS {unprofiled} UNION ALL SELECT customer_id FROM label_merged
"""
_VALUE = """
INSERT INTO label_value (customer_id, value_id, number)
SELECT customer_id, %(value)s, {number} FROM label_measure AS measure WHERE {condition}
"""
_MAY = "NOT EXISTS (SELECT FROM label_merged AS merged WHERE merged.customer_id = {customer})"
_MAY_BE_PROFILED = "NOT EXISTS (SELECT FROM label_unprofiled AS unprofiled WHERE unprofiled.customer_id = {customer})"
_SCOPED = "SELECT customer_id FROM label_scope"
# An array and not a join: PostgreSQL looks all of them up in the index first and reads each page of the table once, in
# the order in which they lie. Joined it reads the whole table for one in a hundred, or goes back and forth through it.
IN_SCOPE = f"= ANY (ARRAY({_SCOPED}))"
_EACH_IN_SCOPE = f"SELECT unnest(ARRAY({_SCOPED}))"  # looked up one by one
_PROFILED = _MAY_BE_PROFILED.format(customer="scope.customer_id")
_FACTS_IN_SCOPE = (
    "fact.occurred_at >= %(since_0)s AND fact.customer_id = ANY (ARRAY("  # noqa: S608 - our own words
    f"SELECT customer_id FROM label_scope AS scope WHERE is_own AND {_PROFILED}))"
)
_SCOPED_TABLE = """
CREATE TEMPORARY TABLE label_of_{name} ON COMMIT DROP AS SELECT {columns} FROM {table} WHERE {customer} {in_scope}
"""
# What is read of whom an incremental run is about: name -> columns, table, column of the customer.
_TABLES = {
    "customers": (
        "id, kind, birth_date, registered_on, deceased_on, household_id, merged_into_id",
        "customers_customer", "id",
    ),
    "subscriptions": (
        "id, customer_id, started_on, ended_on, payment_method", "customers_subscription", "customer_id",
    ),
    "totals": ("customer_id, kind, first_at, last_at", "customers_facttotal", "customer_id"),
}  # fmt: skip
_PRESENT = f"""
CREATE TEMPORARY TABLE label_of_present ON COMMIT DROP AS
SELECT label_id, customer_id, until FROM labels_assignment WHERE customer_id {IN_SCOPE} AND until IS NULL
"""  # noqa: S608 - our own words


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
        """Fill the temporary tables: one pass over the facts, or over those of whom it is about."""
        look_at(few=self.scoped)
        execute(_DROP)
        execute(_MERGED)
        if self.scoped:
            self._narrow()
        unprofiled = unprofiled_sql(now=self.now, among=_EACH_IN_SCOPE if self.scoped else EVERYBODY)
        self._timed("profiling", "label_unprofiled", _UNPROFILED.format(unprofiled=unprofiled), {})
        self._timed("facts", "label_fact", *self._facts())
        sql, params = self.measures.statement("label_fact", self.now)
        made = f"CREATE TEMPORARY TABLE label_measure ON COMMIT DROP AS {sql}"
        self._timed("measures", "label_measure", made, params)
        self._relations()
        self._values()

    def _facts(self) -> tuple[str, dict[str, Any]]:
        """Return the statement that gathers the facts families look at, and its params."""
        kinds: dict[dt.datetime, list[str]] = defaultdict(list)
        for kind, since in self._since().items():
            kinds[since].append(kind)
        if not kinds:
            return _NO_FACTS, {}
        params: dict[str, Any] = {"now": self.now}
        wanted = []
        for place, since in enumerate(sorted(kinds)):
            params |= {f"since_{place}": since, f"kinds_{place}": kinds[since]}
            wanted.append(f"occurred_at >= %(since_{place})s AND kind = ANY(%(kinds_{place})s)")
        return _FACTS.format(
            day=day_sql("occurred_at", local_date(min(kinds)), local_date(self.now)),
            wanted=" OR ".join(wanted),
            allowed=_FACTS_IN_SCOPE if self.scoped else _MAY_BE_PROFILED.format(customer="fact.customer_id"),
        ), params

    def _since(self) -> dict[str, dt.datetime]:
        """Return from when on facts of a kind are looked at, by measures and by families themselves."""
        found = self.measures.since(self.now)
        for family in self.families:
            params = family.params(self.now, self.limits[family.code])
            for edge, kinds in family.fact_edges.items():
                found |= {kind: min(params[edge], found.get(kind, params[edge])) for kind in kinds()}
        return found

    def statement(self, family: Family) -> tuple[str, dict[str, Any]]:
        """Return SQL that yields (customer_id, code) of who may have a label of the family, and its params."""
        among = Among(scoped=self.scoped, with_mates=family.of_household)
        sql = family.sql.format(
            among=among,
            facts="label_fact",
            customers=self.table("customers"),
            subscriptions=self.table("subscriptions"),
            relations=self._relation_table(family),
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
            written += execute(_VALUE.format(number=number, condition=condition), {"value": pk})
        if written > FEW:
            execute("ANALYZE label_value")
        self.seconds["values"] = time.monotonic() - started

    def _relations(self) -> None:
        """Gather who had to do with library and theatre, once for all families that look equally far back."""
        for family in {self._relation_table(one): one for one in self.families if one.is_of_relations}.values():
            table, limits = self._relation_table(family), self.limits[family.code]
            relations = RELATIONS.format(
                totals=self.table("totals"),
                subscriptions=self.table("subscriptions"),
                allowed=_MAY_BE_PROFILED.format(customer="relation.customer_id"),
            )
            made = f"CREATE TEMPORARY TABLE {table} ON COMMIT DROP AS {relations}"
            execute(f"DROP TABLE IF EXISTS pg_temp.{table}")
            self._timed("facts", table, made, dict(relation_params(self.now, limits)))

    def _narrow(self) -> None:
        """Take apart what there is of whom it is about, and of who live with them."""
        for name, (columns, table, customer) in _TABLES.items():
            made = _SCOPED_TABLE.format(name=name, columns=columns, table=table, customer=customer, in_scope=IN_SCOPE)
            self._timed("changes", f"label_of_{name}", made)
        self._timed("changes", "label_of_present", _PRESENT)

    def table(self, name: str) -> str:
        """Return the table to read customers, subscriptions or totals of facts from."""
        return f"label_of_{name}" if self.scoped else _TABLES[name][1]

    @property
    def present(self) -> str:
        """The table to read from which labels are there."""
        return "label_of_present" if self.scoped else "labels_assignment"

    def _relation_table(self, family: Family) -> str:
        return f"label_relation_{self.limits[family.code].whole('months')}" if family.is_of_relations else ""

    def _timed(self, what: str, table: str, statement: str, params: dict[str, Any] | None = None) -> None:
        """Make a table, and tell the planner what is in it."""
        started = time.monotonic()
        if execute(statement, params) > FEW:
            execute(f"ANALYZE {table}")
        self.seconds[what] = self.seconds.get(what, 0.0) + time.monotonic() - started


def look_at(*, few: bool) -> None:
    """Let PostgreSQL work, until the transaction ends, as is quick for a few customers or for everybody."""
    execute(f"SET LOCAL work_mem = '{_MEMORY_SCOPED if few else _MEMORY}'")
    execute(f"SET LOCAL default_statistics_target = {_SAMPLE_SCOPED if few else 'DEFAULT'}")


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
