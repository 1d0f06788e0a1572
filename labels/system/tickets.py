"""Labels from ticket sales: who comes to the theatre once, again, or all the time."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from labels.system.specs import Family, LabelSpec, Measure, Threshold, Told, words

_BUYERS = """
SELECT customer_id,
       CASE WHEN {m[purchases]} < %(returning)s THEN 'tickets-once'
            WHEN {m[purchases]} < %(frequent)s THEN 'tickets-returning'
            ELSE 'tickets-frequent' END AS code
  FROM label_measure AS measure WHERE {m[purchases]} > 0
"""

FAMILIES = (
    Family(
        code="tickets",
        name=_("Ticket buyer"),
        sql=_BUYERS,
        thresholds=(
            Threshold("months", _("Purchases of the last … months count"), "months", 24, 1, 60),
            Threshold("returning", _("Returning ticket buyer from … purchases"), "number", 2, 2, 100),
            Threshold("frequent", _("Frequent ticket buyer from … purchases"), "number", 5, 3, 500),
        ),
        rising=(("returning", "frequent"),),
        measures=lambda limits: {"purchases": Measure("count", ("ticket",), limits.whole("months"))},  # not seats
        params=lambda _now, limits: {"returning": limits["returning"], "frequent": limits["frequent"]},
        labels=(
            LabelSpec(
                "tickets-once",
                _("Bought tickets once"),
                words(
                    _("Fewer than %(returning)d purchases of tickets in the last %(months)d months."),
                    returning=Told("tickets.returning"),
                    months=Told("tickets.months"),
                ),
                "yellow",
                rank=1,
            ),
            LabelSpec(
                "tickets-returning",
                _("Returning ticket buyer"),
                words(
                    _("%(least)d to %(most)d purchases of tickets in the last %(months)d months."),
                    least=Told("tickets.returning"),
                    most=Told("tickets.frequent", -1),
                    months=Told("tickets.months"),
                ),
                "yellow",
                rank=2,
            ),
            LabelSpec(
                "tickets-frequent",
                _("Frequent ticket buyer"),
                words(
                    _("%(least)d purchases of tickets or more in the last %(months)d months."),
                    least=Told("tickets.frequent"),
                    months=Told("tickets.months"),
                ),
                "yellow",
                rank=3,
            ),
        ),
    ),
)
