"""The tree of parts: read from the fields, changed by commands, turned into a rule."""

from __future__ import annotations

import re
from collections.abc import Iterator

from django.http import QueryDict
from django.utils.translation import gettext as _

from common.criteria import criteria
from common.errors import Refused
from selections.rules import MAX_DEPTH, MAX_NODES, Group, Node, Op, Path
from workbench.forms.builder.parts import ROOT, Part, condition_of, copy_of, form_of, part_of, sent_part

_MARK = re.compile(r"^(r(?:-\d{1,3}){0,12})__(op|criterion)$")


class Builder:
    """A rule under construction."""

    def __init__(self, root: Part) -> None:
        self.root = root
        self.focus = self.verb = ""
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
        root = parts.get(ROOT)
        return cls(root if root is not None and root.is_group else Part(op=Op.ALL))

    def parts(self) -> Iterator[Part]:
        """Yield all parts, parents first."""
        return self.root.walk()

    def is_valid(self) -> bool:
        """Check every criterion's form; what is wrong stands in the forms."""
        for part in self.parts():
            if part.criterion is not None and not self.is_checked:
                part.condition = condition_of(part)
        self.is_checked = True
        return not self.unfinished

    def forgive_untouched(self) -> None:
        """Take the complaints away from forms in which nothing was filled in yet."""
        for part in self.unfinished:
            if part.criterion is not None and part.is_untouched:
                part.form = part.criterion.form(initial=part.initial, prefix=part.path)

    @property
    def unfinished(self) -> list[Part]:
        """Criteria that do not say enough yet; ``to_rule`` leaves them out."""
        return [part for part in self.parts() if not part.is_group and part.condition is None]

    def to_rule(self) -> Group:
        """Return the rule of everything that is filled in, noting where each part went (``rule_path``)."""
        rule = _node(self.root, ())
        return rule if isinstance(rule, Group) else Group(op=Op.ALL)

    def at(self, rule_path: Path) -> Part | None:
        """Return the part that became this node of the rule."""
        return next((part for part in self.parts() if part.rule_path == rule_path), None)

    def do(self, command: str) -> None:
        """Carry out ``verb:path`` or ``verb:path:argument``; unknown ones change nothing. Refused beyond the
        limits.
        """
        verb, _colon, rest = command.partition(":")
        path, _colon, argument = rest.partition(":")
        part = next((part for part in self.parts() if part.path == path), None)
        act = getattr(self, f"_do_{verb}", None) if verb.isalpha() else None
        if part is None or act is None:
            return
        touched = act(part, argument)
        self._number()
        if sum(1 for _part in self.parts()) > MAX_NODES:
            raise Refused("too_many", _("A rule has at most %(n)d parts.") % {"n": MAX_NODES})
        if any(part.is_group and part.depth > MAX_DEPTH for part in self.parts()):
            raise Refused("too_deep", _("Groups go at most %(n)d deep.") % {"n": MAX_DEPTH})
        if touched is not None:
            self.focus, self.verb = touched.path, verb

    def _do_add(self, group: Part, code: str) -> Part | None:
        criterion = criteria.get(code)
        if criterion is None or not group.is_group:
            return None
        group.children.append(Part(criterion=criterion))
        return group.children[-1]

    def _do_group(self, group: Part, op: str) -> Part | None:
        if not group.is_group:
            return None
        other = Op.ANY if group.op == Op.ALL else Op.ALL
        group.children.append(Part(op=op if op in Op.values else other))
        return group.children[-1]

    def _do_remove(self, part: Part, _argument: str) -> Part | None:
        siblings, index = self._place(part)
        if index is None:
            return None
        parent = self._parent(part)
        del siblings[index]
        return parent

    def _do_up(self, part: Part, _argument: str) -> Part:
        return self._shift(part, -1)

    def _do_down(self, part: Part, _argument: str) -> Part:
        return self._shift(part, 1)

    def _do_duplicate(self, part: Part, _argument: str) -> Part | None:
        siblings, index = self._place(part)
        if index is None:
            return None
        siblings.insert(index + 1, copy_of(part))
        return siblings[index + 1]

    def _do_wrap(self, part: Part, op: str) -> Part | None:
        siblings, index = self._place(part)
        if index is None:
            return None
        parent = self._parent(part)
        other = Op.ANY if parent is not None and parent.op == Op.ALL else Op.ALL
        siblings[index] = Part(op=op if op in Op.values else other, children=[part])
        return siblings[index]

    def _do_unwrap(self, group: Part, _argument: str) -> Part | None:
        siblings, index = self._place(group)
        if index is None or not group.is_group:
            return None
        siblings[index : index + 1] = group.children
        return group.children[0] if group.children else self._parent(group)

    def _shift(self, part: Part, step: int) -> Part:
        """Move a part one line; a criterion enters the group it meets, and both leave a group past its edge."""
        siblings, index = self._place(part)
        parent = self._parent(part)
        if index is None or parent is None:
            return part
        if 0 <= index + step < len(siblings):
            other = siblings.pop(index + step)
            index = siblings.index(part)
            if other.is_group and not part.is_group:
                siblings[index] = other
                other.children.insert(0 if step > 0 else len(other.children), part)
            else:
                siblings.insert(index + (step < 0), other)
            return part
        outer, parent_index = self._place(parent)
        if parent_index is not None:
            del siblings[index]
            outer.insert(parent_index + (step > 0), part)
        return part

    def _place(self, part: Part) -> tuple[list[Part], int | None]:
        parent = self._parent(part)
        return (parent.children, parent.children.index(part)) if parent is not None else ([], None)

    def _parent(self, part: Part) -> Part | None:
        return next((other for other in self.parts() if part in other.children), None)

    def _number(self) -> None:
        """Give every part its path, and every criterion a form with the fields named after it."""
        self.root.path, self.is_checked = ROOT, False
        for part in self.parts():
            for index, child in enumerate(part.children):
                child.path, child.parent_op = f"{part.path}-{index}", part.op
            if part.criterion is not None:
                part.form = form_of(part)


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
    return Group(op=Op(part.op), children=tuple(children))


def _indexes(path: str) -> list[int]:
    return [int(index) for index in path.split("-")[1:]]
