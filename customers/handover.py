"""What people changed here, for the systems from which the customers came, so that they can take it over.

A change is given out half a minute after it was made: by then whatever was changed at the same time stands too, so that
who asks on from the last one he saw misses nothing.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import Any

from common.sql import rows
from customers.models import Source
from customers.records import FIELDS

SETTLED = dt.timedelta(seconds=30)
_PAGE = """
    WITH page AS (
        SELECT change.id, change.customer_id, change.fields, change.changed_at, change.changed_by, source.code
        FROM customers_customerchange AS change JOIN customers_source AS source ON source.id = change.source_id
        WHERE change.id > %(after)s AND change.changed_at >= %(since)s AND change.changed_at <= %(until)s
            AND source.code = ANY(%(sources)s) AND change.fields ?| %(fields)s
        ORDER BY change.id LIMIT %(limit)s
    )
    SELECT page.id, customer.number, said.key AS field, said.value ->> 0 AS old, said.value ->> 1 AS new,
        page.changed_at AS at, page.code AS source, page.changed_by IN ('customer', 'guardian') AS by_customer
    FROM page
    JOIN customers_customer AS customer ON customer.id = page.customer_id
    CROSS JOIN LATERAL jsonb_each(page.fields) AS said
    WHERE said.key = ANY(%(fields)s)
    ORDER BY page.id, said.key
"""


def changes_after(
    after: int,
    *,
    limit: int,
    now: dt.datetime,
    since: dt.datetime | None = None,
    sources: Collection[str] = (),
) -> tuple[list[dict[str, Any]], int]:
    """Return (a row per field, the id to go on after) of at most ``limit`` changes after that id, the oldest first.

    ``sources`` are codes; without any those through which people speak: MijnMenu, the desk, the workbench.
    """
    people = Source.objects.filter(kind=Source.Kind.PEOPLE).values_list("code", flat=True)
    found = rows(
        _PAGE,
        {
            "after": after, "limit": limit, "until": now - SETTLED, "fields": list(FIELDS),
            "since": since or dt.datetime(1900, 1, 1, tzinfo=dt.UTC), "sources": list(sources or people),
        },
    )  # fmt: skip
    return found, found[-1]["id"] if found else after
