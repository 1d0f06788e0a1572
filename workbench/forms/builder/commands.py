"""What can be done with the parts of a rule under construction, and what that is called."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common.criteria import criteria
from selections.rules import MAX_NUMBER, Op
from workbench.forms.builder.examples import example
from workbench.forms.builder.parts import Part, copy_of
from workbench.forms.builder.picks import KINDS, new_pick

if TYPE_CHECKING:
    from workbench.forms.builder.tree import Builder


@dataclass
class Done:
    """What was done: the part it was about (where the hands are now), and in words, once all parts have their place."""

    part: Part
    words: Callable[[], str]


def title(part: Part) -> str:
    """Return what a part is called: its criterion, or the group with how it combines."""
    if part.criterion is not None:
        return str(part.criterion.label)
    return _("Group “%s”") % Op(part.op).label


def carry_out(builder: Builder, verb: str, part: Part, argument: str) -> Done | None:
    """Do it; None when it makes no sense, and then nothing has changed."""
    act = VERBS.get(verb)
    return act(builder, part, argument) if act is not None else None


def _said(template: Any, part: Part) -> Done:
    what = title(part)
    return Done(part, lambda: template % {"what": what})


def _add(builder: Builder, group: Part, code: str) -> Done | None:
    criterion = criteria.get(code)
    if criterion is None or not group.is_group:
        return None
    group.children.append(Part(criterion=criterion))
    return _said(gettext_lazy("Added: %(what)s."), group.children[-1])


def _group(builder: Builder, group: Part, op: str) -> Done | None:
    if not group.is_group:
        return None
    other = Op.ANY if group.op == Op.ALL else Op.ALL
    group.children.append(Part(op=op if op in Op.values else other))
    return _said(gettext_lazy("Added: %(what)s."), group.children[-1])


def _remove(builder: Builder, part: Part, _argument: str) -> Done | None:
    siblings, index = builder.place(part)
    parent = builder.parent(part)
    if index is None or parent is None:
        return None
    del siblings[index]
    what = title(part)
    return Done(parent, lambda: _("Removed: %(what)s. With “Undo” it comes back.") % {"what": what})


def _duplicate(builder: Builder, part: Part, _argument: str) -> Done | None:
    siblings, index = builder.place(part)
    if index is None:
        return None
    siblings.insert(index + 1, copy_of(part))
    return _said(gettext_lazy("Duplicated: %(what)s."), siblings[index + 1])


def _wrap(builder: Builder, part: Part, op: str) -> Done | None:
    siblings, index = builder.place(part)
    parent = builder.parent(part)
    if index is None or parent is None:
        return None
    other = Op.ANY if parent.op == Op.ALL else Op.ALL
    siblings[index] = Part(op=op if op in Op.values else other, children=[part])
    what = title(part)
    return Done(siblings[index], lambda: _("%(what)s now stands in a group.") % {"what": what})


def _unwrap(builder: Builder, group: Part, _argument: str) -> Done | None:
    siblings, index = builder.place(group)
    parent = builder.parent(group)
    if index is None or parent is None or not group.is_group:
        return None
    siblings[index : index + 1] = group.children
    words = _("The group is gone; what stood in it is still there.")
    return Done(group.children[0] if group.children else parent, lambda: words)


def _start(builder: Builder, root: Part, code: str) -> Done | None:
    """Begin anew with an example."""
    chosen = example(code)
    if chosen is None or root is not builder.root:
        return None
    root.op, root.children, root.picks = Op.ALL, chosen.parts(), []
    return Done(root, lambda: _("Started with the example “%s”.") % chosen.name)


# --- moving ---


def _moved(builder: Builder, part: Part) -> Done:
    def words() -> str:
        parent = builder.parent(part)
        if parent is None:
            return ""
        where = _("the whole selection") if parent is builder.root else title(parent)
        place = parent.children.index(part) + 1
        shown = {"what": title(part), "place": place, "all": len(parent.children), "where": where}
        return _("%(what)s: now number %(place)d of %(all)d in %(where)s.") % shown

    return Done(part, words)


def _step(step: int) -> Callable[[Builder, Part, str], Done | None]:
    """Move a part one line; a criterion enters the group it meets, and both leave a group past its edge."""

    def act(builder: Builder, part: Part, _argument: str) -> Done | None:
        siblings, index = builder.place(part)
        parent = builder.parent(part)
        if index is None or parent is None:
            return None
        if 0 <= index + step < len(siblings):
            _pass(siblings, index, step)
            return _moved(builder, part)
        outer, parent_index = builder.place(parent)
        if parent_index is None:
            return Done(part, lambda: _("It cannot go further in this direction."))
        del siblings[index]
        outer.insert(parent_index + (step > 0), part)
        return _moved(builder, part)

    return act


def _pass(siblings: list[Part], index: int, step: int) -> None:
    part, other = siblings[index], siblings[index + step]
    if other.is_group and not part.is_group:
        del siblings[index]
        other.children.insert(0 if step > 0 else len(other.children), part)
    else:
        siblings[index], siblings[index + step] = other, part


def _into(builder: Builder, part: Part, _argument: str) -> Done | None:
    """Put a part in the group above it, or else in the one below it."""
    siblings, index = builder.place(part)
    if index is None:
        return None
    beside = {-1: siblings[index - 1] if index else None, 1: siblings[index + 1] if siblings[index + 1 :] else None}
    for step, group in beside.items():
        if group is not None and group.is_group:
            del siblings[index]
            group.children.insert(0 if step > 0 else len(group.children), part)
            return _moved(builder, part)
    return Done(part, lambda: _("There is no group above or below it."))


def _out(builder: Builder, part: Part, _argument: str) -> Done | None:
    """Take a part out of its group, to stand right after it."""
    siblings, index = builder.place(part)
    parent = builder.parent(part)
    if index is None or parent is None:
        return None
    outer, parent_index = builder.place(parent)
    if parent_index is None:
        return Done(part, lambda: _("It is in no group that it can leave."))
    del siblings[index]
    outer.insert(parent_index + 1, part)
    return _moved(builder, part)


def _move(builder: Builder, part: Part, argument: str) -> Done | None:
    """Put a part at a place in a group: ``r-2:1``, the place counted without the part itself."""
    path, _colon, place = argument.partition(":")
    group = builder.by_path(path)
    siblings, index = builder.place(part)
    if index is None or group is None or not group.is_group or group in part.walk() or not place.isdecimal():
        return None
    del siblings[index]
    group.children.insert(min(int(place[:4]), len(group.children)), part)
    return _moved(builder, part)


# --- what thins a group out ---


def _pick(builder: Builder, group: Part, kind: str) -> Done | None:
    if not group.is_group or kind not in KINDS:
        return None
    group.picks.append(new_pick(kind))
    return Done(group, lambda: _("Added: %(what)s.") % {"what": KINDS[kind][0]})


def _unpick(builder: Builder, group: Part, place: str) -> Done | None:
    if (index := _index(group, place)) is None:
        return None
    gone = group.picks.pop(index)
    return Done(group, lambda: _("Removed: %(what)s. With “Undo” it comes back.") % {"what": gone.label})


def _pick_up(builder: Builder, group: Part, place: str) -> Done | None:
    index = _index(group, place)
    if not index:
        return None
    picks = group.picks
    picks[index - 1], picks[index] = picks[index], picks[index - 1]
    shown = {"what": picks[index - 1].label, "place": index}
    return Done(group, lambda: _("%(what)s now comes as number %(place)d.") % shown)


def _redraw(builder: Builder, group: Part, place: str) -> Done | None:
    """Draw others: another seed for a sample or a share."""
    index = _index(group, place)
    if index is None or group.picks[index].kind not in ("sample", "share"):
        return None
    drawn = new_pick("sample").initial or {}
    pick = group.picks[index]
    if pick.raw is not None:
        pick.raw["seed"] = [str(drawn["seed"] % MAX_NUMBER)]
    else:
        pick.initial = {**(pick.initial or {}), **drawn}
    return Done(group, lambda: _("Others are drawn now."))


def _index(group: Part, place: str) -> int | None:
    return int(place[:4]) if place.isdecimal() and int(place[:4]) < len(group.picks) else None


VERBS: dict[str, Callable[[Builder, Part, str], Done | None]] = {
    "add": _add,
    "group": _group,
    "start": _start,
    "remove": _remove,
    "duplicate": _duplicate,
    "wrap": _wrap,
    "unwrap": _unwrap,
    "up": _step(-1),
    "down": _step(1),
    "into": _into,
    "out": _out,
    "move": _move,
    "pick": _pick,
    "unpick": _unpick,
    "pickup": _pick_up,
    "redraw": _redraw,
}
