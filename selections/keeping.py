"""Keep who are in a selection without letting a page wait: what is many or heavy is left to a worker."""

from __future__ import annotations

import datetime as dt
from typing import Any

from common.errors import Refused
from common.sql import execute
from selections.actions import Rule, keep_rule, keep_selection
from selections.figures import PAGE_SECONDS, estimate, time_limit
from selections.models import ResultSet, Selection
from selections.rules import parse_rule

AT_ONCE = 50_000  # members that a page writes, which takes about a second
SECONDS = PAGE_SECONDS


def keep_at_once_or_later(
    asked: Selection | Rule, *, as_of: dt.datetime | None = None, now: dt.datetime, **told: Any
) -> ResultSet:
    """Keep as ``keep_selection`` and ``keep_rule``, which take what is ``told``; when that would take long the result
    set ``is_waiting``, and who calls lets ``selections.tasks.fill_result_set`` fill it.
    """
    told = {**told, "as_of": as_of, "now": now}
    rule = parse_rule(asked.rule if isinstance(asked, Selection) else asked)
    if estimate(rule, now=as_of or now) <= AT_ONCE:
        try:
            with time_limit(SECONDS):
                kept = _keep(asked, **told)
                execute("SET CONSTRAINTS ALL IMMEDIATE")  # the checks of each row belong to what it takes
                return kept
        except Refused as refused:
            if refused.code != "too_heavy":
                raise
    return _keep(asked, later=True, **told)


def _keep(asked: Selection | Rule, **told: Any) -> ResultSet:
    return keep_selection(asked, **told) if isinstance(asked, Selection) else keep_rule(asked, **told)
