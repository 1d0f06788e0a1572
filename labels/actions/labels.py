"""Make, change, order, merge and delete labels."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import pghistory
from django.contrib.auth.models import AnonymousUser, User
from django.db import IntegrityError, transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from common.errors import Refused
from common.time import local_date
from customers.models import Customer
from labels.actions.giving import give, take
from labels.actions.groups import free_code, mark_exclusive, refuse_reserved, refuse_system_group
from labels.models import Assignment, Label, LabelGroup
from labels.rules.order import refuse_cycle
from selections.usages import uses_of

By = User | AnonymousUser | None
MOST_DAYS = 36_500  # further than calendars go back, whoever has it, would not be a date any more
CHANGEABLE = frozenset(
    {"name", "description", "colour", "group", "is_active", "valid_from", "valid_until", "max_age_days"}
)


def create_label(
    *,
    code: str = "",
    name: str,
    kind: str,
    group: LabelGroup | None = None,
    description: str = "",
    colour: str = Label.Colour.BLUE,
    valid_from: dt.date | None = None,
    valid_until: dt.date | None = None,
    max_age_days: int | None = None,
    by: By = None,
    now: dt.datetime,
) -> Label:
    """Make a label, the last of its group; without a code the name gives one. Raises Refused on a code in use, a code,
    kind or group of the system, or days that end before they begin.
    """
    if kind == Label.Kind.SYSTEM:
        raise Refused("system_label", _("System labels are computed; they are not made by hand."), field="kind")
    refuse_system_group(group)
    label = Label(code=code or free_code(Label, name), name=name, kind=kind, group=group, created_at=now)
    refuse_reserved(label)
    label.description, label.colour, label.rank = description, colour, _next_rank(group)
    label.valid_from, label.valid_until, label.max_age_days = valid_from, valid_until, max_age_days
    _check_days(label)
    try:
        with pghistory.context(**who(by)), transaction.atomic():
            label.save()
    except IntegrityError:
        raise Refused("code_taken", _("There is a label with this code already."), field="code") from None
    return label


@transaction.atomic
def change_label(label: Label, *, by: By = None, **fields: Any) -> Label:
    """Change what is given of ``CHANGEABLE``; raises Refused for a system label, an impossible group, days that cannot
    be, or a rule that would come to ask for itself.

    Moving a held label into an exclusive group is refused while a holder has another label of that group. Whom days
    or age concern loses it with ``end_labels``.
    """
    if label.kind == Label.Kind.SYSTEM:
        raise Refused("system_label", _("System labels are defined by the product and cannot be changed."))
    if unknown := set(fields) - CHANGEABLE:
        raise TypeError(f"change_label does not change {', '.join(sorted(unknown))}")
    refuse_system_group(fields.get("group"))
    was = Label.objects.select_for_update(no_key=True).get(pk=label.pk)
    moves = "group" in fields and fields["group"] != was.group
    for name, value in fields.items():
        setattr(label, name, value)
    if moves:
        label.rank = _next_rank(label.group)
    _check_days(label)
    with pghistory.context(**who(by)):
        label.save()
    if moves:
        _lock(label.group)
        mark_exclusive(label.assignments.open(), label.group)
        if label.is_by_rule:  # labels of a group may be asked for by the group
            refuse_cycle(label)
    return label


@transaction.atomic
def order_labels(group: LabelGroup, codes: Sequence[str], *, by: By = None) -> None:
    """Put the labels of a group in this order, from low to high; raises Refused unless these are all of them."""
    refuse_system_group(group)
    labels = {label.code: label for label in group.labels.select_for_update()}
    if set(codes) != labels.keys() or len(codes) != len(labels):
        raise Refused("other_labels", _("The labels of this group have changed. Look again, and order them anew."))
    for rank, code in enumerate(codes, start=1):
        labels[code].rank = rank
    with pghistory.context(**who(by)):
        Label.objects.bulk_update(labels.values(), ["rank"])


@transaction.atomic
def delete_label(label: Label, *, by: By = None) -> None:
    """Delete a label that nothing uses and nobody ever had; otherwise Refused, for its history would be lost."""
    if label.kind == Label.Kind.SYSTEM:
        raise Refused("system_label", _("System labels are defined by the product and cannot be changed."))
    refuse_uses(label)
    if label.assignments.exists():
        message = _("“%s” has been given, and its history stays. Put it out of use instead.")
        raise Refused("has_history", message % label)
    with pghistory.context(**who(by)):
        label.delete()


@transaction.atomic
def merge_labels(label: Label, into: Label, *, by: By = None, name: str, now: dt.datetime) -> int:
    """Give everybody with a label another one instead, and put the first out of use; returns how many got the other.

    What was, stays as it was: until ``now`` they had the first. ``name`` is who does it. Raises Refused for labels that
    are not given by hand, and while something uses the first.
    """
    if label.pk == into.pk:
        raise Refused("same_label", _("Choose another label to merge it with."), field="into")
    for one in (label, into):
        if not one.is_given_by_hand:
            raise Refused("not_by_hand", _("“%s” is not given by hand, so it cannot be merged.") % one, field="into")
    if not into.is_in_use:
        raise Refused("inactive", _("“%s” is no longer in use. Make it active first.") % into, field="into")
    if not into.is_valid_on(local_date(now)):
        message = _("“%s” is not valid today. Change its days of validity first.")
        raise Refused("not_valid", message % into, field="into")
    refuse_uses(label)
    how, reason = Assignment.How.HAND, _("merged: “%s”") % label
    holders = Customer.objects.filter(pk__in=label.assignments.open().values("customer"))
    given = give(into, holders, by=name, reason=reason, how=how, now=now)
    take(label, Customer.everyone.all(), by=name, reason=_("merged into “%s”") % into, how=how, now=now)
    change_label(label, by=by, is_active=False)
    return given


def refuse_uses(label: Label) -> None:
    """Raise Refused, telling where, while something uses a label."""
    if uses := uses_of(label):
        where = ", ".join(map(str, uses[:5])) + (_(" and %d more") % (len(uses) - 5) if len(uses) > 5 else "")
        message = _("“%(name)s” is still used by: %(where)s. Take it out there first.")
        raise Refused("in_use", message % {"name": label, "where": where})


def who(by: By) -> dict[str, Any]:
    """Return what the history keeps of who changes something."""
    return {"user": by.pk} if by is not None and by.pk else {}


def _next_rank(group: LabelGroup | None) -> int:
    return (group.labels.aggregate(Max("rank"))["rank__max"] or 0) + 1 if group else 0


def _lock(group: LabelGroup | None) -> None:
    if group:
        LabelGroup.objects.select_for_update(no_key=True).get(pk=group.pk)


def _check_days(label: Label) -> None:
    if label.valid_from and label.valid_until and label.valid_until < label.valid_from:
        raise Refused("days", _("The last day lies before the first."), field="valid_until")
    if label.max_age_days is not None and not 1 <= label.max_age_days <= MOST_DAYS:
        message = _("A label lasts 1 to %d days; leave it empty to let it stay.") % MOST_DAYS
        raise Refused("max_age", message, field="max_age_days")
    if label.max_age_days is not None and label.is_by_rule:
        message = _("A label with a rule has no longest time: say in the rule how long ago something may be.")
        raise Refused("age_with_rule", message, field="max_age_days")
