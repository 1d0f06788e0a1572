"""What persons leave behind in rules: a number, address or card that somebody asked for by name."""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import partial

from django.utils.translation import gettext_lazy as _

from common.sql import execute
from common.traces import Persons, Trace, traces

SHORTEST = 5  # a text that is shorter may as well be a code, of something else
GONE = "…"


def forget_in_rules(persons: Persons, *, places: Collection[tuple[str, str]]) -> int:
    """Replace in columns of JSON (table, column) each text that is all of what only these persons are known by; return
    in how many rows. Such a question finds nobody, as it would without them; others whom it names stay.
    """
    known = _pattern(persons)
    if not known:
        return 0
    return sum(
        execute(
            f"UPDATE {table} SET {column} = regexp_replace({column}::text, %(known)s, %(gone)s, 'gi')::jsonb"  # noqa: S608
            f" WHERE {column}::text ~* %(known)s",
            {"known": f'"({known})"', "gone": f'"{GONE}"'},
        )
        for table, column in places
    )


def _forget_in_sentences(persons: Persons) -> int:
    """Replace them in what result sets say of their rule."""
    known = _pattern(persons)
    if not known:
        return 0
    return execute(
        "UPDATE selections_resultset SET sentence = regexp_replace(sentence, %(known)s, %(gone)s, 'gi')"
        " WHERE sentence ~* %(known)s",
        {"known": rf"(?<!\w)({known})(?!\w)", "gone": GONE},
    )


def _pattern(persons: Persons) -> str:
    return "|".join(re.escape(text) for text in persons.texts if len(text) >= SHORTEST)


traces.register(
    Trace(
        "rules",
        _("Rules of selections that ask for this person"),
        partial(
            forget_in_rules,
            places=[
                ("selections_selection", "rule"),
                ("selections_selectionevent", "rule"),
                ("selections_resultset", "rule"),
            ],
        ),
    )
)
traces.register(Trace("sentences", _("Result sets whose rule asks for this person"), _forget_in_sentences))
