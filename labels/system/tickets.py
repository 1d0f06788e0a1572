"""Labels from ticket sales: who comes to the theatre once, again, or all the time."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from labels.system.specs import Family, LabelSpec, months_before, words

TICKET_MONTHS = 24
RETURNING_FROM = 2  # purchases, not seats
FREQUENT_FROM = 5

_BUYERS = """
SELECT customer_id,
       CASE WHEN count(*) < %(returning)s THEN 'tickets-once'
            WHEN count(*) < %(frequent)s THEN 'tickets-returning'
            ELSE 'tickets-frequent' END AS code
  FROM customers_fact
 WHERE kind = 'ticket' AND occurred_at >= %(since)s AND occurred_at <= %(now)s
 GROUP BY customer_id
"""

FAMILIES = (
    Family(
        code="tickets",
        name=_("Ticket buyer"),
        sql=_BUYERS,
        params=lambda now: {
            "now": now,
            "since": months_before(now, TICKET_MONTHS),
            "returning": RETURNING_FROM,
            "frequent": FREQUENT_FROM,
        },
        labels=(
            LabelSpec(
                "tickets-once",
                _("Bought tickets once"),
                words(_("One purchase of tickets in the last %(months)d months."), months=TICKET_MONTHS),
                "yellow",
            ),
            LabelSpec(
                "tickets-returning",
                _("Returning ticket buyer"),
                words(
                    _("%(least)d to %(most)d purchases of tickets in the last %(months)d months."),
                    least=RETURNING_FROM,
                    most=FREQUENT_FROM - 1,
                    months=TICKET_MONTHS,
                ),
                "yellow",
            ),
            LabelSpec(
                "tickets-frequent",
                _("Frequent ticket buyer"),
                words(
                    _("%(least)d purchases of tickets or more in the last %(months)d months."),
                    least=FREQUENT_FROM,
                    months=TICKET_MONTHS,
                ),
                "yellow",
            ),
        ),
    ),
)
