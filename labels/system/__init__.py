"""System labels: families of labels that the product computes itself, each family one SQL statement over
everybody.

``families`` holds them in the order of the pages. To add one: write its file here and name it below.
"""

from labels.system import borrowing, membership, sectors, ticket_quality, tickets, worlds
from labels.system.specs import Family, LabelSpec, families

for _module in (membership, borrowing, worlds, tickets, ticket_quality, sectors):
    for _family in _module.FAMILIES:
        families.register(_family)

__all__ = ["Family", "LabelSpec", "families"]
