"""Give and take labels, for a whole selection in one statement."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from common.errors import Refused
from common.sql import as_subquery, execute, rows
from customers.models import Customer
from labels.models import Label, LabelGroup

_GIVE = """
WITH target AS MATERIALIZED ({customers}),
others AS (
    UPDATE labels_assignment AS a SET until = greatest(a.since, %(now)s), taken_by = %(by)s
      FROM target WHERE a.customer_id = target.id AND a.until IS NULL
       AND a.exclusive_group_id = %(exclusive_group)s AND a.label_id <> %(label)s
    RETURNING a.id
),
given AS (
    INSERT INTO labels_assignment
           (label_id, customer_id, exclusive_group_id, since, given_by, reason, taken_by)
    SELECT %(label)s, target.id, %(exclusive_group)s, %(now)s, %(by)s, %(reason)s, '' FROM target
     WHERE (SELECT count(*) FROM others) >= 0 -- so that the others are closed first
       AND NOT EXISTS (SELECT 1 FROM labels_assignment AS a
                        WHERE a.label_id = %(label)s AND a.customer_id = target.id AND a.until IS NULL)
    RETURNING id
)
SELECT count(*) AS given FROM given
"""

_TAKE = """
UPDATE labels_assignment AS a SET until = greatest(a.since, %(now)s), taken_by = %(by)s
  FROM ({customers}) AS target
 WHERE a.customer_id = target.id AND a.label_id = %(label)s AND a.until IS NULL
"""


@transaction.atomic
def give_label(label: Label, customers: QuerySet[Customer], *, by: str, reason: str = "", now: dt.datetime) -> int:
    """Give a label to all these customers in one statement; returns how many did not have it yet.

    In an exclusive group it takes the other label of that group away. Raises Refused for labels that are
    computed, chosen by the customer, or no longer in use.
    """
    _refuse_by_hand(label)
    if not label.is_active:
        raise Refused("inactive", _("“%s” is no longer in use. Make it active first.") % label)
    return give(label, customers, by=by, reason=reason, now=now)


@transaction.atomic
def take_label(label: Label, customers: QuerySet[Customer], *, by: str, reason: str = "", now: dt.datetime) -> int:
    """Take a label from all these customers in one statement; returns how many had it. Raises Refused as
    giving does.
    """
    _refuse_by_hand(label)
    return take(label, customers, by=f"{by}: {reason}"[:150] if reason else by, now=now)


def give(label: Label, customers: QuerySet[Customer], *, by: str, reason: str, now: dt.datetime) -> int:
    """Give a label of whatever kind in one statement; returns how many did not have it yet."""
    group = label.group if label.group_id and label.group and label.group.is_exclusive else None
    if group:  # two labels of one group given at the same time would both find no other
        LabelGroup.objects.select_for_update(no_key=True).get(pk=group.pk)
    statement = _GIVE.format(customers=_ids(customers))
    parameters = {
        "label": label.pk,
        "exclusive_group": group.pk if group else None,
        "now": now,
        "by": by[:150],
        "reason": reason[:200],
    }
    return int(rows(statement, parameters)[0]["given"])


def take(label: Label, customers: QuerySet[Customer], *, by: str, now: dt.datetime) -> int:
    """Take a label of whatever kind in one statement; returns how many had it."""
    return execute(_TAKE.format(customers=_ids(customers)), {"label": label.pk, "now": now, "by": by[:150]})


def _ids(customers: QuerySet[Customer]) -> str:
    return as_subquery(customers.order_by().values("id"))


def _refuse_by_hand(label: Label) -> None:
    if label.kind == Label.Kind.SYSTEM:
        raise Refused("system_label", _("“%s” is computed by the product; it is not given by hand.") % label)
    if label.kind == Label.Kind.CUSTOMER:
        raise Refused("customer_label", _("“%s” is chosen by customers themselves, in MijnMenu.") % label)
