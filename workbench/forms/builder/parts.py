"""The parts of a rule under construction: what stands in their fields, the form they show, the condition that makes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.datastructures import MultiValueDict
from pydantic import ValidationError

from common.criteria import Criterion, Params, criteria
from common.faults import words_of
from selections.figures import Tally
from selections.rules import Condition, Group, Node, Op, Path
from workbench.forms.builder.fields import Shown, lighten, shown_fields
from workbench.forms.builder.picks import PickPart, pick_part

ROOT = "r"


@dataclass(eq=False)
class Part:
    """A group (``op``, children and picks) or a criterion (``raw``: its fields as sent, or ``initial`` for a new
    form). ``key`` stays with it wherever it goes.

    What was counted: ``tally``, the ``change`` in it since the last edit ("+300"), or what was left in an ``earlier``
    count; ``is_heavy`` when it takes the time, and ``gap``: why it cannot be answered for the day that is looked at.
    """

    op: str = ""
    criterion: Criterion | None = None
    raw: dict[str, list[str]] | None = None
    initial: dict[str, Any] | None = None
    children: list[Part] = field(default_factory=list)
    picks: list[PickPart] = field(default_factory=list)
    key: str = ""
    path: str = ROOT
    parent_op: str = ""
    form: forms.Form | None = None
    condition: Condition | None = None
    rule_path: Path | None = None
    tally: Tally | None = None
    change: str = ""
    earlier: int | None = None
    is_heavy: bool = False
    gap: str = ""

    @property
    def is_group(self) -> bool:
        return self.criterion is None

    @property
    def is_untouched(self) -> bool:
        """Whether nothing was filled in yet, so that complaining about it would be early."""
        if self.form is None or self.raw is None:
            return self.form is not None
        return not any(name in self.raw for name in self.form.changed_data)

    @property
    def fields(self) -> list[Shown]:
        """The fields of its form as the builder shows them, but for those that only narrow it."""
        return [shown for shown in self._shown if not shown.is_extra]

    @property
    def extra_fields(self) -> list[Shown]:
        """The fields that only narrow it."""
        return [shown for shown in self._shown if shown.is_extra]

    @property
    def is_narrowed(self) -> bool:
        """Whether one of those is filled in, or wrong."""
        return any(shown.has_value or shown.field.errors for shown in self.extra_fields)

    @property
    def _shown(self) -> list[Shown]:
        return shown_fields(self.form) if self.form is not None else []

    @property
    def depth(self) -> int:
        return self.path.count("-") + 1

    def walk(self) -> Iterator[Part]:
        """Yield this part and all below it, parents first."""
        yield self
        for child in self.children:
            yield from child.walk()


def part_of(node: Node) -> Part:
    if isinstance(node, Group):
        return Part(
            op=node.op, children=[part_of(child) for child in node.children], picks=[pick_part(p) for p in node.picks]
        )
    criterion = criteria[node.criterion]
    return Part(criterion=criterion, initial=initial_of(criterion, node.params), condition=node)


def initial_of(criterion: Criterion, params: Params) -> dict[str, Any]:
    """Return what every field shows for these params: nothing, where a new form would begin with something."""
    return dict.fromkeys(criterion.form.base_fields) | criterion.initial(params)


def sent_part(data: QueryDict, path: str, mark: str) -> Part | None:
    """Return the part of which the fields start with ``path``."""
    key = data.get(f"{path}__key", "")[:12]
    if mark == "op":
        op = data.get(f"{path}__op", "")
        return Part(op=op if op in Op.values else Op.ALL, key=key)
    criterion = criteria.get(data.get(f"{path}__criterion", ""))
    if criterion is None:
        return None
    start = f"{path}-"
    mine = {name.removeprefix(start): data.getlist(name) for name in data if name.startswith(start)}
    return Part(criterion=criterion, raw={name: values for name, values in mine.items() if name[:1].isalpha()}, key=key)


def form_of(part: Part) -> forms.Form:
    assert part.criterion is not None  # noqa: S101 - for the type checker
    if part.raw is None:
        form = part.criterion.form(initial=part.initial, prefix=part.path)
    else:
        data: MultiValueDict[str, str] = MultiValueDict(
            {f"{part.path}-{name}": values for name, values in part.raw.items()}
        )
        form = part.criterion.form(data, prefix=part.path)
    return lighten(form)


def condition_of(part: Part) -> Condition | None:
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
            form.add_error(name if name in form.fields else None, words_of(problem))
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


def copy_of(part: Part) -> Part:
    """Return another of the same, without its key."""
    return Part(
        op=part.op,
        criterion=part.criterion,
        raw=dict(part.raw) if part.raw is not None else None,
        initial=part.initial,
        condition=part.condition,
        children=[copy_of(child) for child in part.children],
        picks=[pick.copy() for pick in part.picks],
    )
