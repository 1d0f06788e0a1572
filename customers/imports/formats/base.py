"""What a format is: its columns, what makes a cell wrong, and who writes its rows.

A check's ``bad`` is SQL over the staged row ``r``, true for a wrong row. Reading functions (``customers_read_date`` and
others, see the migrations) give NULL for what they cannot read. Header names are Dutch, as exports of Dutch library
systems have them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext_lazy as _

from common.registry import Registry

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

# Takes the columns that the file has and the values of the run; returns how many rows were new, changed, unchanged.
Writer = Callable[[frozenset[str], Mapping[str, Any]], tuple[int, int, int]]
# Takes the values of the run; returns how many rows it removed, restored, and left as they are (reason -> how many).
Undoer = Callable[[Mapping[str, Any]], tuple[int, int, dict[str, int]]]


@dataclass(frozen=True)
class Check:
    """A rule: ``code`` of ``remedies``, ``bad`` the SQL condition; ``column`` whose value is shown."""

    code: str
    bad: str
    column: str = ""


@dataclass(frozen=True)
class Column:
    """One column. ``required``: the header must have it; ``filled``: a row must have something in it.

    ``joins`` makes what its checks refer to known to them.
    """

    name: str
    explanation: str | _StrPromise
    example: str = ""
    required: bool = False
    filled: bool = False
    longest: int = 0
    checks: Sequence[Check] = ()
    joins: str = ""

    def all_checks(self) -> list[Check]:
        """Return what is asked of a cell, in the order in which it is told."""
        checks = [Check("empty", f"r.{self.name} = ''")] if self.filled else []
        if self.longest:
            checks.append(Check("too_long", f"length(r.{self.name}) > {self.longest}"))
        checks += self.checks
        return [Check(check.code, check.bad, check.column or self.name) for check in checks]


@dataclass(frozen=True, kw_only=True)
class Format:
    """One kind of file. ``joins`` makes references known to the checks; ``unique`` is the column that may not repeat.

    ``persons`` are the columns that refer to customers; ``write`` and ``undo`` do the work. ``prepare`` adds problems
    that need more than a look at the row, in a statement of its own.
    """

    code: str
    name: str | _StrPromise
    columns: Sequence[Column]
    joins: str = ""
    checks: Sequence[Check] = ()
    unique: str = ""
    notes: Sequence[str | _StrPromise] = field(default=())
    persons: Sequence[str] = ()
    prepare: Callable[[frozenset[str], Mapping[str, Any]], None] | None = None
    write: Writer
    undo: Undoer

    @cached_property
    def names(self) -> list[str]:
        """The names of all columns."""
        return [column.name for column in self.columns]

    def checks_of(self, present: Collection[str]) -> list[Check]:
        """Return everything that is asked of a row of a file that has these columns."""
        asked = [check for column in self.columns if column.name in present for check in column.all_checks()]
        return asked + list(self.checks)

    def joins_of(self, present: Collection[str]) -> str:
        """Return what stands behind ``import_row AS r`` so that those checks can be asked."""
        return " ".join([*(column.joins for column in self.columns if column.name in present), self.joins])

    @property
    def header(self) -> str:
        """The header row as a file has it."""
        return ";".join(self.names)

    @property
    def example(self) -> str:
        """A row that will be accepted, as long as what it refers to exists."""
        return ";".join(column.example for column in self.columns)


#: All formats; apps above register theirs in ``deliveries.py``.
FORMATS: Registry[Format] = Registry("format of a file")


def unreadable(column: str, kind: str, code: str = "") -> Check:
    """Return the check that a cell, when filled, can be read as ``kind`` (``customers_read_…``)."""
    return Check(code or kind, f"r.{column} <> '' AND customers_read_{kind}(r.{column}) IS NULL")


def choice(column: str, choices: Sequence[str], code: str = "choice") -> Check:
    """Return the check that a cell, when filled, is one of these words."""
    words = ", ".join(f"'{word}'" for word in choices)
    return Check(code, f"r.{column} <> '' AND lower(r.{column}) NOT IN ({words})")


CODE = Check("code", "r.code <> '' AND r.code !~ '^[A-Za-z0-9_-]+$'")
# ``import_known`` has whom each number in the file stands for (customers.numbers).
CUSTOMER = Column(
    "klantnummer",
    _("Number of the customer, who must be known."),
    "9000001",
    required=True,
    filled=True,
    longest=40,
    checks=[Check("customer", "r.klantnummer <> '' AND known.customer_id IS NULL")],
    joins="LEFT JOIN import_known AS known ON known.number = r.klantnummer",
)
BRANCH = Column(
    "vestiging",
    _("Code of the branch, which must be known."),
    "VBD",
    checks=[Check("branch", "r.vestiging <> '' AND branch.id IS NULL")],
    joins="LEFT JOIN customers_branch AS branch ON branch.code = r.vestiging",
)
STREET = Column("straat", _("Street."), "Lindenlaan", longest=100)
EMAIL = Column("email", _("E-mail address."), "anja.dewit@example.nl", checks=[unreadable("email", "email")])
POSTAL_CODE = Column("postcode", _("Dutch postal code."), "1441 AB", checks=[unreadable("postcode", "postal_code")])
CITY = Column("plaats", _("Place."), "Purmerend", longest=80)
