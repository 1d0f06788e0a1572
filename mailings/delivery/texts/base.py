"""What a provider of text messages gets, and what it says of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from mailings.queue import Outcome


@dataclass(frozen=True)
class Text:
    """One text message: to a number such as +31612345678, from a name or a number."""

    message_id: int
    number: str
    text: str
    sender: str


@dataclass(frozen=True)
class TextOutcome(Outcome):
    """What became of one; ``reference`` is how the provider names it in what it reports later."""

    reference: str = ""


class TextProvider(Protocol):
    """Carries text messages. ``at_once``: how many one call takes, and so how many a crash leaves in doubt at most."""

    name: str
    at_once: int

    def send(self, texts: Sequence[Text]) -> list[TextOutcome]:
        """Hand these over and return an outcome for each, in any order."""
        ...
