"""What a feed tells about its files: how their columns and words are called, and which values all rows share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from customers.models import Feed


@dataclass(frozen=True)
class Delivery:
    """How files of one feed differ from the format itself. ``columns``: column of the format -> header, in lower case.

    ``shown`` has those headers as people wrote them; ``constants`` and ``words`` are as in ``reading.Dialect``.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    shown: Mapping[str, str] = field(default_factory=dict)
    constants: Mapping[str, str] = field(default_factory=dict)
    words: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    delimiter: str = ""
    encoding: str = ""

    @property
    def is_mapped(self) -> bool:
        """Whether the columns have names of their own."""
        return bool(self.columns or self.constants)

    def header_of(self, name: str) -> str:
        """Return what a column of the format is called in the file, or what cannot be the name of any."""
        return self.columns.get(name, "\0") if self.is_mapped else name


PLAIN = Delivery()


def delivery_of(feed: Feed | None) -> Delivery:
    """Return how to read the files of a feed; without one they have the format's own columns."""
    if feed is None:
        return PLAIN
    columns = {name: str(cell["column"]).strip() for name, cell in feed.mapping.items() if cell.get("column")}
    constants = {
        name: str(cell["constant"]).strip()
        for name, cell in feed.mapping.items()
        if cell.get("constant") not in (None, "")
    }
    words = {
        name: {str(word).strip().lower(): str(ours) for word, ours in cell["values"].items()}
        for name, cell in feed.mapping.items()
        if cell.get("values") and name in columns
    }
    return Delivery(
        {name: column.lower() for name, column in columns.items()},
        columns,
        {name: value for name, value in constants.items() if name not in columns},
        words,
        feed.delimiter,
        feed.encoding,
    )
