"""The tree of parts: read from the fields, changed by commands, turned into a rule."""

from __future__ import annotations

import re
from collections.abc import Iterator

from django.http import QueryDict
from django.utils.translation import gettext as _

from common.errors import Refused
from selections.rules import MAX_DEPTH, MAX_NODES, MAX_PICKS, Group, Node, Op, Path
from workbench.forms.builder.commands import carry_out
from workbench.forms.builder.parts import ROOT, Part, condition_of, form_of, part_of, sent_part
from workbench.forms.builder.picks import sent_pick

_MARK = re.compile(r"^(r(?:-\d{1,3}){0,12})__(op|criterion)$")
_PICK = re.compile(r"^(r(?:-\d{1,3}){0,12})__pick-(\d)$")


class Builder:
    """A rule under construction. After a command ``focus`` is the path it was about, ``verb`` what was done and
    ``said`` the same in words.
    """

    def __init__(self, root: Part) -> None:
        self.root = root
        self.focus = self.verb = self.said = self.menu_at = ""
        self.is_checked = False
        self._number()

    @classmethod
    def from_rule(cls, rule: Group) -> Builder:
        """Start from a saved rule."""
        builder = cls(part_of(rule))
        builder.is_valid()
        return builder

    @classmethod
    def from_post(cls, data: QueryDict) -> Builder:
        """Read the tree out of the fields; fields that belong nowhere are left out."""
        marks = {match[1]: match[2] for name in data if (match := _MARK.match(name))}
        if len(marks) > MAX_NODES:
            raise Refused("too_many", _("A rule has at most %(n)d parts.") % {"n": MAX_NODES})
        parts: dict[str, Part] = {}
        for path in sorted(marks, key=lambda path: (path.count("-"), _indexes(path))):
            part = sent_part(data, path, marks[path])
            parent = parts.get(path.rpartition("-")[0])
            if part is None or (path != ROOT and (parent is None or not parent.is_group)):
                continue
            parts[path] = part
            if parent is not None:
                parent.children.append(part)
        for path, place in sorted((match[1], match[2]) for name in data if (match := _PICK.match(name))):
            pick = sent_pick(data, f"{path}__pick-{place}")
            if pick is not None and path in parts and parts[path].is_group:
                parts[path].picks.append(pick)
        root = parts.get(ROOT)
        return cls(root if root is not None and root.is_group else Part(op=Op.ALL))

    def parts(self) -> Iterator[Part]:
        """Yield all parts, parents first."""
        return self.root.walk()

    def is_valid(self) -> bool:
        """Check every form; what is wrong stands in the forms."""
        for part in self.parts():
            if part.criterion is not None and not self.is_checked:
                part.condition = condition_of(part)
        self.is_checked = True
        return not self.unfinished and all(pick.pick() is not None for part in self.parts() for pick in part.picks)

    def forgive_untouched(self) -> None:
        """Take the complaints away from forms in which nothing was filled in yet."""
        for part in self.unfinished:
            if part.criterion is not None and part.is_untouched:
                part.raw = None
                part.form = form_of(part)

    @property
    def unfinished(self) -> list[Part]:
        """Criteria that do not say enough yet; ``to_rule`` leaves them out."""
        return [part for part in self.parts() if not part.is_group and part.condition is None]

    @property
    def is_empty(self) -> bool:
        """Whether nothing was added yet."""
        return not self.root.children and not self.root.picks

    def to_rule(self) -> Group:
        """Return the rule of everything that is filled in, noting where each part went (``rule_path``)."""
        rule = _node(self.root, ())
        return rule if isinstance(rule, Group) else Group(op=Op.ALL)

    def at(self, rule_path: Path) -> Part | None:
        """Return the part that became this node of the rule."""
        return next((part for part in self.parts() if part.rule_path == rule_path), None)

    def by_path(self, path: str) -> Part | None:
        """Return the part with this path in the form."""
        return next((part for part in self.parts() if part.path == path), None)

    def do(self, command: str) -> None:
        """Carry out ``verb:path`` or ``verb:path:argument``; unknown ones change nothing. Refused beyond the
        limits.
        """
        verb, _colon, rest = command.partition(":")
        path, _colon, argument = rest.partition(":")
        part = self.by_path(path)
        if part is None:
            return
        done = carry_out(self, verb, part, argument)
        self._number()
        self._check_limits()
        if done is not None:
            self.focus, self.verb, self.said = done.part.path, verb, done.words()

    def place(self, part: Part) -> tuple[list[Part], int | None]:
        """Return the parts among which this one stands, and its index; none for the root."""
        parent = self.parent(part)
        return (parent.children, parent.children.index(part)) if parent is not None else ([], None)

    def parent(self, part: Part) -> Part | None:
        """Return the group it stands in."""
        return next((other for other in self.parts() if part in other.children), None)

    def _check_limits(self) -> None:
        if sum(1 for _part in self.parts()) > MAX_NODES:
            raise Refused("too_many", _("A rule has at most %(n)d parts.") % {"n": MAX_NODES})
        if any(part.is_group and part.depth > MAX_DEPTH for part in self.parts()):
            raise Refused("too_deep", _("Groups go at most %(n)d deep.") % {"n": MAX_DEPTH})
        if any(len(part.picks) > MAX_PICKS for part in self.parts()):
            raise Refused("too_many", _("A group is thinned out at most %(n)d times.") % {"n": MAX_PICKS})

    def _number(self) -> None:
        """Give every part its path and a key of its own, and every criterion and pick a form with fields named so."""
        self.root.path, self.is_checked = ROOT, False
        known: set[str] = set()
        for part in self.parts():
            if not part.key or part.key in known:
                part.key = ""
            known.add(part.key)
            for index, child in enumerate(part.children):
                child.path, child.parent_op = f"{part.path}-{index}", part.op
            for index, pick in enumerate(part.picks):
                pick.number(part.path, index)
                pick.is_first, pick.is_last = index == 0, index == len(part.picks) - 1
            if part.criterion is not None:
                part.form = form_of(part)
        numbers = (f"k{number}" for number in range(2 * MAX_NODES + len(known)))
        for part in self.parts():
            if not part.key:
                part.key = next(key for key in numbers if key not in known)


def _node(part: Part, path: Path) -> Node | None:
    part.rule_path = None
    if not part.is_group and part.condition is None:
        return None
    part.rule_path = path
    if part.condition is not None:
        return part.condition
    children: list[Node] = []
    for child in part.children:
        node = _node(child, (*path, len(children)))
        if node is not None:
            children.append(node)
    if part.children and not children and path:
        part.rule_path = None  # nothing in it is filled in yet, which is not the same as an empty group
        return None
    picks = [pick for pick in (one.pick() for one in part.picks) if pick is not None]
    return Group(op=Op(part.op), children=tuple(children), picks=tuple(picks[:MAX_PICKS]))


def _indexes(path: str) -> list[int]:
    return [int(index) for index in path.split("-")[1:]]
