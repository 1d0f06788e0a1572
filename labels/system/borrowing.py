"""Labels from loans: how much somebody borrows, and whether that grows or shrinks compared with himself."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from labels.system.specs import Family, LabelSpec, days_before, months_before, words

AVERAGE_FROM = 6  # loans in twelve months
HEAVY_FROM = 24
TREND_MINIMUM = 6  # loans in the larger half-year; less is chance
JOINER_FACTOR = 1.5
DROPPER_FACTOR = 0.5

_FREQUENCY = """
SELECT customer.id AS customer_id,
       CASE WHEN loans.loans IS NULL THEN 'borrowing-none'
            WHEN loans.loans < %(average)s THEN 'borrowing-light'
            WHEN loans.loans < %(heavy)s THEN 'borrowing-average'
            ELSE 'borrowing-heavy' END AS code
  FROM customers_customer AS customer
  LEFT JOIN (SELECT customer_id, sum(quantity) AS loans FROM customers_fact
              WHERE kind = 'loan' AND occurred_at >= %(since)s AND occurred_at <= %(now)s
              GROUP BY customer_id HAVING sum(quantity) > 0) AS loans ON loans.customer_id = customer.id
 WHERE loans.loans IS NOT NULL OR customer.kind = 'member'
"""

_TREND = """
SELECT customer_id,
       CASE WHEN recent > earlier THEN 'trend-joiner' ELSE 'trend-dropper' END AS code
  FROM (SELECT customer_id,
               coalesce(sum(quantity) FILTER (WHERE occurred_at >= %(middle)s), 0) AS recent,
               coalesce(sum(quantity) FILTER (WHERE occurred_at < %(middle)s), 0) AS earlier
          FROM customers_fact
         WHERE kind = 'loan' AND occurred_at >= %(since)s AND occurred_at <= %(now)s
         GROUP BY customer_id) AS halves
  JOIN customers_customer AS customer ON customer.id = customer_id
 WHERE greatest(recent, earlier) >= %(minimum)s
   AND (recent >= earlier * %(joiner)s OR recent <= earlier * %(dropper)s)
   AND (customer.registered_on IS NULL OR customer.registered_on <= %(known_since)s)
"""

FAMILIES = (
    Family(
        code="borrowing",
        name=_("Borrowing frequency"),
        sql=_FREQUENCY,
        params=lambda now: {
            "now": now,
            "since": months_before(now, 12),
            "average": AVERAGE_FROM,
            "heavy": HEAVY_FROM,
        },
        labels=(
            LabelSpec("borrowing-none", _("Non-borrower"), _("Member without a loan in twelve months."), "grey"),
            LabelSpec(
                "borrowing-light",
                _("Light borrower"),
                words(_("1 to %(most)d loans in twelve months."), most=AVERAGE_FROM - 1),
                "blue",
            ),
            LabelSpec(
                "borrowing-average",
                _("Average borrower"),
                words(
                    _("%(least)d to %(most)d loans in twelve months."),
                    least=AVERAGE_FROM,
                    most=HEAVY_FROM - 1,
                ),
                "blue",
            ),
            LabelSpec(
                "borrowing-heavy",
                _("Heavy borrower"),
                words(_("%(least)d loans or more in twelve months."), least=HEAVY_FROM),
                "blue",
            ),
        ),
    ),
    Family(
        code="trend",
        name=_("Borrowing trend"),
        sql=_TREND,
        params=lambda now: {
            "now": now,
            "since": months_before(now, 12),
            "middle": months_before(now, 6),
            "known_since": days_before(now, 365),
            "minimum": TREND_MINIMUM,
            "joiner": JOINER_FACTOR,
            "dropper": DROPPER_FACTOR,
        },
        labels=(
            LabelSpec(
                "trend-joiner",
                _("Joiner"),
                words(
                    _("Borrowed %(factor)s times as much or more as in the half year before."),
                    factor=JOINER_FACTOR,
                ),
                "green",
            ),
            LabelSpec(
                "trend-dropper",
                _("Dropper"),
                words(
                    _("Borrowed %(percent)d%% or less of what it was in the half year before."),
                    percent=int(DROPPER_FACTOR * 100),
                ),
                "orange",
            ),
        ),
    ),
)
