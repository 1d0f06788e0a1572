"""Make and change labels."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pghistory
from django.contrib.auth.models import AnonymousUser, User
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from common.errors import Refused
from labels.actions.groups import free_code, mark_exclusive, refuse_system_group
from labels.models import Label, LabelGroup

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
    refuse_system_group(group)
    label = Label(code=code or free_code(Label, name), name=name, kind=kind, group=group, created_at=now)
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
    refuse_system_group(fields.get("group"))
    for name, value in fields.items():
        setattr(label, name, value)
    with pghistory.context(**_who(by)):
        label.save()
    if "group" in fields:
        mark_exclusive(label.assignments.open(), label.group)
    return label


def _who(by: By) -> dict[str, Any]:
    return {"user": by.pk} if by is not None and by.pk else {}
