"""What the server keeps of a rule while somebody builds it: earlier states, to undo and redo, and the last counts, to
tell what changed. Kept in the cache for a working day; without it the builder works, but there is nothing to undo.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import re
from dataclasses import dataclass, field
from typing import Any, cast

from django.core.cache import cache
from django.http import QueryDict
from django.utils.crypto import get_random_string

from selections.figures import Measure

HOURS = 12
MOST_STATES = 50
_OF_RULE = re.compile(r"^r(-\d{1,3})*(__|-)")
_TOKEN = re.compile(r"^[A-Za-z0-9]{22}$")

State = dict[str, list[str]]


@dataclass
class Counted:
    """One count: when, of which rule and day, its total, and per key of a part how many its group leaves there."""

    at: dt.datetime
    digest: str
    total: int
    parts: dict[str, int]
    measure: Measure


@dataclass
class Draft:
    """The states of one page of one user, which of them is shown, and the last two counts of different rules; ``turn``
    is the number of the latest request, which scripts count.
    """

    key: str
    states: list[State] = field(default_factory=list)
    at: int = -1
    now: Counted | None = None
    was: Counted | None = None
    turn: int = 0

    @classmethod
    def load(cls, user_pk: int, token: str) -> Draft:
        """Return what is kept under a token of the page; a new draft when there is nothing, or no token."""
        if not _TOKEN.match(token):
            return cls(key="")
        key = f"builder:{user_pk}:{token}"
        return cast("Draft | None", cache.get(key)) or cls(key=key)

    @property
    def token(self) -> str:
        """The token of the page; empty when there was none."""
        return self.key.rpartition(":")[2]

    def save(self) -> None:
        """Keep it."""
        if self.key:
            cache.set(self.key, self, HOURS * 3600)

    def save_counts(self) -> None:
        """Keep it after counting, unless the rule was changed while that lasted: then the counts are of no use."""
        latest = cache.get(self.key) if self.key else None
        if latest is None or (latest.at, latest.states) == (self.at, self.states):
            self.save()

    @property
    def can_undo(self) -> bool:
        return self.at > 0

    @property
    def can_redo(self) -> bool:
        return self.at + 1 < len(self.states)

    def takes(self, data: QueryDict) -> bool:
        """Tell whether a request is not older than the latest one: a count that was long under way is no change."""
        given = data.get("turn", "")
        turn = int(given) if given.isdecimal() and len(given) < 16 else self.turn
        is_next = turn >= self.turn
        self.turn = max(turn, self.turn)
        return is_next

    def record(self, data: QueryDict) -> bool:
        """Remember what was sent as the present state, unless it is that already; what was undone is then gone.

        Tells whether it was another state.
        """
        state = _state_of(data)
        if self.states and self.states[self.at] == state:
            return False
        self.states = [*self.states[: self.at + 1], state][-MOST_STATES:]
        self.at = len(self.states) - 1
        return True

    def step(self, by: int) -> QueryDict | None:
        """Go a state back or on, and return its fields; None at the end."""
        if not 0 <= self.at + by < len(self.states):
            return None
        self.at += by
        data = QueryDict(mutable=True)
        for name, values in self.states[self.at].items():
            data.setlist(name, values)
        return data

    def count(self, counted: Counted) -> None:
        """Keep a count; that of the rule before it stays beside it, to tell the change."""
        if self.now is not None and self.now.digest != counted.digest:
            self.was = self.now
        self.now = counted


def new_token() -> str:
    """Return a token for a new page."""
    return get_random_string(22)


def digest_of(rule: dict[str, Any], day: str) -> str:
    """Return what tells one question from another: the rule and the day it is asked for."""
    return hashlib.sha256(json.dumps([rule, day], sort_keys=True).encode()).hexdigest()[:32]


def _state_of(data: QueryDict) -> State:
    """Return the fields of the rule; empty ones are as good as absent."""
    return {name: values for name in sorted(data) if _OF_RULE.match(name) and any(values := data.getlist(name))}
