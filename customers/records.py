"""What a source can say of a person: the fields, how their text becomes a value, and whose word counts.

A field is decided by rank: of the records that say something, the source with the lowest rank wins (``FieldRank``, else
``Source.rank``), and among equals what was said last. An empty text counts only from people: a system that lacks a
phone number does not take away the one that another knows, but staff who remove it do.
``customers.golden`` does the same for many customers by statement.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise


@dataclass(frozen=True)
class Field:
    """One field. ``column`` of customers_customer, empty for a contact point; ``cast`` is SQL over text ``value``."""

    code: str
    name: str | _StrPromise
    column: str = ""
    cast: str = "value"


FIELDS: dict[str, Field] = {
    field.code: field
    for field in (
        Field("kind", _("kind"), "kind"),
        Field("card_number", _("card number"), "card_number"),
        Field("initials", _("initials"), "initials"),
        Field("first_name", _("first name"), "first_name"),
        Field("name_prefix", _("name prefix"), "name_prefix"),
        Field("last_name", _("last name"), "last_name"),
        Field("birth_date", _("birth date"), "birth_date", "nullif(value, '')::date"),
        Field("gender", _("gender"), "gender"),
        Field("street", _("street"), "street"),
        Field("house_number", _("house number"), "house_number"),
        Field("house_number_addition", _("addition"), "house_number_addition"),
        Field("postal_code", _("postal code"), "postal_code"),
        Field("city", _("city"), "city"),
        Field("branch", _("branch"), "branch_id", "(SELECT id FROM customers_branch WHERE code = value)"),
        Field("registered_on", _("registered on"), "registered_on", "nullif(value, '')::date"),
        Field("deceased_on", _("deceased on"), "deceased_on", "nullif(value, '')::date"),
        Field("email", _("e-mail")),
        Field("phone", _("phone")),
    )
}
# An address is one statement: its parts come from the same source, or a street would stand in another's town.
ADDRESS = ("street", "house_number", "house_number_addition", "postal_code", "city")
CONTACTS = ("email", "phone")


class SaysOfPerson(Protocol):
    """A record as far as precedence looks at it: a ``SourceRecord`` with its source."""

    pk: int
    source_id: int
    key: str
    values: dict[str, str]
    changed: dict[str, str]
    created_at: dt.datetime


@dataclass(frozen=True)
class Voice:
    """A source as far as precedence looks at it. ``ranks`` are the exceptions per field; ``prefix`` stands before its
    own numbers.
    """

    rank: int
    by_people: bool
    ranks: Mapping[str, int]
    prefix: str = ""

    def rank_of(self, field: str) -> int:
        """Return the rank for a field; the parts of an address share the lowest that any of them has."""
        if field in ADDRESS:
            return min((self.ranks[part] for part in ADDRESS if part in self.ranks), default=self.rank)
        return self.ranks.get(field, self.rank)


def said_at(record: SaysOfPerson, field: str) -> dt.datetime:
    """Return when this source last said something else about the field; about an address, about any part of it."""
    parts = ADDRESS if field in ADDRESS else (field,)
    moments = [dt.datetime.fromisoformat(record.changed[part]) for part in parts if part in record.changed]
    return max(moments, default=record.created_at)


def in_order(
    records: Iterable[SaysOfPerson], voices: Mapping[int, Voice], field: str, *, number: str
) -> list[SaysOfPerson]:
    """Return the records whose word about ``field`` counts, the one that decides first.

    Of what is believed as much and was said at one moment, the record under the customer's own ``number`` goes before
    those that a merge brought: a first import says everything at one moment. ``voices``: id of a source -> its voice.
    When only systems speak and all of them have nothing, those are returned.
    """
    parts = ADDRESS if field in ADDRESS else (field,)
    speaking = [record for record in records if any(part in record.values for part in parts)]
    counting = [
        record
        for record in speaking
        if any(record.values.get(part) for part in parts) or (voices[record.source_id].by_people and field != "kind")
    ]

    def place(record: SaysOfPerson) -> tuple[int, float, bool, int]:
        voice = voices[record.source_id]
        is_others = voice.prefix + record.key != number
        return voice.rank_of(field), -said_at(record, field).timestamp(), is_others, -record.pk

    return sorted(counting or speaking, key=place)
