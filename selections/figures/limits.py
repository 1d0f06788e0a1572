"""How long a figure may take, what makes it take long, and about how many there are when it takes too long."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Any

from django.db import OperationalError, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from psycopg2.errors import QueryCanceled

from common.criteria import criteria
from common.errors import Refused
from common.sql import execute, rows
from customers.models import Customer
from selections.compiler import compile_rule, parts_of
from selections.figures import stopping
from selections.rules import Condition, Group, Node, Path, pointer_of, walk

PAGE_SECONDS = 5.0  # what a page may wait for a figure
# For each sort and set of a statement: a million customers can be grouped in it, and it is given back at once.
MEMORY_MB = 128
_SETTINGS = """
    SELECT current_setting('statement_timeout') AS statement_timeout,
        current_setting('application_name') AS application_name, current_setting('work_mem') AS work_mem,
        (SELECT setting::int FROM pg_settings WHERE name = 'work_mem') AS kilobytes
"""


@contextmanager
def time_limit(
    seconds: float = PAGE_SECONDS,
    *,
    rule: Group | None = None,
    now: dt.datetime | None = None,
    memory_mb: int = MEMORY_MB,
) -> Iterator[None]:
    """Give up on a statement after so many seconds; raises Refused ``too_heavy``. ``memory_mb`` as ``room``.

    With the rule and its moment it tells which part weighs most: in words, and as ``field``, its JSON pointer.
    Raises Refused ``superseded`` when another request of the page stopped it (``figures.superseding``).
    """
    name, started = stopping.present_name(), monotonic()
    try:
        with _settings(statement_timeout=f"{int(seconds * 1000)}ms", application_name=name, memory_mb=memory_mb):
            yield
            if name:
                stopping.finish(name)
    except OperationalError as error:
        if not isinstance(error.__cause__, QueryCanceled):
            raise
        if name and monotonic() - started < seconds:  # before its time: somebody else stopped it
            raise Refused("superseded", _("This was not counted to the end: the rule was changed.")) from error
        raise _too_heavy(seconds, rule, now) from error


@contextmanager
def room(memory_mb: int = MEMORY_MB) -> Iterator[None]:
    """Give each sort and set of what follows so much memory, at least what the server gives. Without it, who counts
    often waits longer than who writes the same down.
    """
    with _settings(memory_mb=memory_mb):
        yield


@contextmanager
def _settings(*, memory_mb: int, **chosen: str) -> Iterator[None]:
    """Run what follows in a transaction with these settings, and put back those that were; an empty one stays."""
    with transaction.atomic():
        [before] = rows(_SETTINGS)
        chosen = {name: value for name, value in chosen.items() if value}
        if memory_mb * 1024 > before["kilobytes"]:
            chosen["work_mem"] = f"{memory_mb}MB"
        _set(chosen)
        yield
        _set({name: before[name] for name in chosen})


def _too_heavy(seconds: float, rule: Group | None, now: dt.datetime | None) -> Refused:
    message = _("This takes longer than %d seconds. Make it narrower, or save it and count it at night.") % seconds
    found = heaviest(rule, now=now) if rule is not None and now is not None else None
    if rule is None or found is None:
        return Refused("too_heavy", message)
    node = dict(walk(rule))[found]
    which = criteria[node.criterion].label if isinstance(node, Condition) else _("a group that is thinned out")
    message = _("This takes longer than %(seconds)d seconds, most of all because of “%(which)s”.") % {
        "seconds": seconds,
        "which": which,
    }
    return Refused("too_heavy", message, field=pointer_of(found))


def heaviest(rule: Group, *, now: dt.datetime) -> Path | None:
    """Return the part that the planner thinks costs most by itself; nothing is run. None when there are no parts."""
    parts = parts_of(rule, now=now)
    costs = {
        path: _plan(Customer.objects.usable().filter(parts[path].q))["Total Cost"]
        for path, node in walk(rule)
        if _is_asked(node)
    }
    return max(costs, key=lambda path: costs[path], default=None)


def estimate(rule: Group, *, now: dt.datetime) -> int:
    """Return about how many the rule means, as the planner guesses from its statistics; nothing is run."""
    guess = int(_plan(compile_rule(rule, now=now))["Plan Rows"])
    return round(guess, 2 - len(str(guess))) if guess >= 100 else guess


def _is_asked(node: Node) -> bool:
    return isinstance(node, Condition) or bool(node.picks)


def _plan(found: QuerySet[Any]) -> dict[str, Any]:
    """Return the outermost node of the plan."""
    [plan] = json.loads(found.order_by().values("pk").explain(format="json"))
    outermost: dict[str, Any] = plan["Plan"]
    return outermost


def _set(chosen: dict[str, str]) -> None:
    if chosen:
        asked = ", ".join(["set_config(%s, %s, true)"] * len(chosen))
        execute(f"SELECT {asked}", [part for pair in chosen.items() for part in pair])
