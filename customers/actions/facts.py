"""Record what customers did. A fact is known by (source, external id, customer); the totals follow in the
same statement.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import transaction
from django.utils.translation import gettext as _

from common.errors import Refused
from customers.actions.sources import source
from customers.facts import fact_kinds
from customers.models import Branch, Customer
from customers.recording import FACT_COLUMNS, correct_facts, insert_facts

USUAL_COLUMNS = (
    "customer_id",
    "occurred_at",
    "branch_id",
    "quantity",
    "amount_cents",
    "source_id",
    "external_id",
)


@transaction.atomic
def record_facts_sql(select_sql: str, *, kind: str, columns: Sequence[str] = USUAL_COLUMNS) -> int:
    """Record facts of one kind for many customers in one statement; return how many were new.

    ``select_sql`` yields ``columns`` by name; its values are bound and its percent signs doubled
    (``common.sql``). Columns it may leave out: branch_id, sector, world, genre, quantity, amount_cents,
    duration_seconds, order_number.
    """
    _require_kind(kind)
    return insert_facts(select_sql, {}, columns=columns, kind=kind)


@transaction.atomic
def record_fact(
    customer: Customer,
    *,
    kind: str,
    occurred_at: dt.datetime,
    source_code: str,
    external_id: str,
    branch: Branch | None = None,
    sector: str = "",
    world: str = "",
    genre: str = "",
    quantity: int = 1,
    amount_cents: int = 0,
    duration_seconds: int = 0,
    order_number: str = "",
) -> bool:
    """Record one fact; return False when it was known already. Raises Refused for an unknown kind or source."""
    _require_kind(kind)
    values: dict[str, object] = {
        "customer_id": customer.pk,
        "occurred_at": occurred_at,
        "branch_id": branch.pk if branch else None,
        "sector": sector,
        "world": world,
        "genre": genre,
        "quantity": quantity,
        "amount_cents": amount_cents,
        "duration_seconds": duration_seconds,
        "source_id": source(source_code).pk,
        "external_id": external_id,
        "order_number": order_number or None,
    }
    types = {"order_number": "text", "occurred_at": "timestamptz", "branch_id": "bigint"}
    cells = [
        f"%({name})s::{types.get(name, 'text' if isinstance(values[name], str) else 'bigint')} AS {name}"
        for name in values
    ]
    return insert_facts(f"SELECT {', '.join(cells)}", values, columns=list(values), kind=kind) == 1


@transaction.atomic
def record_facts(facts: Sequence[Mapping[str, Any]]) -> tuple[int, int]:
    """Record a batch of facts, a few thousand at most; return how many were new, and how many were known otherwise.

    Each is a mapping of columns of FACT_COLUMNS (ids for customer, branch and source); what is left out has
    its usual value. Of a fact that is known, what is said now replaces what was said, as with files. Raises Refused for
    an unknown kind.
    """
    for kind in {fact["kind"] for fact in facts}:
        _require_kind(kind)
    types = {
        "customer_id": "bigint",
        "occurred_at": "timestamptz",
        "branch_id": "bigint",
        "source_id": "bigint",
        "run_id": "bigint",
    }
    numbers = {"quantity", "amount_cents", "duration_seconds"}
    columns = ", ".join(f"{c} {types.get(c, 'bigint' if c in numbers else 'text')}" for c in FACT_COLUMNS)
    usual = ", ".join(f"coalesce({c}, {usual}) AS {c}" if usual else c for c, usual in FACT_COLUMNS.items())
    batch = {"batch": json.dumps([dict(fact) for fact in facts], cls=DjangoJSONEncoder)}
    select = f"SELECT {usual} FROM jsonb_to_recordset(%(batch)s::jsonb) AS batch ({columns})"  # noqa: S608
    new = insert_facts(select, batch, columns=list(FACT_COLUMNS))
    return new, correct_facts(select, batch)


def _require_kind(kind: str) -> None:
    if kind not in fact_kinds:
        raise Refused("unknown_kind", _("The kind “%s” does not exist.") % kind, field="kind")
