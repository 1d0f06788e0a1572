"""Who the customers are, what they did, what they allow, and how that came in."""

from customers.models.consents import Channel, Consent, LedgerCheck, Purpose, PurposeChannel, Wording
from customers.models.customers import (
    Branch,
    ContactPoint,
    Customer,
    CustomerChange,
    FieldRank,
    Guardianship,
    Household,
    Source,
    Subscription,
)
from customers.models.facts import Fact, FactCount, FactRemainder, FactTally, FactTotal, KindSetting, World
from customers.models.imports import Feed, ImportChange, ImportError, ImportRun  # noqa: A004 - a row of an import
from customers.models.notes import Note
from customers.models.privacy import AccessRequest, ErasedKey, Erasure, RetentionRun
from customers.models.quality import QualityCount
from customers.models.records import Absence, MatchPair, MatchSettings, Merge, MergedRows, SourceRecord

__all__ = [
    "Absence",
    "AccessRequest",
    "Branch",
    "Channel",
    "Consent",
    "ContactPoint",
    "Customer",
    "CustomerChange",
    "ErasedKey",
    "Erasure",
    "Fact",
    "FactCount",
    "FactRemainder",
    "FactTally",
    "FactTotal",
    "Feed",
    "FieldRank",
    "Guardianship",
    "Household",
    "ImportChange",
    "ImportError",
    "ImportRun",
    "KindSetting",
    "LedgerCheck",
    "MatchPair",
    "MatchSettings",
    "Merge",
    "MergedRows",
    "Note",
    "Purpose",
    "PurposeChannel",
    "QualityCount",
    "RetentionRun",
    "Source",
    "SourceRecord",
    "Subscription",
    "Wording",
    "World",
]
