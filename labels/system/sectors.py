"""Labels for the relation with sectors: only the library, only the theatre, or both; and each sector by itself."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext_lazy as _

from common.sql import rows
from customers.facts import fact_kinds
from labels.system.kinds import ONLINE
from labels.system.relations import relation_params
from labels.system.specs import (
    SUBSCRIPTION_EDGE,
    Edge,
    Family,
    LabelSpec,
    Limits,
    Threshold,
    Told,
    months_before,
    words,
)

MOST_SECTORS = 40  # labels are made for the first of them

_SECTORS = """
SELECT customer_id,
       CASE WHEN NOT theatre THEN 'sector-library'
            WHEN NOT library THEN 'sector-theatre'
            ELSE 'sector-both' END AS code
  FROM {relations} AS relation
"""

# A total whose first or last time passes a limit; who began since was last here since too, which an index knows.
TOTAL_EDGE = Edge("""
SELECT customer_id FROM customers_facttotal
 WHERE kind = ANY(%(library)s || %(theatre)s)
   AND (last_at >= %(was_since)s AND last_at < %(since)s
        OR last_at > %(was_now)s AND first_at > %(was_now)s AND first_at <= %(now)s)
""")
_SLUG = "trim(BOTH '-' FROM left(regexp_replace(lower(sector), '[^a-z0-9]+', '-', 'g'), 24))"
# Each sector in which somebody was, as the sources call it; what people do on the website has labels of its own.
_EACH = f"""
WITH counted AS MATERIALIZED (
    SELECT customer_id, sector, count(*) AS times FROM {{facts}}
     WHERE sector <> '' AND sector <> 'website' AND kind = ANY(%(kinds)s)
       AND occurred_at >= %(since)s AND occurred_at <= %(now)s
     GROUP BY customer_id, sector
),
spelled AS MATERIALIZED (SELECT sector, 'with-' || {_SLUG} AS code FROM (SELECT DISTINCT sector FROM counted) AS said)
SELECT customer_id, code FROM counted JOIN spelled USING (sector) GROUP BY 1, 2 HAVING sum(times) >= %(minimum)s
"""  # noqa: S608
# MATERIALIZED, or PostgreSQL spells the sector of every single fact before it makes them distinct.
_KNOWN = f"""
WITH said AS MATERIALIZED (SELECT DISTINCT sector FROM customers_fact)
SELECT slug, min(sector) AS name FROM (SELECT {_SLUG} AS slug, sector FROM said) AS spelled
 WHERE slug <> '' AND slug <> 'website' GROUP BY slug ORDER BY slug LIMIT {MOST_SECTORS}
"""  # noqa: S608
# A sector without a label, while there is room for one.
_NEW_SECTOR = f"""
WITH said AS MATERIALIZED (SELECT DISTINCT sector FROM {{facts}})
SELECT 1 FROM said WHERE sector <> '' AND sector <> 'website' AND {_SLUG} <> ''
   AND 'with-' || {_SLUG} NOT IN (SELECT code FROM labels_label WHERE kind = 'system' AND is_active)
   AND {MOST_SECTORS} >
       (SELECT count(*) FROM labels_label WHERE kind = 'system' AND is_active AND code LIKE 'with-%%')
 LIMIT 1
"""  # noqa: S608


def _all_kinds() -> list[str]:
    """Return all kinds, but for what people do online, which is kept too short for this."""
    return sorted(kind.code for kind in fact_kinds if kind.code not in (*ONLINE, "click", "open"))


def _each_params(now: dt.datetime, limits: Limits) -> Mapping[str, Any]:
    since = months_before(now, limits.whole("months"))
    return {"now": now, "since": since, "minimum": limits["minimum"], "kinds": _all_kinds()}


def _each_label() -> Sequence[LabelSpec]:
    definition = words(
        _("Active in this sector %(minimum)d times or more in the last %(months)d months."),
        minimum=Told("sectors.minimum"),
        months=Told("sectors.months"),
    )
    return [
        LabelSpec(
            code=f"with-{row['slug']}",
            name=words(_("Customer of: %(sector)s"), sector=row["name"]),
            description=definition,
            colour="teal",
        )
        for row in rows(_KNOWN)
    ]


FAMILIES = (
    Family(
        code="sector",
        name=_("Relation with sectors"),
        sql=_SECTORS,
        is_of_relations=True,
        thresholds=(Threshold("months", _("What was done in the last … months counts"), "months", 24, 1, 120),),
        params=relation_params,
        edges=(TOTAL_EDGE, SUBSCRIPTION_EDGE),
        labels=(
            LabelSpec(
                "sector-library",
                _("Library only"),
                words(
                    _("Subscribed or active in the library in the last %(months)d months; no tickets."),
                    months=Told("sector.months"),
                ),
                "teal",
            ),
            LabelSpec(
                "sector-theatre",
                _("Theatre only"),
                words(
                    _("Bought tickets in the last %(months)d months; no relation with the library."),
                    months=Told("sector.months"),
                ),
                "orange",
            ),
            LabelSpec(
                "sector-both",
                _("Library and theatre"),
                words(
                    _("In the last %(months)d months both a customer of the library and a buyer of tickets."),
                    months=Told("sector.months"),
                ),
                "green",
            ),
        ),
    ),
    Family(
        code="sectors",
        name=_("Customer of a sector"),
        sql=_EACH,
        thresholds=(
            Threshold("months", _("What was done in the last … months counts"), "months", 24, 1, 60),
            Threshold("minimum", _("A sector counts from … times"), "number", 1, 1, 100),
        ),
        params=_each_params,
        fact_edges={"since": _all_kinds, "now": _all_kinds},
        more_labels=_each_label,
        has_news=_NEW_SECTOR,
        is_exclusive=False,
    ),
)
