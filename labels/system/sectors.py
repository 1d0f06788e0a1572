"""Labels for the relation with sectors: only the library, only the theatre, or both. From the totals, not the
facts.
"""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from labels.system.specs import Family, LabelSpec, days_before, months_before, words

SECTOR_MONTHS = 24
LIBRARY_KINDS = ["loan", "reservation", "fee"]
THEATRE_KINDS = ["ticket"]

_SECTORS = """
SELECT customer_id,
       CASE WHEN bool_and(is_library) THEN 'sector-library'
            WHEN bool_and(NOT is_library) THEN 'sector-theatre'
            ELSE 'sector-both' END AS code
  FROM (SELECT customer_id, kind = ANY(%(library)s) AS is_library FROM customers_facttotal
         WHERE kind = ANY(%(library)s || %(theatre)s) AND last_at >= %(since)s AND first_at <= %(now)s
        UNION ALL
        SELECT customer_id, true FROM customers_subscription
         WHERE started_on <= %(today)s AND (ended_on IS NULL OR ended_on >= %(today)s)) AS relations
 GROUP BY customer_id
"""

FAMILIES = (
    Family(
        code="sector",
        name=_("Relation with sectors"),
        sql=_SECTORS,
        params=lambda now: {
            "now": now,
            "today": days_before(now, 0),
            "since": months_before(now, SECTOR_MONTHS),
            "library": LIBRARY_KINDS,
            "theatre": THEATRE_KINDS,
        },
        labels=(
            LabelSpec(
                "sector-library",
                _("Library only"),
                words(
                    _("Subscribed or active in the library in the last %(months)d months; no tickets."),
                    months=SECTOR_MONTHS,
                ),
                "teal",
            ),
            LabelSpec(
                "sector-theatre",
                _("Theatre only"),
                words(
                    _("Bought tickets in the last %(months)d months; no relation with the library."),
                    months=SECTOR_MONTHS,
                ),
                "orange",
            ),
            LabelSpec(
                "sector-both",
                _("Library and theatre"),
                words(
                    _("In the last %(months)d months both a customer of the library and a buyer of tickets."),
                    months=SECTOR_MONTHS,
                ),
                "green",
            ),
        ),
    ),
)
