"""Make and change the groups of labels."""

from __future__ import annotations

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils.text import slugify
from django.utils.translation import gettext as _

from common.errors import Refused
from labels.models import Assignment, Label, LabelGroup


def create_group(*, name: str, is_exclusive: bool = False, code: str = "") -> LabelGroup:
    """Make a group for own labels; without a code the name gives one."""
    try:
        with transaction.atomic():
            return LabelGroup.objects.create(
                code=code or free_code(LabelGroup, name), name=name, is_exclusive=is_exclusive
            )
    except IntegrityError:
        raise Refused("code_taken", _("There is a group with this code already."), field="code") from None


@transaction.atomic
def change_group(group: LabelGroup, *, name: str, is_exclusive: bool) -> LabelGroup:
    """Change a group; it becomes exclusive only while no customer has two of its labels (else Refused)."""
    refuse_system_group(group)
    group.name, group.is_exclusive = name, is_exclusive
    group.save()
    mark_exclusive(Assignment.objects.open().filter(label__group=group), group)
    return group


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
    taken = set(model.objects.filter(code__startswith=base).values_list("code", flat=True))
    return next(code for n in range(1, len(taken) + 2) if (code := base if n == 1 else f"{base}-{n}") not in taken)
