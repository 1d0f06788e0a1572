"""Who the customers are, what they did, what they allow, and how that came in."""

from customers.models.calendar import CalendarSettings, HolidayName, Region, SchoolHoliday
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
from customers.models.places import BranchPlace, PostalPlace
from customers.models.privacy import AccessRequest, ErasedKey, Erasure, RetentionRun
from customers.models.quality import QualityCount
from customers.models.records import Absence, MatchPair, MatchSettings, Merge, MergedRows, SourceRecord

__all__ = [
    "Absence",
    "AccessRequest",
    "Branch",
    "BranchPlace",
    "CalendarSettings",
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
    "HolidayName",
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
    "PostalPlace",
    "Purpose",
    "PurposeChannel",
    "QualityCount",
    "Region",
    "RetentionRun",
    "SchoolHoliday",
    "Source",
    "SourceRecord",
    "Subscription",
    "Wording",
    "World",
]
