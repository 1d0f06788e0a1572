"""How long what is kept: each app declares its rules in its module ``retention`` (autodiscovered).

The night walks the rules that are switched on; staff choose periods and switches on a page. A rule counts first, so
that the page can tell what tonight would bring.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from common.registry import Registry

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

DAYS, MONTHS = "days", "months"


@dataclass(frozen=True)
class RetentionRule:
    """One rule. ``unit`` is "days", "months", or empty for what has its periods elsewhere (``elsewhere`` says where).

    ``count(before, now)`` tells how many there are from before a moment, ``apply(before, now)`` removes them and
    returns how many went; it commits by itself, in pieces, and is safe to break off and repeat. ``is_on`` and
    ``period`` hold until somebody chooses; ``most`` is the longest period that can be chosen. A rule with ``is_fixed``
    cannot be switched off or changed.
    """

    code: str
    name: str | _StrPromise
    about: str | _StrPromise
    count: Callable[[dt.datetime, dt.datetime], int]
    apply: Callable[[dt.datetime, dt.datetime], int]
    unit: str = MONTHS
    period: int = 0
    most: int = 120
    is_on: bool = True
    is_fixed: bool = False
    elsewhere: str | _StrPromise = ""


@dataclass(frozen=True)
class Tie:
    """What keeps a customer from being erased by age: ``sql`` is a condition over the row ``customer``, ``%(now)s`` and
    ``%(today)s``."""

    code: str
    name: str | _StrPromise
    sql: str


retention_rules: Registry[RetentionRule] = Registry("retention rule")
ties: Registry[Tie] = Registry("tie")
