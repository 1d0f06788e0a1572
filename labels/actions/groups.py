"""Make, change and delete the groups of labels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pghistory
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils.text import slugify
from django.utils.translation import gettext as _

from common.errors import Refused
from labels.models import Assignment, Colour, Label, LabelGroup
from labels.rules.order import units
from labels.system import specs

if TYPE_CHECKING:
    from labels.actions.labels import By

#: How codes of system labels begin that follow from rows: worlds, genres, sectors. Those of others stand in the code.
FROM_ROWS = ("world-1-", "world-2-", "world-3-", "ticket-genre-", "ticket-world-", "with-")


def create_group(
    *,
    name: str,
    is_exclusive: bool = False,
    code: str = "",
    description: str = "",
    colour: str = Colour.BLUE,
    by: By = None,
) -> LabelGroup:
    """Make a group for own labels; without a code the name gives one."""
    group = LabelGroup(code=code or free_code(LabelGroup, name), name=name, is_exclusive=is_exclusive)
    refuse_reserved(group)
    group.description, group.colour = description, colour
    try:
        with _noted(by), transaction.atomic():
            group.save()
    except IntegrityError:
        raise Refused("code_taken", _("There is a group with this code already."), field="code") from None
    return group


@transaction.atomic
def change_group(group: LabelGroup, *, by: By = None, **fields: Any) -> LabelGroup:
    """Change name, description, colour, is_active or is_exclusive; a group becomes exclusive only while no customer has
    two of its labels, and no rule of one asks for another (else Refused).
    """
    refuse_system_group(group)
    if unknown := set(fields) - {"name", "description", "colour", "is_active", "is_exclusive"}:
        raise TypeError(f"change_group does not change {', '.join(sorted(unknown))}")
    was = LabelGroup.objects.select_for_update().get(pk=group.pk)  # nobody gives one of its labels meanwhile
    becomes = "is_exclusive" in fields and fields["is_exclusive"] != was.is_exclusive
    for name, value in fields.items():
        setattr(group, name, value)
    with _noted(by):
        group.save()
    if becomes:
        mark_exclusive(Assignment.objects.open().filter(label__group=group), group)
        units(Label.objects.by_rule().select_related("group", "selection"))
    return group


@transaction.atomic
def delete_group(group: LabelGroup, *, by: By = None) -> None:
    """Delete a group without labels that nothing ever stood in; otherwise Refused with the remedy."""
    refuse_system_group(group)
    if group.labels.exists():
        raise Refused("has_labels", _("“%s” still has labels. Move them to another group first.") % group)
    if Assignment.objects.filter(exclusive_group=group).exists():
        raise Refused("has_history", _("“%s” has a history. Put it out of use instead.") % group)
    with _noted(by):
        group.delete()


def refuse_system_group(group: LabelGroup | None) -> None:
    """Raise Refused for a group whose labels are computed."""
    if group and group.is_system:
        raise Refused("system_group", _("This group is for system labels. Choose another group."), field="group")


def mark_exclusive(assignments: QuerySet[Assignment], group: LabelGroup | None) -> None:
    """Let the database guard an exclusive group; raises Refused when somebody has two of it already."""
    try:
        with transaction.atomic():
            assignments.update(exclusive_group=group if group and group.is_exclusive else None)
    except IntegrityError:
        message = _("Some customers have two labels of this group. Take one away first.")
        raise Refused("group_conflict", message, field="group") from None


def free_code(model: type[Label] | type[LabelGroup], name: str) -> str:
    """Return a code made of the name that is not taken yet."""
    base = slugify(name)[:32] or "label"
    if is_reserved(model, base):
        base = f"own-{base}"
    taken = set(model.objects.filter(code__startswith=base).values_list("code", flat=True))
    return next(code for n in range(1, len(taken) + 2) if (code := base if n == 1 else f"{base}-{n}") not in taken)


def is_reserved(model: type[Label] | type[LabelGroup], code: str) -> bool:
    """Whether the product may want this code for a label or group of its own, which then would take over another."""
    if model is LabelGroup:
        return specs.group_name(code) is not None
    return specs.label_name(code) is not None or code.startswith(FROM_ROWS)


def refuse_reserved(made: Label | LabelGroup) -> None:
    """Raise Refused for a new label or group with a code of the system."""
    if is_reserved(type(made), made.code):
        message = _("The code “%s” is for system labels. Choose another one.")
        raise Refused("reserved", message % made.code, field="code")


def _noted(by: By) -> pghistory.context:
    return pghistory.context(**({"user": by.pk} if by is not None and by.pk else {}))
