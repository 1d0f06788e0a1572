"""Labels from loans: how much somebody borrows, and whether that grows or shrinks compared with himself."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from labels.system.specs import Edge, Family, LabelSpec, Measure, Threshold, Told, days_before, words

LOANS = ("loan",)

_FREQUENCY = """
SELECT customer.id AS customer_id,
       CASE WHEN loans IS NULL THEN 'borrowing-none'
            WHEN loans < %(average)s THEN 'borrowing-light'
            WHEN loans < %(heavy)s THEN 'borrowing-average'
            ELSE 'borrowing-heavy' END AS code
  FROM {customers} AS customer
  LEFT JOIN (SELECT customer_id, {m[loans]} AS loans FROM label_measure AS measure WHERE {m[loans]} > 0) AS borrowed
    ON borrowed.customer_id = customer.id
 WHERE (loans IS NOT NULL OR customer.kind = 'member') AND {among[customer.id]}
"""

_TREND = """
SELECT customer_id,
       CASE WHEN recent > earlier THEN 'trend-joiner' ELSE 'trend-dropper' END AS code
  FROM (SELECT customer_id, coalesce({m[recent]}, 0) AS recent, coalesce({m[earlier]}, 0) AS earlier
          FROM label_measure AS measure) AS halves
  JOIN {customers} AS customer ON customer.id = customer_id
 WHERE greatest(recent, earlier) >= %(minimum)s
   AND (recent * 100 >= earlier * %(joiner)s OR recent * 100 <= earlier * %(dropper)s)
   AND (customer.registered_on IS NULL OR customer.registered_on <= %(known_since)s)
"""

# Of whom it was too early to say yesterday.
_KNOWN = """
SELECT id AS customer_id FROM customers_customer
 WHERE registered_on > %(was_known_since)s AND registered_on <= %(known_since)s
"""

FAMILIES = (
    Family(
        code="borrowing",
        name=_("Borrowing frequency"),
        sql=_FREQUENCY,
        thresholds=(
            Threshold("months", _("Loans of the last … months count"), "months", 12, 1, 60),
            Threshold("average", _("Average borrower from … loans"), "number", 6, 2, 1000),
            Threshold("heavy", _("Heavy borrower from … loans"), "number", 24, 3, 5000),
        ),
        rising=(("average", "heavy"),),
        measures=lambda limits: {"loans": Measure("quantity", LOANS, limits.whole("months"))},
        params=lambda _now, limits: {"average": limits["average"], "heavy": limits["heavy"]},
        labels=(
            LabelSpec(
                "borrowing-none",
                _("Non-borrower"),
                words(_("Member without a loan in %(months)d months."), months=Told("borrowing.months")),
                "grey",
            ),
            LabelSpec(
                "borrowing-light",
                _("Light borrower"),
                words(
                    _("1 to %(most)d loans in %(months)d months."),
                    most=Told("borrowing.average", -1),
                    months=Told("borrowing.months"),
                ),
                "blue",
                rank=1,
            ),
            LabelSpec(
                "borrowing-average",
                _("Average borrower"),
                words(
                    _("%(least)d to %(most)d loans in %(months)d months."),
                    least=Told("borrowing.average"),
                    most=Told("borrowing.heavy", -1),
                    months=Told("borrowing.months"),
                ),
                "blue",
                rank=2,
            ),
            LabelSpec(
                "borrowing-heavy",
                _("Heavy borrower"),
                words(
                    _("%(least)d loans or more in %(months)d months."),
                    least=Told("borrowing.heavy"),
                    months=Told("borrowing.months"),
                ),
                "blue",
                rank=3,
            ),
        ),
    ),
    Family(
        code="trend",
        name=_("Borrowing trend"),
        sql=_TREND,
        thresholds=(
            Threshold("months", _("Compare the last … months with as many before"), "months", 6, 1, 24),
            Threshold("minimum", _("Only who borrowed … or more in the larger of both periods"), "number", 6, 1, 500),
            Threshold("joiner", _("Joiner from … percent of what it was"), "percent", 150, 101, 1000, 5),
            Threshold("dropper", _("Dropper up to … percent of what it was"), "percent", 50, 0, 99, 5),
        ),
        measures=lambda limits: {
            "recent": Measure("quantity", LOANS, limits.whole("months")),
            "earlier": Measure("quantity", LOANS, 2 * limits.whole("months"), limits.whole("months")),
        },
        # Who came less than two periods ago cannot be compared with himself.
        params=lambda now, limits: {
            "known_since": days_before(now, limits.whole("months") * 2 * 365 // 12),
            "minimum": limits["minimum"],
            "joiner": limits["joiner"],
            "dropper": limits["dropper"],
        },
        edges=(Edge(_KNOWN),),
        labels=(
            LabelSpec(
                "trend-joiner",
                _("Joiner"),
                words(
                    _("Borrowed %(percent)d%% or more of what it was in the %(months)d months before."),
                    percent=Told("trend.joiner"),
                    months=Told("trend.months"),
                ),
                "green",
            ),
            LabelSpec(
                "trend-dropper",
                _("Dropper"),
                words(
                    _("Borrowed %(percent)d%% or less of what it was in the %(months)d months before."),
                    percent=Told("trend.dropper"),
                    months=Told("trend.months"),
                ),
                "orange",
            ),
        ),
    ),
)
