"""What is left of a stored rule of which a part can no longer be read, as when a kind of activity was taken away."""

from __future__ import annotations

import copy
import re
from typing import Any

from selections.rules import EVERYBODY, MAX_NODES, MAX_PICKS, Group, RuleRefused, parse_rule

_STEPS = re.compile(r"/children/(\d+)")
_PICK = re.compile(r"/picks/(\d+)")


def readable(stored: object) -> tuple[Group, list[str]]:
    """Return the rule without the parts that cannot be read, and of each of those why not; everybody when nothing is
    left of it. It may mean others than the whole rule did, so it is for people to look at and never to be counted on.
    """
    left, problems = copy.deepcopy(stored), list[str]()
    for _attempt in range(MAX_NODES * (MAX_PICKS + 1)):
        try:
            return parse_rule(left), problems
        except RuleRefused as refused:
            problems.append(refused.problem)
            if not _take_out(left, refused.field or ""):
                break
    return EVERYBODY, problems


def _take_out(rule: Any, pointer: str) -> bool:
    """Take the part out that a pointer leads to or into; False when that is the rule itself."""
    pointer = pointer.partition("/params")[0]  # what is in there is no part
    steps, pick = [int(step) for step in _STEPS.findall(pointer)], _PICK.search(pointer)
    try:
        for step in steps if pick else steps[:-1]:
            rule = rule["children"][step]
        if pick:
            del rule["picks"][int(pick[1])]
        elif steps:
            del rule["children"][steps[-1]]
    except (KeyError, IndexError, TypeError):
        return False
    return bool(pick or steps)
