"""Make labels, give and take them by hand or for a whole selection, and let customers choose theirs."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import Any

import pghistory
from django.contrib.auth.models import AnonymousUser, User
from django.db import IntegrityError, transaction
from django.db.models import CharField, Q, QuerySet, Value
from django.db.models.functions import Cast, Concat
from django.utils.text import slugify
from django.utils.translation import gettext as _

from common.errors import Refused
from common.sql import as_subquery, execute, rows
from customers.models import Customer, ImportRun
from labels.models import Assignment, Label, LabelGroup
from labels.refresh import ensure_system_labels, refresh_system_labels
from labels.system import families

__all__ = [
    "change_group",
    "change_label",
    "choose_labels",
    "create_group",
    "create_label",
    "ensure_system_labels",
    "give_label",
    "refresh_system_labels",
    "take_label",
    "take_profiling_labels",
]

By = User | AnonymousUser | None


def create_label(
    *,
    code: str = "",
    name: str,
    kind: str,
    group: LabelGroup | None = None,
    description: str = "",
    colour: str = Label.Colour.BLUE,
    by: By = None,
    now: dt.datetime,
) -> Label:
    """Make a label; without a code the name gives one. Raises Refused on a code in use, or a kind or group of
    the system.
    """
    if kind == Label.Kind.SYSTEM:
        raise Refused("system_label", _("System labels are computed; they are not made by hand."), field="kind")
    _refuse_system_group(group)
    label = Label(code=code or _free_code(Label, name), name=name, kind=kind, group=group, created_at=now)
    label.description, label.colour = description, colour
    try:
        with pghistory.context(**_who(by)), transaction.atomic():
            label.save()
    except IntegrityError:
        raise Refused("code_taken", _("There is a label with this code already."), field="code") from None
    return label


@transaction.atomic
def change_label(label: Label, *, by: By = None, **fields: Any) -> Label:
    """Change name, description, colour, group or is_active; raises Refused for a system label or an
    impossible group.

    Moving a held label into an exclusive group is refused while a holder has another label of that group.
    """
    if label.kind == Label.Kind.SYSTEM:
        raise Refused("system_label", _("System labels are defined by the product and cannot be changed."))
    if unknown := set(fields) - {"name", "description", "colour", "group", "is_active"}:
        raise TypeError(f"change_label does not change {', '.join(sorted(unknown))}")
    _refuse_system_group(fields.get("group"))
    for name, value in fields.items():
        setattr(label, name, value)
    with pghistory.context(**_who(by)):
        label.save()
    if "group" in fields:
        _mark_exclusive(label.assignments.open(), label.group)
    return label


def create_group(*, name: str, is_exclusive: bool = False, code: str = "") -> LabelGroup:
    """Make a group for own labels; without a code the name gives one."""
    try:
        with transaction.atomic():
            return LabelGroup.objects.create(
                code=code or _free_code(LabelGroup, name), name=name, is_exclusive=is_exclusive
            )
    except IntegrityError:
        raise Refused("code_taken", _("There is a group with this code already."), field="code") from None


@transaction.atomic
def change_group(group: LabelGroup, *, name: str, is_exclusive: bool) -> LabelGroup:
    """Change a group; it becomes exclusive only while no customer has two of its labels (else Refused)."""
    _refuse_system_group(group)
    group.name, group.is_exclusive = name, is_exclusive
    group.save()
    _mark_exclusive(Assignment.objects.open().filter(label__group=group), group)
    return group


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
    return _give(label, customers, by=by, reason=reason, now=now)


@transaction.atomic
def take_label(label: Label, customers: QuerySet[Customer], *, by: str, reason: str = "", now: dt.datetime) -> int:
    """Take a label from all these customers in one statement; returns how many had it. Raises Refused as
    giving does.
    """
    _refuse_by_hand(label)
    return _take(label, customers, by=f"{by}: {reason}"[:150] if reason else by, now=now)


@transaction.atomic
def choose_labels(customer: Customer, *, codes: Collection[str], now: dt.datetime) -> None:
    """Set which labels a customer has chosen: exactly ``codes``, out of the labels that customers may choose.

    Raises Refused on a code that may not be chosen, or on two of one exclusive group.
    """
    # Compared here: what a browser sends may be text that no database takes.
    chosen = [label for label in Label.objects.for_customers().select_related("group") if label.code in codes]
    if len(chosen) < len(set(codes)):
        raise Refused("unknown_label", _("This label cannot be chosen."), field="labels")
    exclusive = [label.group_id for label in chosen if label.group and label.group.is_exclusive]
    if len(exclusive) > len(set(exclusive)):
        raise Refused("one_of_group", _("Only one of these can be chosen at a time."), field="labels")
    one = Customer.objects.filter(pk=customer.pk)
    Customer.objects.select_for_update().get(pk=customer.pk)
    for label in Label.objects.filter(kind=Label.Kind.CUSTOMER).exclude(pk__in=[label.pk for label in chosen]):
        _take(label, one, by="customer", now=now)
    for label in chosen:
        _give(label, one, by="customer", reason="", now=now)


def take_profiling_labels(customer: Customer, *, now: dt.datetime) -> int:
    """Take every label derived from behaviour or address, or brought by a file, at once, for who objects to profiling
    and should not wait for the night.
    """
    groups = [code for family in families if family.is_profiling for code in family.all_groups]
    homes = ImportRun.objects.filter(format__in=["home_labels", "labels"]).values(
        name=Concat(Value("import "), Cast("pk", CharField()))
    )
    derived = Q(label__group__code__in=groups) | Q(given_by__in=homes)
    open_ones = customer.label_assignments.filter(derived, until__isnull=True)
    return open_ones.update(until=now, taken_by="customer")


def _give(label: Label, customers: QuerySet[Customer], *, by: str, reason: str, now: dt.datetime) -> int:
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


def _take(label: Label, customers: QuerySet[Customer], *, by: str, now: dt.datetime) -> int:
    return execute(_TAKE.format(customers=_ids(customers)), {"label": label.pk, "now": now, "by": by[:150]})


def _ids(customers: QuerySet[Customer]) -> str:
    return as_subquery(customers.order_by().values("id"))


def _refuse_by_hand(label: Label) -> None:
    if label.kind == Label.Kind.SYSTEM:
        raise Refused("system_label", _("“%s” is computed by the product; it is not given by hand.") % label)
    if label.kind == Label.Kind.CUSTOMER:
        raise Refused("customer_label", _("“%s” is chosen by customers themselves, in MijnMenu.") % label)


def _refuse_system_group(group: LabelGroup | None) -> None:
    if group and group.is_system:
        raise Refused("system_group", _("This group is for system labels. Choose another group."), field="group")


def _mark_exclusive(assignments: QuerySet[Assignment], group: LabelGroup | None) -> None:
    """Let the database guard an exclusive group; raises Refused when somebody has two of it already."""
    try:
        with transaction.atomic():
            assignments.update(exclusive_group=group if group and group.is_exclusive else None)
    except IntegrityError:
        message = _("Some customers have two labels of this group. Take one away first.")
        raise Refused("group_conflict", message, field="group") from None


def _free_code(model: type[Label] | type[LabelGroup], name: str) -> str:
    """Return a code made of the name that is not taken yet."""
    base = slugify(name)[:32] or "label"
    taken = set(model.objects.filter(code__startswith=base).values_list("code", flat=True))
    return next(code for n in range(1, len(taken) + 2) if (code := base if n == 1 else f"{base}-{n}") not in taken)


def _who(by: By) -> dict[str, Any]:
    return {"user": by.pk} if by is not None and by.pk else {}
