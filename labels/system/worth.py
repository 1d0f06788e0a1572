"""Classes of customer value, by the computed value of that name: what it adds up stands in its definition."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from labels.system.specs import Family, LabelSpec, Threshold, Told, words

_CLASS = """
SELECT customer_id,
       CASE WHEN number < %(middle)s THEN 'value-low'
            WHEN number < %(high)s THEN 'value-middle'
            ELSE 'value-high' END AS code
  FROM ({v[customer-value]}) AS held WHERE number > 0
"""

FAMILIES = (
    Family(
        code="value",
        name=_("Customer value class"),
        sql=_CLASS,
        thresholds=(
            Threshold("middle", _("Middle customer value from"), "cents", 5000, 1, 10_000_000, 100),
            Threshold("high", _("High customer value from"), "cents", 15000, 2, 50_000_000, 100),
        ),
        rising=(("middle", "high"),),
        values=("customer-value",),
        params=lambda _now, limits: {"middle": limits["middle"], "high": limits["high"]},
        labels=(
            LabelSpec(
                "value-low",
                _("Low customer value"),
                words(_("Computed customer value of less than %(middle)s."), middle=Told("value.middle")),
                "grey",
                rank=1,
            ),
            LabelSpec(
                "value-middle",
                _("Middle customer value"),
                words(
                    _("Computed customer value from %(middle)s to %(high)s."),
                    middle=Told("value.middle"),
                    high=Told("value.high"),
                ),
                "blue",
                rank=2,
            ),
            LabelSpec(
                "value-high",
                _("High customer value"),
                words(_("Computed customer value of %(high)s or more."), high=Told("value.high")),
                "green",
                rank=3,
            ),
        ),
    ),
)
