"""Labels for the relation per address: who lives there as far as we know, and with which sectors they are customers.

Who lives with whom is administration; what the address does with us is behaviour, and that of who may not be profiled
is left out, also for those who live with him.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _

from common.time import local_date, years_before
from labels.system.relations import relation_params
from labels.system.sectors import TOTAL_EDGE
from labels.system.specs import SUBSCRIPTION_EDGE, Edge, Family, LabelSpec, Limits, Threshold, Told, words

# Of whom no birth date is known counts as an adult.
_COMPOSITION = """
SELECT id AS customer_id,
       CASE WHEN people = 1 THEN 'address-alone'
            WHEN children = 0 THEN 'address-adults'
            WHEN children = people THEN 'address-children'
            WHEN is_child THEN 'address-child'
            ELSE 'address-parent' END AS code
  FROM (SELECT id, is_child, count(*) OVER home AS people, count(*) FILTER (WHERE is_child) OVER home AS children
          FROM (SELECT id, household_id, coalesce(birth_date > %(adult_from)s, false) AS is_child
                  FROM {customers}
                 WHERE household_id IS NOT NULL AND kind <> 'former' AND merged_into_id IS NULL
                   AND deceased_on IS NULL AND {among[id]}) AS person
        WINDOW home AS (PARTITION BY household_id)) AS housed
"""
_CAME_OF_AGE = """
SELECT id AS customer_id FROM customers_customer WHERE birth_date > %(was_adult_from)s AND birth_date <= %(adult_from)s
"""

_RELATION = """
SELECT customer.id AS customer_id,
       CASE WHEN NOT theatre THEN 'address-library' WHEN NOT library THEN 'address-theatre' ELSE 'address-both' END
       AS code
  FROM (SELECT household_id, bool_or(library) AS library, bool_or(theatre) AS theatre
          FROM {relations} AS relation JOIN {customers} AS one ON one.id = relation.customer_id
         WHERE one.household_id IS NOT NULL AND one.kind <> 'former' AND one.merged_into_id IS NULL
         GROUP BY household_id) AS home
  JOIN {customers} AS customer USING (household_id)
 WHERE customer.kind <> 'former' AND customer.merged_into_id IS NULL AND {among[customer.id]}
"""


def _age_params(now: dt.datetime, limits: Limits) -> Mapping[str, Any]:
    return {"adult_from": years_before(local_date(now), limits.whole("adult"))}


FAMILIES = (
    Family(
        code="address",
        name=_("Who live at the address"),
        sql=_COMPOSITION,
        thresholds=(Threshold("adult", _("Adult from the age of"), "years", 18, 12, 25),),
        params=_age_params,
        edges=(Edge(_CAME_OF_AGE),),
        of_household=True,
        is_profiling=False,
        labels=(
            LabelSpec("address-alone", _("Only customer at the address"), _("We know nobody else there."), "grey"),
            LabelSpec(
                "address-parent",
                _("Adult with children"),
                words(_("Lives at an address with customers younger than %(adult)d."), adult=Told("address.adult")),
                "green",
            ),
            LabelSpec(
                "address-child",
                _("Child with adults"),
                words(
                    _("Younger than %(adult)d, with customers at the address who are older."),
                    adult=Told("address.adult"),
                ),
                "green",
            ),
            LabelSpec(
                "address-adults",
                _("Adults together"),
                words(_("Several customers at the address, none younger than %(adult)d."), adult=Told("address.adult")),
                "grey",
            ),
            LabelSpec(
                "address-children",
                _("Only children are customers"),
                words(
                    _("Several customers at the address, all younger than %(adult)d: no parent is a customer."),
                    adult=Told("address.adult"),
                ),
                "yellow",
            ),
        ),
    ),
    Family(
        code="address-sector",
        name=_("Relation per address"),
        sql=_RELATION,
        is_of_relations=True,
        thresholds=(Threshold("months", _("What was done in the last … months counts"), "months", 24, 1, 120),),
        params=relation_params,
        edges=(TOTAL_EDGE, SUBSCRIPTION_EDGE),
        of_household=True,
        labels=(
            LabelSpec(
                "address-library",
                _("Address: library only"),
                words(
                    _("All at the address together had to do with the library only in the last %(months)d months."),
                    months=Told("address-sector.months"),
                ),
                "teal",
            ),
            LabelSpec(
                "address-theatre",
                _("Address: theatre only"),
                words(
                    _("All at the address together had to do with the theatre only in the last %(months)d months."),
                    months=Told("address-sector.months"),
                ),
                "orange",
            ),
            LabelSpec(
                "address-both",
                _("Address: library and theatre"),
                words(
                    _(
                        "All at the address together were customers of both library and theatre in the last %(months)d "
                        "months, the same person or different ones."
                    ),
                    months=Told("address-sector.months"),
                ),
                "green",
            ),
        ),
    ),
)
