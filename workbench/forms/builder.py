"""The state of the selection builder: a tree of parts that travels in the form as flat fields indexed by
path.

The root is ``r``, its second part ``r-1``, the first part of that ``r-1-0``. A group has a field ``r-1__op``,
a criterion has ``r-0__criterion`` and the fields of its own form with the prefix ``r-0``. The server reads
the tree out of the fields, changes it, and renders it again; nothing is kept in between.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.datastructures import MultiValueDict
from django.utils.translation import gettext as _
from pydantic import ValidationError

from common.criteria import Criterion, criteria
from common.errors import Refused
from selections.figures import Tally
from selections.rules import MAX_DEPTH, MAX_NODES, Condition, Group, Node, Op, Path

ROOT = "r"
_MARK = re.compile(r"^(r(?:-\d{1,3}){0,12})__(op|criterion)$")


@dataclass(eq=False)
class Part:
    """A group (``op`` and children) or a criterion (``raw``: its fields as sent, or ``initial`` for a new
    form).
    """

    op: str = ""
    criterion: Criterion | None = None
    raw: dict[str, list[str]] | None = None
    initial: dict[str, Any] | None = None
    children: list[Part] = field(default_factory=list)
    path: str = ROOT
    parent_op: str = ""
    form: forms.Form | None = None
    condition: Condition | None = None
    rule_path: Path | None = None
    tally: Tally | None = None

    @property
    def is_group(self) -> bool:
        return self.criterion is None

    @property
    def is_untouched(self) -> bool:
        """Whether nothing was filled in yet, so that complaining about it would be early."""
        return self.form is not None and not self.form.has_changed()

    @property
    def has_one_field(self) -> bool:
        """Whether the title of the criterion says all that the label of its field would."""
        return self.form is not None and len(self.form.fields) == 1

    @property
    def depth(self) -> int:
        return self.path.count("-") + 1

    def walk(self) -> Iterator[Part]:
        """Yield this part and all below it, parents first."""
        yield self
        for child in self.children:
            yield from child.walk()


@dataclass(frozen=True)
class Choice:
    """A line of the menu from which a criterion is added."""

    code: str
    label: str


def menu() -> list[tuple[str, list[Choice]]]:
    """Return all criteria by group, in the order in which they were declared."""
    groups: dict[str, list[Choice]] = {}
    for criterion in criteria:
        groups.setdefault(str(criterion.group), []).append(Choice(criterion.code, str(criterion.label)))
    return list(groups.items())


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
        builder = cls(_part_of(rule))
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
            part = _sent_part(data, path, marks[path])
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
                part.condition = _condition(part)
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
        siblings.insert(index + 1, _copy(part))
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
        """Move a part one line; a criterion enters the group it meets, and both leave a group past its edge.
        """
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
                part.form = _form(part)


def _part_of(node: Node) -> Part:
    if isinstance(node, Group):
        return Part(op=node.op, children=[_part_of(child) for child in node.children])
    criterion = criteria[node.criterion]
    return Part(criterion=criterion, initial=criterion.initial(node.params), condition=node)


def _sent_part(data: QueryDict, path: str, mark: str) -> Part | None:
    """Return the part of which the fields start with ``path``."""
    if mark == "op":
        op = data.get(f"{path}__op", "")
        return Part(op=op if op in Op.values else Op.ALL)
    criterion = criteria.get(data.get(f"{path}__criterion", ""))
    if criterion is None:
        return None
    start = f"{path}-"
    mine = {name.removeprefix(start): data.getlist(name) for name in data if name.startswith(start)}
    return Part(criterion=criterion, raw={name: values for name, values in mine.items() if name[:1].isalpha()})


def _form(part: Part) -> forms.Form:
    assert part.criterion is not None  # noqa: S101 - for the type checker
    if part.raw is None:
        return part.criterion.form(initial=part.initial, prefix=part.path)
    data: MultiValueDict[str, str] = MultiValueDict(
        {f"{part.path}-{name}": values for name, values in part.raw.items()}
    )
    return part.criterion.form(data, prefix=part.path)


def _condition(part: Part) -> Condition | None:
    """Return the condition a criterion's form makes; None when it does not say enough, with the reason in the
    form.
    """
    form, criterion = part.form, part.criterion
    if form is None or criterion is None:
        return None
    if not form.is_bound:
        return part.condition if part.initial is not None else _fresh(criterion)
    if not form.is_valid():
        return None
    try:
        return Condition(criterion=criterion.code, params=criterion.read(form.cleaned_data))
    except ValidationError as error:
        for problem in error.errors(include_url=False):
            name = str(problem["loc"][0]) if problem["loc"] else ""
            form.add_error(name if name in form.fields else None, _words_of(problem))
        return None


def _fresh(criterion: Criterion) -> Condition | None:
    """Return the condition of a form nobody touched: the defaults it shows may say enough already."""
    shown = criterion.form()
    defaults = {name: shown.get_initial_for_field(field, name) for name, field in shown.fields.items()}
    form = criterion.form({name: value for name, value in defaults.items() if value is not None})
    if not form.is_valid():
        return None
    try:
        return Condition(criterion=criterion.code, params=criterion.read(form.cleaned_data))
    except ValidationError:
        return None


def _words_of(problem: Mapping[str, Any]) -> str:
    """Return pydantic's message, without its prefix where the words are our own."""
    cause = problem.get("ctx", {}).get("error")
    return str(cause or problem["msg"])


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


def _copy(part: Part) -> Part:
    return Part(
        op=part.op,
        criterion=part.criterion,
        raw=dict(part.raw) if part.raw is not None else None,
        initial=part.initial,
        children=[_copy(child) for child in part.children],
    )


def _indexes(path: str) -> list[int]:
    return [int(index) for index in path.split("-")[1:]]
