"""What a source can say of a person: the fields, and how their text becomes a value of the customer.

A field is decided by rank: of the records that say something, the source with the lowest rank wins (``FieldRank``, else
``Source.rank``), and among equals what was said last. An empty text counts only from people: a system that lacks a
phone number does not take away the one that another knows, but staff who remove it do.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

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
