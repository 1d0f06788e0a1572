"""Where rows about persons are: each app names its tables in ``personal.py``, once, for merging, access and erasure.

A test holds this list against the foreign keys of all models, so a new table about customers cannot be forgotten.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from common.registry import Registry

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise


@dataclass(frozen=True)
class PersonalTable:
    """A table with rows about a customer.

    ``merge``: "move" gives the rows to the person who is kept, except those that would break ``unique`` (the
    other columns of a unique key) and therefore stay behind with the empty row; "stay" leaves all; "recompute"
    leaves them, and ``customers.actions.merging`` derives them anew. ``where`` narrows the rows that ``unique`` is
    about (a partial index).
    ``follows`` ("enrolment_id > campaigns_enrolment") moves only rows whose parent moved too. ``settle`` is a query
    over the table ``merging`` (merge_id, kept_id, absorbed_id) and ``%(now)s`` that yields ``merge_id, id, stays,
    changes``: what to write (jsonb, columns of ``settles``) in rows of either before moving, because not both rows fit
    one person; ``stays`` leaves the row where it is. Undoing the merge writes the old values back, where nothing else
    was written since; with ``changes`` empty, all ``settles`` in any case.
    ``holds``: "address" for a column with an e-mail address instead of a customer, "parent" for one with the id of a
    row of the table with code ``of``; merging leaves those alone.
    ``erase``: "delete" removes the rows, "forget" sets the customer to NULL and ``scrub`` (column -> SQL expression)
    rewrites what could tell who it was; ``eraser`` is a function in the database that deletes the rows of an array of
    customers and returns how many, for a table in which no web process may delete.
    ``shown``: column -> what it is called in a copy for the customer, ``about``
    why we have it, ``words`` (column -> code -> words) what codes without choices of their own mean, ``latest`` the
    column by which a long list is cut off in print; ``files`` are columns with names of stored files that go with the
    row; ``emails`` are columns with an address they had at that time. ``say`` puts in rows of a copy, in place, what
    people can read where a column alone says too little.
    """

    code: str  # the table's name, with ":column" behind it for a second column to the customer
    name: str | _StrPromise
    column: str = "customer_id"
    key: str = "id"
    merge: Literal["move", "stay", "recompute"] = "move"
    unique: tuple[tuple[str, ...], ...] = ()
    where: str = ""
    follows: str = ""
    settle: str = ""
    settles: tuple[str, ...] = ()
    holds: Literal["customer", "address", "parent"] = "customer"
    of: str = ""
    erase: Literal["delete", "forget"] = "delete"
    scrub: Mapping[str, str] = field(default_factory=dict)
    eraser: str = ""
    shown: Mapping[str, str | _StrPromise] = field(default_factory=dict)
    words: Mapping[str, Mapping[str, str | _StrPromise]] = field(default_factory=dict)
    about: str | _StrPromise = ""
    latest: str = "id"
    files: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()
    say: Callable[[Sequence[dict[str, Any]]], None] | None = None
    order: int = 50  # of erasing: lower first, so that rows go before what they refer to

    @property
    def table(self) -> str:
        """The table's name."""
        return self.code.partition(":")[0]


personal_tables: Registry[PersonalTable] = Registry("personal table")
