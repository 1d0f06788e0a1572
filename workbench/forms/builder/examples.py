"""Rules to start from: typical audiences of libraries and theatres. What a library must choose itself (a branch, a
label) is left open for it to fill in.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from common.criteria import criteria
from selections.rules import Condition, Op
from workbench.forms.builder.parts import Part, initial_of

Node = tuple[str, Any]


@dataclass(frozen=True)
class Example:
    """A rule to start from: nodes are (criterion, params) or (op, nodes); params of None are to be filled in."""

    code: str
    name: Any
    explanation: Any
    nodes: tuple[Node, ...]

    def parts(self) -> list[Part]:
        """Return its parts, new ones each time; a criterion that does not exist (any more) is left out."""
        return _parts(self.nodes)

    @property
    def is_possible(self) -> bool:
        """Whether all its criteria exist."""
        return _count(self.nodes) == sum(1 for part in self.parts() for _part in part.walk())


def _parts(nodes: tuple[Node, ...]) -> list[Part]:
    found = []
    for name, content in nodes:
        if name in Op.values:
            found.append(Part(op=name, children=_parts(content)))
        elif (criterion := criteria.get(name)) is not None:
            initial = initial_of(criterion, criterion.params.model_validate(content)) if content is not None else None
            part = Part(criterion=criterion, initial=initial)
            if content is not None:
                part.condition = _condition(name, content)
            found.append(part)
    return found


def _condition(code: str, params: dict[str, Any]) -> Any:
    return Condition(criterion=code, params=criteria[code].params.model_validate(params))


def _count(nodes: tuple[Node, ...]) -> int:
    return sum(1 + (_count(content) if name in Op.values else 0) for name, content in nodes)


MEMBERS: Node = ("customer.kind", {"kinds": ["member"]})

EXAMPLES = (
    Example(
        "stopped",
        _("Members of a branch who did not borrow for 90 days"),
        _("To win back who is still a member, but does not come any more. Choose the branch yourself."),
        (MEMBERS, ("customer.branch", None), ("facts.none", {"kind": "loan", "within_days": 90})),
    ),
    Example(
        "leaving",
        _("About to leave"),
        _("They were members for a year or more, borrowed before, but nothing for half a year."),
        (
            MEMBERS,
            ("subscriptions.years", {"at_least": 1}),
            ("facts.count", {"kind": "loan", "op": "at_least", "times": 3}),
            ("facts.none", {"kind": "loan", "within_days": 182}),
        ),
    ),
    Example(
        "children",
        _("Children from 4 to 8"),
        _("For reading aloud and activities with a parent; mail about them goes to the parent."),
        (MEMBERS, ("customer.age", {"at_least": 4, "at_most": 8})),
    ),
    Example(
        "parents",
        _("Parents with children up to 8"),
        _("Adults at whose address a child of that age lives."),
        (("customer.age", {"at_least": 18}), ("household.children", {"under": 9, "at_least": 1})),
    ),
    Example(
        "due",
        _("Due again: later than they usually are"),
        _("Who always comes in a rhythm, and is now half as late again as usual."),
        (MEMBERS, ("facts.due", {"kind": "loan", "percent": 150})),
    ),
    Example(
        "once",
        _("Bought theatre tickets once"),
        _("One visit in the past two years: who comes a second time, tends to stay."),
        (("facts.count", {"kind": "ticket", "op": "exactly", "times": 1, "within_days": 730, "per_order": True}),),
    ),
    Example(
        "again",
        _("Theatre visitors who have not been for a year"),
        _("Came at least three times, but not in the past year."),
        (
            ("facts.count", {"kind": "ticket", "op": "at_least", "times": 3}),
            ("facts.none", {"kind": "ticket", "within_days": 365}),
        ),
    ),
    Example(
        "birthday",
        _("Birthday next week"),
        _("Members whose birthday is in the coming seven days."),
        (MEMBERS, ("customer.birthday", {"days_ahead": 1, "until_days_ahead": 7})),
    ),
    Example(
        "newcomers",
        _("New members who have not borrowed yet"),
        _("Registered in the past 60 days, and nothing borrowed so far."),
        (
            MEMBERS,
            ("customer.registered", {"within_days": 60}),
            ("facts.none", {"kind": "loan", "within_days": 60}),
        ),
    ),
    Example(
        "both",
        _("At home in library and theatre"),
        _("Borrowed and bought tickets, both in the past year."),
        (
            ("facts.count", {"kind": "loan", "op": "at_least", "times": 1, "within_days": 365}),
            ("facts.count", {"kind": "ticket", "op": "at_least", "times": 1, "within_days": 365}),
        ),
    ),
    Example(
        "ending",
        _("Subscription ends within a month"),
        _("In time for a message that helps them to stay."),
        (("subscriptions.ends", {"days": 30}),),
    ),
)


def examples() -> list[Example]:
    """Return the examples of which every criterion exists."""
    return [example for example in EXAMPLES if example.is_possible]


def example(code: str) -> Example | None:
    """Return one of them."""
    return next((one for one in examples() if one.code == code), None)
