"""Who the customers are, what they did, what they allow, and how that came in."""

from customers.models.consents import Channel, Consent, Purpose
from customers.models.customers import (
    Branch,
    ContactPoint,
    Customer,
    CustomerChange,
    Household,
    Source,
    Subscription,
)
from customers.models.facts import Fact, FactTotal, World
from customers.models.imports import ImportError, ImportRun  # noqa: A004 - a row of an import

__all__ = [
    "Branch",
    "Channel",
    "Consent",
    "ContactPoint",
    "Customer",
    "CustomerChange",
    "Fact",
    "FactTotal",
    "Household",
    "ImportError",
    "ImportRun",
    "Purpose",
    "Source",
    "Subscription",
    "World",
]
