"""Where a person leaves traces outside the tables of ``common.personal``: files, words inside JSON, rows without a key.

An app registers them in its module ``traces`` (autodiscovered); erasing a person walks all of them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

from common.registry import Registry

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise


@dataclass(frozen=True)
class Persons:
    """Who is being erased: ids (of those merged into them too) and what only they are known by, in normal form.

    ``by_age``: the night does it, because a period is over; what has a short period of its own may then wait for that.
    ``former`` are e-mail addresses that they had before and nobody else has; they are looked for and not remembered.
    ``texts`` are all of these and the numbers of cards together, to look for inside other texts.
    """

    ids: tuple[int, ...]
    numbers: tuple[str, ...]
    emails: tuple[str, ...]
    phones: tuple[str, ...]
    now: dt.datetime
    by_age: bool = False
    former: tuple[str, ...] = ()
    cards: tuple[str, ...] = ()

    @property
    def addresses(self) -> tuple[str, ...]:
        """The e-mail addresses of now and before."""
        return (*self.emails, *self.former)

    @property
    def texts(self) -> tuple[str, ...]:
        """All that tells who it is by itself."""
        return (*self.numbers, *self.addresses, *self.phones, *self.cards)


@dataclass(frozen=True)
class Trace:
    """A place. ``remove`` takes their traces away and returns how many; it runs before the tables, in one transaction.

    ``files`` returns the (storage name) files that must go once all else has. ``blocked`` returns which of these
    customers cannot be erased now; ``remedy`` says why and what to do. With ``waits`` it stands in the way of who asks
    and not of the night, since what is there has a period of its own.
    """

    code: str
    name: str | _StrPromise
    remove: Callable[[Persons], int]
    files: Callable[[Persons], Collection[str]] | None = None
    blocked: Callable[[Collection[int], dt.datetime], Collection[int]] | None = None
    remedy: str | _StrPromise = ""
    waits: bool = False


traces: Registry[Trace] = Registry("trace")
