"""From a count of data quality to the rule of a selection that finds those customers."""

from __future__ import annotations

from typing import Any

from customers.quality import Issue
from selections.rules import VERSION


def rule_of(issue: Issue, *, branch: str | None = None, source: str = "") -> dict[str, Any]:
    """Return the rule, as JSON, of who has an issue: of all, of a branch by its code (empty: of none), or of a source.

    Where the criterion itself tells sources apart, the rule asks for those of that source.
    """
    is_apart = bool(source) and issue.by_source
    params = issue.params_for(source) if is_apart else dict(issue.params)
    children: list[dict[str, Any]] = [{"criterion": issue.criterion, "params": params}]
    if source and not is_apart:
        children.append({"criterion": "customer.source", "params": {"sources": [source]}})
    if branch == "":
        children.append({"criterion": "customer.no_branch", "params": {}})
    elif branch:
        children.append({"criterion": "customer.branch", "params": {"branches": [branch]}})
    return {"version": VERSION, "op": "all", "children": children}
