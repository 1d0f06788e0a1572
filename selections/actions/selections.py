"""Make, change, move, hand over, archive and delete selections."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pghistory
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from common.criteria import criteria
from common.errors import Refused
from selections.actions.who import By, who
from selections.compiler import compile_rule, members
from selections.models import Folder, ResultSet, Selection
from selections.rules import Condition, Group, RuleRefused, parse_rule, pointer_of, walk
from selections.usages import guards, uses_of
from selections.versions import version_of

Rule = Group | dict[str, Any]


def create_selection(
    *,
    name: str,
    rule: Rule,
    description: str = "",
    folder: Folder | None = None,
    by: By = None,
    now: dt.datetime,
) -> Selection:
    """Save a new selection; raises Refused on a name in use or a rule that is not one (``field`` tells
    where).
    """
    selection = Selection(name=name.strip(), description=description, rule=checked(rule, now=now).to_json())
    selection.folder = folder
    selection.owner = by if isinstance(by, User) else None
    selection.created_at = selection.updated_at = now
    _save(selection, by=by)
    return selection


def change_selection(
    selection: Selection,
    *,
    name: str | None = None,
    rule: Rule | None = None,
    description: str | None = None,
    by: By = None,
    now: dt.datetime,
) -> Selection:
    """Change what is given; a new rule makes the last count worthless. Raises Refused as ``create_selection``, and
    when what follows from the selection would ask for itself.
    """
    if name is not None:
        selection.name = name.strip()
    if description is not None:
        selection.description = description
    if rule is not None:
        _change_rule(selection, checked(rule, now=now, inside=selection), now=now)
    selection.updated_at = now
    with transaction.atomic():
        _save(selection, by=by)
        for guard in guards if rule is not None else []:
            guard(selection)
    return selection


def restore_version(selection: Selection, *, key: int, by: By = None, now: dt.datetime) -> Selection:
    """Make the rule and description of an earlier version those of a new one; the name stays.

    Raises Refused on a version that is not there, or whose rule points at what is gone.
    """
    version = version_of(selection, key)
    return change_selection(selection, rule=version.rule, description=version.description, by=by, now=now)


def checked(rule: Rule, *, now: dt.datetime, inside: Selection | None = None) -> Group:
    """Return the parsed rule once all it points at exists and it compiles; ``inside`` may not be referred to.

    Raises RuleRefused with the pointer of the faulty node.
    """
    group = parse_rule(rule)
    for path, node in walk(group):
        if not isinstance(node, Condition):
            continue
        try:
            criteria[node.criterion].check(node.params)
        except Refused as refusal:
            where = f"{pointer_of(path)}/params/{refusal.field or ''}".rstrip("/")
            raise RuleRefused(refusal.code, str(refusal), where) from refusal
    if inside is None or inside.pk is None:
        compile_rule(group, now=now)
    else:
        members(Selection(pk=inside.pk, name=inside.name, rule=group.to_json()), now=now)
    return group


def move_selection(selection: Selection, *, folder: Folder | None, by: By = None, now: dt.datetime) -> Selection:
    """Put a selection in a folder, or in none."""
    selection.folder, selection.updated_at = folder, now
    _save(selection, by=by)
    return selection


def hand_over(selection: Selection, *, to: User, by: By = None, now: dt.datetime) -> Selection:
    """Give a selection another owner; raises Refused when that colleague no longer works here."""
    if not to.is_active:
        raise Refused(
            "inactive_user", _("This colleague has no account any more. Choose somebody else."), field="owner"
        )
    selection.owner, selection.updated_at = to, now
    _save(selection, by=by)
    return selection


def archive_selection(selection: Selection, *, by: By = None, now: dt.datetime) -> Selection:
    """Take a selection out of the lists, to be found again; raises Refused, telling where, while it is used."""
    refuse_used(selection)
    selection.archived_at = selection.archived_at or now
    _save(selection, by=by)
    return selection


def unarchive_selection(selection: Selection, *, by: By = None) -> Selection:
    """Put an archived selection back in the lists."""
    selection.archived_at = None
    _save(selection, by=by)
    return selection


@transaction.atomic
def delete_selection(selection: Selection, *, by: By = None) -> None:
    """Delete a selection and the record of who was in it; raises Refused, telling where, while it is used.

    Result sets that were kept of it stay.
    """
    refuse_used(selection)
    with pghistory.context(**who(by)):
        selection.delete()


def refuse_used(thing: Selection | ResultSet) -> None:
    """Refuse to go on, telling where, while something uses a selection or a result set."""
    uses = uses_of(thing)
    if uses:
        where = ", ".join(map(str, uses[:5])) + (_(" and %d more") % (len(uses) - 5) if len(uses) > 5 else "")
        message = _("“%(name)s” is still used by: %(where)s. Take it out there first.")
        raise Refused("in_use", message % {"name": thing.name, "where": where})


def _change_rule(selection: Selection, rule: Group, *, now: dt.datetime) -> None:
    if rule.to_json() != selection.rule:
        selection.rule = rule.to_json()
        selection.last_count = selection.counted_at = selection.baseline_at = None


@transaction.atomic
def _save(selection: Selection, *, by: By) -> None:
    if not selection.name:
        raise Refused("name_missing", _("Give the selection a name."), field="name")
    try:
        with pghistory.context(**who(by)), transaction.atomic():
            selection.save()
    except IntegrityError:
        message = _("There is a selection with this name already. Choose another name.")
        raise Refused("name_taken", message, field="name") from None
