"""Labels from the administration of members: new, leaving, household, payment. Not behaviour, so no
profiling.
"""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from labels.system.specs import SUBSCRIPTION_EDGE, Edge, Family, LabelSpec, Threshold, Told, days_before, words

_PHASE = """
SELECT id AS customer_id, 'phase-newcomer' AS code FROM {customers} AS customer
 WHERE registered_on > %(newcomer_since)s AND registered_on <= %(today)s AND kind = 'member'
   AND merged_into_id IS NULL AND {among[id]}
UNION ALL
SELECT customer_id, 'phase-leaver' FROM {subscriptions} WHERE started_on <= %(today)s AND {among[customer_id]}
 GROUP BY customer_id
HAVING max(coalesce(ended_on, 'infinity')) BETWEEN %(ended_since)s AND %(ends_before)s
"""
_REGISTERED = """
SELECT id AS customer_id FROM customers_customer
 WHERE registered_on > %(was_newcomer_since)s AND registered_on <= %(newcomer_since)s
    OR registered_on > %(was_today)s AND registered_on <= %(today)s
"""
_ENDING = """
SELECT customer_id FROM customers_subscription
 WHERE ended_on >= %(was_ended_since)s AND ended_on < %(ended_since)s
    OR ended_on > %(was_ends_before)s AND ended_on <= %(ends_before)s
"""

_HOUSEHOLD = """
SELECT id AS customer_id,
       CASE WHEN people = 1 THEN 'household-1' WHEN people = 2 THEN 'household-2'
            WHEN people <= 4 THEN 'household-3-4' ELSE 'household-5-more' END AS code
  FROM (SELECT id, count(*) OVER (PARTITION BY household_id) AS people
          FROM {customers}
         WHERE household_id IS NOT NULL AND kind <> 'former' AND merged_into_id IS NULL
           AND deceased_on IS NULL AND {among[id]}) AS housed
"""

_PAYMENT = """
SELECT DISTINCT ON (customer_id) customer_id, 'payment-' || replace(payment_method, '_', '-') AS code
  FROM {subscriptions}
 WHERE started_on <= %(today)s AND (ended_on IS NULL OR ended_on >= %(today)s) AND {among[customer_id]}
 ORDER BY customer_id, started_on DESC, id DESC
"""

FAMILIES = (
    Family(
        code="phase",
        name=_("Membership phase"),
        sql=_PHASE,
        thresholds=(
            Threshold("newcomer", _("Newcomer for … days"), "days", 90, 7, 730),
            Threshold("before", _("Leaver from … days before the last subscription ends"), "days", 60, 0, 365),
            Threshold("after", _("Leaver up to … days after it ended"), "days", 90, 0, 730),
        ),
        params=lambda now, limits: {
            "today": days_before(now, 0),
            "newcomer_since": days_before(now, limits.whole("newcomer")),
            "ended_since": days_before(now, limits.whole("after")),
            "ends_before": days_before(now, -limits.whole("before")),
        },
        edges=(Edge(_REGISTERED), SUBSCRIPTION_EDGE, Edge(_ENDING)),
        is_exclusive=False,
        is_profiling=False,
        labels=(
            LabelSpec(
                "phase-newcomer",
                _("Newcomer"),
                words(_("Member, registered less than %(days)d days ago."), days=Told("phase.newcomer")),
                "green",
            ),
            LabelSpec(
                "phase-leaver",
                _("Leaver"),
                words(
                    _("Last subscription ends within %(before)d days or ended in the last %(after)d days."),
                    before=Told("phase.before"),
                    after=Told("phase.after"),
                ),
                "red",
            ),
        ),
    ),
    Family(
        code="household",
        name=_("Household size"),
        sql=_HOUSEHOLD,
        params=lambda _now, _limits: {},
        of_household=True,
        is_profiling=False,
        labels=(
            LabelSpec("household-1", _("Household: 1 customer"), _("The only customer at the address."), "grey"),
            LabelSpec("household-2", _("Household: 2 customers"), _("Two customers live at the address."), "grey"),
            LabelSpec(
                "household-3-4",
                _("Household: 3 or 4 customers"),
                _("Three or four customers at the address."),
                "grey",
            ),
            LabelSpec(
                "household-5-more",
                _("Household: 5 or more"),
                _("Five or more customers at the address."),
                "grey",
            ),
        ),
    ),
    Family(
        code="payment",
        name=_("Payment method"),
        sql=_PAYMENT,
        params=lambda now, _limits: {"today": days_before(now, 0)},
        edges=(SUBSCRIPTION_EDGE,),
        is_profiling=False,
        labels=tuple(
            LabelSpec(
                f"payment-{code}",
                name,
                _("How the present subscription is paid; of several the newest."),
                "teal",
            )
            for code, name in (
                ("direct-debit", _("Pays by direct debit")),
                ("invoice", _("Pays by invoice")),
                ("ideal", _("Pays by iDEAL")),
                ("cash", _("Pays at the counter")),
                ("free", _("Free subscription")),
            )
        ),
    ),
)
