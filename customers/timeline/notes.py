"""Notes and contacts as moments."""

from __future__ import annotations

from typing import Any

from django.db.models import F, QuerySet
from django.utils.text import Truncator
from django.utils.translation import gettext_lazy

from customers.models import Note
from customers.timeline.base import About, Moment, QueryPart, parts
from customers.timeline.words import joined

ICONS = {
    "note": "notebook-pen",
    "call": "phone",
    "mail": "mail",
    "visit": "footprints",
    "complaint": "message-square-warning",
}
SHOWN = 200  # characters of the text


class Notes(QueryPart):
    """What staff wrote down of a call, a visit, a complaint."""

    code = kind = "note"
    name = gettext_lazy("Notes and contacts")
    place = 70

    def rows(self) -> QuerySet[Any]:
        return Note.objects.filter(customer=self.customer).annotate(at=F("happened_at"))

    def by_source(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        return rows.filter(source__code=self.wish.source) if self.wish.source else rows

    def is_wanted(self) -> bool:
        return self.is_of_kind() and not self.wish.world

    def moments(self, ids: list[int]) -> dict[int, Moment]:
        return {
            note.pk: Moment(
                note.happened_at,
                ICONS[note.kind],
                note.get_kind_display(),
                joined([Truncator(note.text).chars(SHOWN), note.author]),
                "warning" if note.kind == Note.Kind.COMPLAINT else "accent",
                About("note", note.pk),
            )
            for note in Note.objects.filter(pk__in=ids)
        }


parts.register(Notes)
