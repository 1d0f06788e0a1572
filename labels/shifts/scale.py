"""A group of labels as a scale: its labels in order, by the place each has; which way a move goes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from labels.models import Label, LabelGroup

NONE = 0  # the place of who has no label of the group
NEW = -1  # the place of who was no customer yet: never where a move ends

# What stands for those two where labels go by their code; no code of a label has a tilde.
CODES = {NONE: "~none", NEW: "~new"}

FIRST = "lifecycle"  # the group that is offered first

Direction = Literal["up", "down", "aside", "in", "out", "same"]


@dataclass(frozen=True)
class Scale:
    """An exclusive group; ``labels`` from low to high. A label's place is its number in that order, from 1 on.

    Who has two of its labels at an instant (history of customers that were merged, or from before the group was
    exclusive) is taken to be at the highest of them.
    """

    group: LabelGroup
    labels: Sequence[Label]

    @classmethod
    def of(cls, group: LabelGroup) -> Scale:
        """Return the scale of a group; one query."""
        return cls(group, sorted(group.labels.all(), key=lambda one: (one.rank, one.code)))

    @cached_property
    def ids(self) -> list[int]:
        """The ids of the labels in order."""
        return [label.pk for label in self.labels]

    @cached_property
    def places(self) -> dict[str, int]:
        """Code of a label -> its place."""
        return {label.code: place for place, label in enumerate(self.labels, start=1)}

    def code(self, place: int) -> str:
        """Return the code of a place: that of its label, or one of ``CODES``."""
        label = self.label(place)
        return label.code if label else CODES.get(place, CODES[NONE])

    def place(self, code: str) -> int | None:
        """Return the place with a code; None when there is none."""
        return self.places.get(code, next((place for place, known in CODES.items() if known == code), None))

    def label(self, place: int) -> Label | None:
        """Return the label at a place; None for who has none."""
        return self.labels[place - 1] if 0 < place <= len(self.labels) else None

    def direction(self, was: int, became: int) -> Direction:
        """Return which way a move goes, by the places that were set; labels with one place lie beside each other."""
        if was == became:
            return "same"
        before, after = self.label(was), self.label(became)
        if before is None:
            return "in" if after else "same"
        if after is None:
            return "out"
        return "aside" if before.rank == after.rank else "up" if before.rank < after.rank else "down"


def scales() -> list[LabelGroup]:
    """Return the groups that can be a scale, those in use: the life cycle first, the others by name."""
    found = LabelGroup.objects.filter(is_exclusive=True, is_active=True, labels__isnull=False).distinct()
    return sorted(found, key=lambda group: (group.code != FIRST, str(group).casefold(), group.pk))
