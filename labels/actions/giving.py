"""Give and take labels, for a whole selection in one statement."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from common.errors import Refused
from common.sql import as_subquery, execute, rows
from common.time import local_date
from customers.models import Customer
from customers.numbers import resolve
from labels.models import Assignment, Label, LabelGroup

How = Assignment.How
MOST_NUMBERS = 10_000

# Two who give the same label at one time both find nobody who has it: the second does nothing.
_GIVE = """
WITH target AS MATERIALIZED ({customers}),
others AS (
    UPDATE labels_assignment AS a
       SET until = greatest(a.since, %(now)s), taken_by = %(by)s, taken_how = 'group', taken_through = %(label)s
      FROM target WHERE a.customer_id = target.id AND a.until IS NULL
       AND a.exclusive_group_id = %(exclusive_group)s AND a.label_id <> %(label)s
    RETURNING a.id
),
given AS (
    INSERT INTO labels_assignment
           (label_id, customer_id, exclusive_group_id, since, given_by, given_how, given_through, reason, taken_by)
    SELECT %(label)s, target.id, %(exclusive_group)s, %(now)s, %(by)s, %(how)s, %(through)s, %(reason)s, '' FROM target
     WHERE (SELECT count(*) FROM others) >= 0 -- so that the others are closed first
       AND NOT EXISTS (SELECT 1 FROM labels_assignment AS a
                        WHERE a.label_id = %(label)s AND a.customer_id = target.id AND a.until IS NULL)
    ON CONFLICT DO NOTHING
    RETURNING id
)
SELECT count(*) AS given FROM given
"""

_TAKE = """
UPDATE labels_assignment AS a
   SET until = greatest(a.since, %(now)s), taken_by = %(by)s, taken_how = %(how)s, taken_through = %(through)s,
       taken_reason = %(reason)s
  FROM ({customers}) AS target
 WHERE a.customer_id = target.id AND a.label_id = %(label)s AND a.until IS NULL
"""


@transaction.atomic
def give_label(
    label: Label,
    customers: QuerySet[Customer],
    *,
    by: str,
    reason: str = "",
    how: str = How.HAND,
    through: int | None = None,
    now: dt.datetime,
) -> int:
    """Give a label to all these customers in one statement; returns how many did not have it yet. Not to those whose
    data are restricted, for these are used for nothing (AVG 18).

    ``how`` is by what, ``through`` the id of that (the selection, the action). In an exclusive group it takes the
    other label of that group away. Raises Refused for labels that are computed, follow a rule, are chosen by the
    customer, are no longer in use or not valid today.
    """
    _refuse_by_hand(label)
    if not label.is_in_use:
        raise Refused("inactive", _("“%s” is no longer in use. Make it active first.") % label)
    if not label.is_valid_on(local_date(now)):
        raise Refused("not_valid", _("“%s” is not valid today. Change its days of validity first.") % label)
    usable = customers.filter(restricted_at__isnull=True)
    return give(label, usable, by=by, reason=reason, how=how, through=through, now=now)


@transaction.atomic
def take_label(
    label: Label,
    customers: QuerySet[Customer],
    *,
    by: str,
    reason: str = "",
    how: str = How.HAND,
    through: int | None = None,
    now: dt.datetime,
) -> int:
    """Take a label from all these customers in one statement; returns how many had it. Raises Refused as giving does,
    but not for a label that is out of use.
    """
    _refuse_by_hand(label)
    return take(label, customers, by=by, reason=reason, how=how, through=through, now=now)


def customers_of(numbers: Collection[str]) -> QuerySet[Customer]:
    """Return whom these numbers stand for; raises Refused when there are too many, or some are nobody's."""
    if len(numbers) > MOST_NUMBERS:
        message = _("At most %d at a time. For more, use a selection.")
        raise Refused("too_many", message % MOST_NUMBERS, field="numbers")
    known = resolve(numbers)
    if unknown := [number for number in dict.fromkeys(numbers) if number not in known]:
        shown = ", ".join(unknown[:10]) + (_(" and %d more") % (len(unknown) - 10) if len(unknown) > 10 else "")
        raise Refused("unknown_customer", _("These customer numbers are unknown: %s") % shown, field="numbers")
    return Customer.objects.filter(pk__in=known.values())


def give(
    label: Label,
    customers: QuerySet[Customer],
    *,
    by: str,
    reason: str,
    how: str,
    through: int | None = None,
    now: dt.datetime,
) -> int:
    """Give a label of whatever kind in one statement; returns how many did not have it yet."""
    group = label.group if label.group_id and label.group and label.group.is_exclusive else None
    if group:  # two labels of one group given at the same time would both find no other
        LabelGroup.objects.select_for_update(no_key=True).get(pk=group.pk)
    parameters = {
        "label": label.pk,
        "exclusive_group": group.pk if group else None,
        "now": now,
        "by": by[:150],
        "how": how,
        "through": through,
        "reason": reason[:200],
    }
    return int(rows(_GIVE.format(customers=_ids(customers)), parameters)[0]["given"])


def take(
    label: Label,
    customers: QuerySet[Customer],
    *,
    by: str,
    reason: str = "",
    how: str,
    through: int | None = None,
    now: dt.datetime,
) -> int:
    """Take a label of whatever kind in one statement; returns how many had it."""
    parameters = {
        "label": label.pk,
        "now": now,
        "by": by[:150],
        "how": how,
        "through": through,
        "reason": reason[:200],
    }
    return execute(_TAKE.format(customers=_ids(customers)), parameters)


def _ids(customers: QuerySet[Customer]) -> str:
    return as_subquery(customers.order_by().values("id"))


def _refuse_by_hand(label: Label) -> None:
    if label.kind == Label.Kind.SYSTEM:
        raise Refused("system_label", _("“%s” is computed by the product; it is not given by hand.") % label)
    if label.kind == Label.Kind.CUSTOMER:
        raise Refused("customer_label", _("“%s” is chosen by customers themselves, in MijnMenu.") % label)
    if label.is_by_rule:
        message = _("“%s” follows a rule: who meets it gets the label each night, and nobody else. Change the rule.")
        raise Refused("rule_label", message % label)
