"""Declining loyalty: signs that somebody drifts away, measured against himself, and how many of them there are."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _

from customers.facts import income
from labels.system.kinds import deeds
from labels.system.specs import Edge, Family, LabelSpec, Limits, Measure, Threshold, Told, day_number, words

SEVERITY, SIGNS = "loyalty", "loyalty-signs"

# "recency" is minus the day of the last time: see labels.models.computed.
_SILENT = "-recency.number + greatest(rhythm.number * %(silence)s / 100, %(shortest)s)"

_LOYALTY = f"""
WITH sign AS MATERIALIZED (
    SELECT customer_id, 'loyalty-seldom' AS code FROM label_measure AS measure
     WHERE {{m[days_before]}} >= %(minimum)s
       AND coalesce({{m[days]}}, 0) * %(interval)s <= {{m[days_before]}} * 100
    UNION ALL
    SELECT customer_id, 'loyalty-less' FROM label_measure AS measure
     WHERE {{m[paid_before]}} >= %(paid)s AND coalesce({{m[paid]}}, 0) * 100 <= {{m[paid_before]}} * %(amount)s
    UNION ALL
    SELECT customer_id, 'loyalty-silent' FROM ({{v[recency]}}) AS recency JOIN ({{v[interval]}}) AS rhythm
     USING (customer_id) WHERE {_SILENT} < %(day)s
)
SELECT customer_id, code FROM sign
UNION ALL
SELECT customer_id,
       CASE count(*) WHEN 1 THEN 'loyalty-watch' WHEN 2 THEN 'loyalty-declining' ELSE 'loyalty-critical' END
  FROM sign GROUP BY customer_id
"""  # noqa: S608 - constants of this file
# Silent so long today that it is too long by his own measure.
_FELL_SILENT = f"""
SELECT customer_id FROM ({{v[recency]}}) AS recency JOIN ({{v[interval]}}) AS rhythm USING (customer_id)
 WHERE {_SILENT} >= %(was_day)s AND {_SILENT} < %(day)s
"""  # noqa: S608


def _measures(limits: Limits) -> Mapping[str, Measure]:
    months = limits.whole("months")
    kinds, paid = deeds(), tuple(income())
    return {
        "days": Measure("days", kinds, months),
        "days_before": Measure("days", kinds, 2 * months, months),
        "paid": Measure("amount", paid, months),
        "paid_before": Measure("amount", paid, 2 * months, months),
    }


def _params(now: dt.datetime, limits: Limits) -> Mapping[str, Any]:
    told = {code: limits[code] for code in ("minimum", "interval", "paid", "amount", "silence", "shortest")}
    return {**told, "day": day_number(now)}


_PERIOD = {"months": Told("loyalty.months")}
_COUNT = _("%(signs)d of the three signs of declining loyalty: comes less often, pays less, has been silent for long.")

FAMILIES = (
    Family(
        code=SEVERITY,
        name=_("Declining loyalty"),
        sql=_LOYALTY,
        thresholds=(
            Threshold("months", _("Compare the last … months with as many before"), "months", 12, 3, 30),
            Threshold("minimum", _("Only who was active on … days or more in the period before"), "days", 4, 1, 300),
            Threshold("interval", _("Comes less often: time between from … percent"), "percent", 150, 101, 900, 5),
            Threshold("paid", _("Only who paid … or more in the period before"), "cents", 2000, 0, 10_000_000, 100),
            Threshold("amount", _("Pays less up to … percent of what it was"), "percent", 50, 0, 99, 5),
            Threshold("silence", _("Silent from … percent of the usual time in between"), "percent", 300, 101, 999, 10),
            Threshold("shortest", _("… and from … days at least"), "days", 60, 1, 730),
        ),
        measures=_measures,
        values=("recency", "interval"),
        params=_params,
        edges=(Edge(_FELL_SILENT),),
        groups={SEVERITY: _("Declining loyalty"), SIGNS: _("Signs of declining loyalty")},
        free_groups=frozenset({SIGNS}),
        labels=(
            LabelSpec("loyalty-watch", _("Loyalty: keep an eye on"), words(_COUNT, signs=1), "yellow", rank=3),
            LabelSpec("loyalty-declining", _("Loyalty: declining"), words(_COUNT, signs=2), "orange", rank=2),
            LabelSpec("loyalty-critical", _("Loyalty: nearly gone"), words(_COUNT, signs=3), "red", rank=1),
            LabelSpec(
                "loyalty-seldom",
                _("Comes less often"),
                words(
                    _(
                        "The time between two active days is %(percent)d%% or more of what it was in the %(months)d "
                        "months before."
                    ),
                    percent=Told("loyalty.interval"),
                    **_PERIOD,
                ),
                "orange",
                SIGNS,
            ),
            LabelSpec(
                "loyalty-less",
                _("Pays less"),
                words(
                    _("Paid %(percent)d%% or less of what it was in the %(months)d months before."),
                    percent=Told("loyalty.amount"),
                    **_PERIOD,
                ),
                "orange",
                SIGNS,
            ),
            LabelSpec(
                "loyalty-silent",
                _("Silent for long"),
                words(
                    _(
                        "Not active for longer than %(percent)d%% of the usual time in between, and for more than "
                        "%(days)d days."
                    ),
                    percent=Told("loyalty.silence"),
                    days=Told("loyalty.shortest"),
                ),
                "orange",
                SIGNS,
            ),
        ),
    ),
)  # fmt: skip
