"""The menu from which a criterion is added: by group, each with a line of explanation, what was used lately on top."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from common.criteria import criteria
from selections.rules import Condition, Group, walk
from workbench.forms.builder.explanations import explanation_of

LATELY = 5


@dataclass(frozen=True)
class Choice:
    """A line of the menu."""

    code: str
    label: str
    explanation: str = ""


def menu() -> list[tuple[str, list[Choice]]]:
    """Return all criteria by group, in the order in which they were declared."""
    groups: dict[str, list[Choice]] = {}
    for criterion in criteria:
        groups.setdefault(str(criterion.group), []).append(_choice(criterion.code))
    return list(groups.items())


def used_lately(codes: Iterable[str]) -> list[Choice]:
    """Return the first few of these criteria that still exist."""
    known = [code for code in dict.fromkeys(codes) if code in criteria]
    return [_choice(code) for code in known[:LATELY]]


def codes_in(rule: Group) -> list[str]:
    """Return the criteria of a rule, in its order."""
    return [node.criterion for _path, node in walk(rule) if isinstance(node, Condition)]


def _choice(code: str) -> Choice:
    criterion = criteria[code]
    return Choice(code, str(criterion.label), explanation_of(criterion))
