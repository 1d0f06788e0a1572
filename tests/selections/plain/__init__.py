"""The audience language once more, as plainly as can be: plain functions over plain rows, read once from the database.

Nothing here uses a criterion, a queryset or the compiler, so that an error there is not repeated here. Each module
answers the criteria of a noun; ``@twin`` ties such a function to its criterion, with a strategy for its settings.
"""

from tests.selections.plain import (
    campaigns,
    consents,
    facts,
    fields,
    homes,
    labels,
    mailings,
    notes,
    people,
    quality,
    selections,
    subscriptions,
    values,
    vouchers,
)
from tests.selections.plain.twins import TWINS

__all__ = [
    "TWINS",
    "campaigns",
    "consents",
    "facts",
    "fields",
    "homes",
    "labels",
    "mailings",
    "notes",
    "people",
    "quality",
    "selections",
    "subscriptions",
    "values",
    "vouchers",
]
