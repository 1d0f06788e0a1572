"""Primary, secondary and tertiary world: where in the library somebody is at home."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext_lazy as _

from customers.models import World
from labels.system.specs import Family, LabelSpec, months_before, words

WORLD_MONTHS = 24
WORLD_MINIMUM = 3  # loans in a world before it counts
RANKS = {1: _("Primary world"), 2: _("Secondary world"), 3: _("Tertiary world")}
_DEFINITION = _("%(rank)s by number of loans in the last %(months)d months; a world counts from %(minimum)d loans.")

_WORLDS = """
SELECT customer_id, 'world-' || rank || '-' || world AS code FROM (
    SELECT customer_id, world,
           row_number() OVER (PARTITION BY customer_id
                              ORDER BY sum(quantity) DESC, max(occurred_at) DESC, world) AS rank
      FROM customers_fact
     WHERE kind = 'loan' AND occurred_at >= %(since)s AND occurred_at <= %(now)s
       AND world IN (SELECT code FROM customers_world)
     GROUP BY customer_id, world HAVING sum(quantity) >= %(minimum)s
) AS ranked WHERE rank <= 3
"""


def _params(now: dt.datetime) -> Mapping[str, Any]:
    return {"now": now, "since": months_before(now, WORLD_MONTHS), "minimum": WORLD_MINIMUM}


def _labels() -> Sequence[LabelSpec]:
    return [
        LabelSpec(
            code=f"world-{rank}-{code}",
            name=words("%(rank)s: %(world)s", rank=rank_name, world=name),
            description=words(_DEFINITION, rank=rank_name, months=WORLD_MONTHS, minimum=WORLD_MINIMUM),
            colour="orange",
            group=f"world-{rank}",
        )
        for code, name in World.objects.order_by("code").values_list("code", "name")
        for rank, rank_name in RANKS.items()
    ]


FAMILIES = (
    Family(
        code="worlds",
        name=_("Worlds"),
        sql=_WORLDS,
        params=_params,
        more_labels=_labels,
        groups={f"world-{rank}": name for rank, name in RANKS.items()},
    ),
)
