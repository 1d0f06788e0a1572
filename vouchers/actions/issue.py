"""Give vouchers out: one statement for any number of customers."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from common import sql
from common.errors import Refused
from common.time import local_date
from customers.models import Customer
from vouchers import codes
from vouchers.models import Definition, Voucher

_CUSTOMERS = """
    SELECT DISTINCT candidate.customer_id
    FROM ({customers}) AS candidate (customer_id)
    WHERE NOT EXISTS (
        SELECT 1 FROM vouchers_voucher AS had
        WHERE had.definition_id = %(definition)s AND had.origin = %(origin)s AND had.customer_id = candidate.customer_id
    )
"""
_NOBODY = """
    SELECT NULL::bigint AS customer_id
    FROM generate_series(1, %(count)s - (
        SELECT count(*) FROM vouchers_voucher AS had
        WHERE had.definition_id = %(definition)s AND had.origin = %(origin)s AND had.customer_id IS NULL
    ))
"""
_NUMBER = """
    CREATE TEMPORARY TABLE voucher_target ON COMMIT DROP AS
    SELECT row_number() OVER () AS number, target.customer_id FROM ({targets}) AS target
"""
_INSERT = """
    INSERT INTO vouchers_voucher
        (definition_id, code, customer_id, origin, issued_at, valid_from, valid_until, uses, state, block_reason)
    SELECT %(definition)s, fresh.code, target.customer_id, %(origin)s,
        %(now)s, %(valid_from)s, %(valid_until)s, 0, 'issued', ''
    FROM voucher_target AS target
    JOIN voucher_code AS fresh USING (number)
    ON CONFLICT DO NOTHING
"""
_ROUNDS = 5  # a code that exists already (one in 10^16) costs its customer a round; five in a row do not happen


def issue_vouchers(definition: Definition, customers: QuerySet[Customer], *, origin: str, now: dt.datetime) -> int:
    """Give each of these customers a voucher of this definition for one occasion (``origin``); return how many are new.

    Whoever has one for that occasion gets no second. Raises Refused as ``issue_vouchers_sql``.
    """
    return issue_vouchers_sql(definition, sql.as_subquery(customers.order_by().values("pk")), origin=origin, now=now)


def issue_vouchers_sql(definition: Definition, customers_sql: str, *, origin: str, now: dt.datetime) -> int:
    """The same for a query whose first and only column is the customer's id, fully bound, percent signs doubled.

    All or none. Raises Refused: not_active, expired (its last day has passed), limit (more than may be given out).
    """
    return _give_out(definition, _CUSTOMERS.format(customers=customers_sql), {"origin": origin}, now)


def issue_anonymous(definition: Definition, *, count: int, origin: str, now: dt.datetime) -> int:
    """Bring the codes without a name for this occasion up to ``count``; return how many are new.

    Raises Refused ``holder_needed`` when the voucher is only for the customer on it, and as ``issue_vouchers_sql``.
    """
    if definition.holder != Definition.Holder.ANYONE:
        raise Refused(
            "holder_needed", _("This voucher is in a customer's name, so it cannot be given out without one.")
        )
    return _give_out(definition, _NOBODY, {"origin": origin, "count": count}, now)


@transaction.atomic
def _give_out(definition: Definition, targets_sql: str, params: dict[str, Any], now: dt.datetime) -> int:
    """Issue to the targets, in rounds until none is left; the lock makes two runs for one occasion take turns."""
    definition = Definition.objects.select_for_update(no_key=True).get(pk=definition.pk)
    valid_from, valid_until = _validity(definition, now)
    params |= {"definition": definition.pk, "now": now, "valid_from": valid_from, "valid_until": valid_until}
    issued = 0
    for _round in range(_ROUNDS):
        wanted = _prepare(targets_sql, params)
        if not wanted:
            return issued
        _refuse_above_limit(definition, wanted)
        issued += sql.execute(_INSERT, params)
    raise RuntimeError(f"codes of voucher definition {definition.pk} keep colliding")


def _prepare(targets_sql: str, params: dict[str, Any]) -> int:
    """Number those who still need a voucher in a temporary table, put a fresh code beside each; return how many."""
    sql.execute("DROP TABLE IF EXISTS pg_temp.voucher_target, pg_temp.voucher_code")
    wanted = sql.execute(_NUMBER.format(targets=targets_sql), params)
    if wanted:
        sql.execute(
            "CREATE TEMPORARY TABLE voucher_code (number bigint GENERATED ALWAYS AS IDENTITY, code text) ON COMMIT DROP"
        )
        sql.copy_rows("voucher_code", ["code"], ((code,) for code in codes.generate(wanted)))
    return wanted


def _validity(definition: Definition, now: dt.datetime) -> tuple[dt.date, dt.date | None]:
    if definition.state != Definition.State.ACTIVE:
        raise Refused(
            "not_active", _("The voucher “%(name)s” is not active. Activate it first.") % {"name": definition.name}
        )
    valid_from, valid_until = definition.validity_of_issue(local_date(now))
    if valid_until and valid_until < valid_from:
        raise Refused(
            "expired",
            _("The voucher “%(name)s” was valid until %(until)s. Choose a later last day first.")
            % {"name": definition.name, "until": date_format(valid_until)},
        )
    return valid_from, valid_until


def _refuse_above_limit(definition: Definition, wanted: int) -> None:
    if definition.limit_issued is None:
        return
    left = definition.limit_issued - Voucher.objects.filter(definition=definition).count()
    if wanted > left:
        raise Refused(
            "limit",
            _("Of “%(name)s” %(left)s may still be given out, and %(wanted)s are needed. Raise the limit first.")
            % {"name": definition.name, "left": max(left, 0), "wanted": wanted},
        )
