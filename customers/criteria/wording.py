"""What the criteria share in words and choices: enumerations, ranges, and lists that are read when a form is
shown.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import connection
from django.utils.translation import gettext as _

from common.errors import Refused
from common.remembering import remembered
from customers.facts import fact_kinds
from customers.models import Branch, World

Choices = list[tuple[str, Any]]


def one_of(words: Iterable[object]) -> str:
    """Return "a", "a or b", "a, b or c"."""
    texts = [str(word) for word in words]
    if len(texts) < 2:
        return "".join(texts)
    return _("%(words)s or %(last)s") % {"words": ", ".join(texts[:-1]), "last": texts[-1]}


def between(at_least: int | None, at_most: int | None) -> str:
    """Return "at least 3", "at most 5", "3 to 5" or "exactly 3"; empty text when there is no bound."""
    if at_least is not None and at_most is not None:
        if at_least == at_most:
            return _("exactly %(number)s") % {"number": at_least}
        return _("%(low)s to %(high)s") % {"low": at_least, "high": at_most}
    if at_least is not None:
        return _("at least %(number)s") % {"number": at_least}
    return _("at most %(number)s") % {"number": at_most} if at_most is not None else ""


@remembered
def branch_choices() -> Choices:
    """Return the branches by code."""
    return list(Branch.objects.values_list("code", "name"))


@remembered
def world_choices() -> Choices:
    """Return the worlds by code, after an empty choice."""
    return [("", _("any world")), *World.objects.values_list("code", "name")]


def kind_choices() -> Choices:
    """Return the kinds of facts that are registered."""
    return [(kind.code, kind.name) for kind in fact_kinds]


@remembered
def subscription_types() -> Choices:
    """Return the types of subscription in use, by hopping over the index: a few look-ups among a million
    rows.
    """
    statement = """
        WITH RECURSIVE hop AS (
            (SELECT type FROM customers_subscription ORDER BY type LIMIT 1)
            UNION ALL
            SELECT (SELECT type FROM customers_subscription WHERE type > hop.type ORDER BY type LIMIT 1)
            FROM hop WHERE hop.type IS NOT NULL
        )
        SELECT hop.type, (SELECT name FROM customers_subscription WHERE type = hop.type LIMIT 1)
        FROM hop WHERE hop.type IS NOT NULL
    """
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return [(code, name or code) for code, name in cursor.fetchall()]  # a file need not name them


def named(codes: Sequence[str], choices: Choices) -> list[str]:
    """Return the names that belong to codes; a code that is gone stands for itself."""
    names = dict(choices)
    return [str(names.get(code, code)) for code in codes]


def require_known(codes: Iterable[str], known: Iterable[str], *, field: str) -> None:
    """Refuse codes that are not there (any more)."""
    missing = sorted(set(codes) - set(known) - {""})
    if missing:
        raise Refused("unknown_choice", _("This does not exist (any more): %s.") % ", ".join(missing), field=field)
