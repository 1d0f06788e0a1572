"""The life cycle: from visitor over prospect to one-time, returning and ambassador; everybody in one phase at most.

The order is that of AIDA: attention (visitor), interest (prospect), action (one-time), and what comes of it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _

from labels.system.kinds import INTEREST, ONLINE, deeds
from labels.system.specs import (
    SUBSCRIPTION_EDGE,
    Edge,
    Family,
    LabelSpec,
    Limits,
    Measure,
    Threshold,
    Told,
    days_before,
    words,
)

# A running subscription is at least one time; who said that he wants to hear from us is a prospect. OFFSET 0, or all
# subscriptions are looked through once per use of ``subscribed``.
_PHASE = """
SELECT customer_id,
       CASE WHEN active >= %(ambassador)s AND known_since <= %(loyal_since)s THEN 'lifecycle-ambassador'
            WHEN active >= %(returning)s THEN 'lifecycle-returning'
            WHEN active > 0 OR subscribed THEN 'lifecycle-once'
            WHEN interested THEN 'lifecycle-prospect'
            ELSE 'lifecycle-visitor' END AS code
  FROM (SELECT customer.id AS customer_id, coalesce({m[active]}, 0) AS active, customer.registered_on AS known_since,
               EXISTS (SELECT FROM {subscriptions} AS subscription
                        WHERE subscription.customer_id = customer.id AND started_on <= %(today)s
                          AND (ended_on IS NULL OR ended_on >= %(today)s)) AS subscribed,
               {m[interest]} IS NOT NULL OR customer.kind IN ('prospect', 'newsletter') AS interested,
               {m[online]} IS NOT NULL AS online
          FROM {customers} AS customer LEFT JOIN label_measure AS measure ON measure.customer_id = customer.id
         WHERE {among[customer.id]} OFFSET 0) AS seen
 WHERE active > 0 OR subscribed OR interested OR online
"""
_LOYAL = """
SELECT id AS customer_id FROM customers_customer
 WHERE registered_on > %(was_loyal_since)s AND registered_on <= %(loyal_since)s
"""


def _measures(limits: Limits) -> Mapping[str, Measure]:
    return {
        "active": Measure("days", deeds(), limits.whole("months")),
        "interest": Measure("count", INTEREST, limits.whole("online")),
        "online": Measure("count", ONLINE, limits.whole("online")),
    }


def _params(now: dt.datetime, limits: Limits) -> Mapping[str, Any]:
    return {
        "today": days_before(now, 0),
        "loyal_since": days_before(now, limits.whole("loyal") * 365 // 12),
        "returning": limits["returning"],
        "ambassador": limits["ambassador"],
    }


FAMILIES = (
    Family(
        code="lifecycle",
        name=_("Life cycle"),
        sql=_PHASE,
        thresholds=(
            Threshold("months", _("Activities of the last … months count"), "months", 12, 1, 60),
            Threshold("online", _("Visits online and interest of the last … months count"), "months", 6, 1, 13),
            Threshold("returning", _("Returning from … active days"), "days", 2, 2, 100),
            Threshold("ambassador", _("Ambassador from … active days"), "days", 20, 3, 365),
            Threshold("loyal", _("… and only who is registered for … months"), "months", 24, 0, 240),
        ),
        rising=(("returning", "ambassador"),),
        measures=_measures,
        params=_params,
        edges=(Edge(_LOYAL), SUBSCRIPTION_EDGE),
        labels=(
            LabelSpec(
                "lifecycle-visitor",
                _("Visitor"),
                words(
                    _("Visited the website or used the app in the last %(online)d months, and nothing more yet."),
                    online=Told("lifecycle.online"),
                ),
                "grey",
                rank=1,
            ),
            LabelSpec(
                "lifecycle-prospect",
                _("Prospect"),
                words(
                    _(
                        "Showed interest: asked for information, sent a form, logged in or followed a link in the last "
                        "%(online)d months, or is known as a prospect or newsletter contact. Not active yet."
                    ),
                    online=Told("lifecycle.online"),
                ),
                "yellow",
                rank=2,
            ),
            LabelSpec(
                "lifecycle-once",
                _("One-time"),
                words(
                    _(
                        "Active on fewer than %(returning)d days in the last %(months)d months, or not active but with "
                        "a running subscription."
                    ),
                    returning=Told("lifecycle.returning"),
                    months=Told("lifecycle.months"),
                ),
                "blue",
                rank=3,
            ),
            LabelSpec(
                "lifecycle-returning",
                _("Returning"),
                words(
                    _("Active on %(returning)d days or more in the last %(months)d months."),
                    returning=Told("lifecycle.returning"),
                    months=Told("lifecycle.months"),
                ),
                "teal",
                rank=4,
            ),
            LabelSpec(
                "lifecycle-ambassador",
                _("Ambassador"),
                words(
                    _(
                        "Active on %(ambassador)d days or more in the last %(months)d months and registered for "
                        "%(loyal)d months or longer."
                    ),
                    ambassador=Told("lifecycle.ambassador"),
                    months=Told("lifecycle.months"),
                    loyal=Told("lifecycle.loyal"),
                ),
                "green",
                rank=5,
            ),
        ),
    ),
)
