"""Who may not be profiled: gets no label that is derived from behaviour (AVG 21(2), 22).

Profiling is a purpose as any other: what people said about it stands in the ledger, and its basis (a yes, or legitimate
interest until objection) is chosen on the page of purposes. A yes is the default, since what people borrow can tell of
their health and beliefs (AVG 9). What MijnMenu shows is what is applied here: both ask ``customers.consents``.
"""

from __future__ import annotations

import datetime as dt

from django.db.models import QuerySet

from common.sql import as_subquery, rows
from customers.consents import ALLOWED, OBJECTION, PROFILING, WITHDRAWN, verdicts_sql
from customers.models import Channel, Customer, Purpose

EVERYBODY = "SELECT id FROM customers_customer WHERE merged_into_id IS NULL"


def unprofiled_sql(*, now: dt.datetime, among: str = EVERYBODY) -> str:
    """Return SQL text that yields ``customer_id`` of who may not be profiled at ``now``: without a ground, restricted
    or deceased. ``among``: SQL that yields the ids it is asked of. Values are bound; percent signs are doubled.
    """
    purpose = Purpose.objects.filter(code=PROFILING).first()
    if purpose is None:
        return f"SELECT asked.id AS customer_id FROM ({among}) AS asked (id)"  # noqa: S608 - our own words
    verdicts = verdicts_sql(among, purpose=purpose, channel=Channel.EMAIL, as_of=now)
    return f"SELECT customer_id FROM ({verdicts}) AS judged WHERE verdict <> '{ALLOWED}'"  # noqa: S608


def refused_sql(*, now: dt.datetime, among: str = "") -> str:
    """Return SQL text that yields ``customer_id`` of who refused to be profiled, or whose data are restricted.

    For labels that were not derived from what somebody did, such as those of his address: a yes is not asked for these.
    ``among``: SQL that yields the ids it is asked of, everybody by default.
    """
    purpose = Purpose.objects.filter(code=PROFILING).first()
    of_them, their = (f" AND {column} IN ({among})" if among else "" for column in ("id", "customer_id"))
    restricted = f"SELECT id AS customer_id FROM customers_customer WHERE restricted_at IS NOT NULL{of_them}"  # noqa: S608
    if purpose is None:
        return restricted
    asked = f"SELECT DISTINCT customer_id FROM customers_consent WHERE purpose_id = {purpose.pk:d}{their}"  # noqa: S608
    verdicts = verdicts_sql(asked, purpose=purpose, channel=Channel.EMAIL, as_of=now)
    refused = f"SELECT customer_id FROM ({verdicts}) AS judged WHERE verdict IN ('{WITHDRAWN}', '{OBJECTION}')"  # noqa: S608
    return f"{refused} UNION {restricted}"


_REFUSED_OF = """
WITH members AS MATERIALIZED ({members})
SELECT count(*) AS n FROM ({refused}) AS r JOIN members ON members.id = r.customer_id
"""


def count_refused(found: QuerySet[Customer], *, now: dt.datetime) -> int:
    """Return how many of the customers refused to be profiled, in one statement; who they are is worked out once."""
    members = as_subquery(found.order_by().values("id"))
    refused = refused_sql(now=now, among="SELECT id FROM members")
    return int(rows(_REFUSED_OF.format(members=members, refused=refused), {})[0]["n"])
