"""System labels: families of labels that the product computes itself, each family one SQL statement over
everybody.

``families`` holds them in the order of the pages. To add one: write its file here and name it below.
"""

from labels.system import (
    addresses,
    borrowing,
    lifecycle,
    loyalty,
    membership,
    sectors,
    ticket_quality,
    tickets,
    web,
    worlds,
    worth,
)
from labels.system.specs import Family, LabelSpec, families

for _module in (
    lifecycle, membership, addresses, borrowing, worlds, tickets, ticket_quality, sectors, web, worth, loyalty,
):  # fmt: skip
    for _family in _module.FAMILIES:
        families.register(_family)

__all__ = ["Family", "LabelSpec", "families"]
