"""Primary, secondary and tertiary world: where in the library somebody is at home."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext_lazy as _

from customers.models import World
from labels.system.specs import Family, LabelSpec, Limits, Threshold, Told, months_before, words

RANKS = {1: _("Primary world"), 2: _("Secondary world"), 3: _("Tertiary world")}
_DEFINITION = _("%(rank)s by number of loans in the last %(months)d months; a world counts from %(minimum)d loans.")

_WORLDS = """
SELECT customer_id, 'world-' || rank || '-' || world AS code FROM (
    SELECT customer_id, world, row_number() OVER (PARTITION BY customer_id ORDER BY loans DESC, latest DESC, world)
           AS rank
      FROM (SELECT customer_id, world, sum(quantity) AS loans, max(occurred_at) AS latest
              FROM {facts}
             WHERE kind = 'loan' AND occurred_at >= %(since)s AND occurred_at <= %(now)s AND world <> ''
             GROUP BY customer_id, world HAVING sum(quantity) >= %(minimum)s) AS counted
     WHERE world IN (SELECT code FROM customers_world)
) AS ranked WHERE rank <= 3
"""


def _params(now: dt.datetime, limits: Limits) -> Mapping[str, Any]:
    return {"now": now, "since": months_before(now, limits.whole("months")), "minimum": limits["minimum"]}


def _labels() -> Sequence[LabelSpec]:
    return [
        LabelSpec(
            code=f"world-{rank}-{code}",
            name=words("%(rank)s: %(world)s", rank=rank_name, world=name),
            description=words(
                _DEFINITION, rank=rank_name, months=Told("worlds.months"), minimum=Told("worlds.minimum")
            ),
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
        thresholds=(
            Threshold("months", _("Loans of the last … months count"), "months", 24, 1, 60),
            Threshold("minimum", _("A world counts from … loans"), "number", 3, 1, 100),
        ),
        params=_params,
        fact_edges={"since": lambda: ["loan"], "now": lambda: ["loan"]},
        more_labels=_labels,
        groups={f"world-{rank}": name for rank, name in RANKS.items()},
    ),
)
