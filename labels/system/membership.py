"""Labels from the administration of members: new, leaving, household, payment. Not behaviour, so no
profiling.
"""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from labels.system.specs import Family, LabelSpec, days_before, words

NEWCOMER_DAYS = 90
LEAVER_DAYS_AFTER = 90  # still called a leaver this long after the last subscription ended
LEAVER_DAYS_BEFORE = 60  # and this long before it ends

_PHASE = """
SELECT id AS customer_id, 'phase-newcomer' AS code FROM customers_customer
 WHERE registered_on > %(newcomer_since)s AND registered_on <= %(today)s AND kind = 'member'
   AND merged_into_id IS NULL
UNION ALL
SELECT customer_id, 'phase-leaver' FROM customers_subscription WHERE started_on <= %(today)s
 GROUP BY customer_id
HAVING max(coalesce(ended_on, 'infinity')) BETWEEN %(ended_since)s AND %(ends_before)s
"""

_HOUSEHOLD = """
SELECT id AS customer_id,
       CASE WHEN people = 1 THEN 'household-1' WHEN people = 2 THEN 'household-2'
            WHEN people <= 4 THEN 'household-3-4' ELSE 'household-5-more' END AS code
  FROM (SELECT id, count(*) OVER (PARTITION BY household_id) AS people
          FROM customers_customer
         WHERE household_id IS NOT NULL AND kind <> 'former' AND merged_into_id IS NULL) AS housed
"""

_PAYMENT = """
SELECT DISTINCT ON (customer_id) customer_id, 'payment-' || replace(payment_method, '_', '-') AS code
  FROM customers_subscription
 WHERE started_on <= %(today)s AND (ended_on IS NULL OR ended_on >= %(today)s)
 ORDER BY customer_id, started_on DESC, id DESC
"""

FAMILIES = (
    Family(
        code="phase",
        name=_("Membership phase"),
        sql=_PHASE,
        params=lambda now: {
            "today": days_before(now, 0),
            "newcomer_since": days_before(now, NEWCOMER_DAYS),
            "ended_since": days_before(now, LEAVER_DAYS_AFTER),
            "ends_before": days_before(now, -LEAVER_DAYS_BEFORE),
        },
        is_exclusive=False,
        is_profiling=False,
        labels=(
            LabelSpec(
                "phase-newcomer",
                _("Newcomer"),
                words(_("Member, registered less than %(days)d days ago."), days=NEWCOMER_DAYS),
                "green",
            ),
            LabelSpec(
                "phase-leaver",
                _("Leaver"),
                words(
                    _("Last subscription ends within %(before)d days or ended in the last %(after)d days."),
                    before=LEAVER_DAYS_BEFORE,
                    after=LEAVER_DAYS_AFTER,
                ),
                "red",
            ),
        ),
    ),
    Family(
        code="household",
        name=_("Household size"),
        sql=_HOUSEHOLD,
        params=lambda _now: {},
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
        params=lambda now: {"today": days_before(now, 0)},
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
