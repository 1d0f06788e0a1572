"""The formats of files, each with its columns, its checks and who writes it."""

from customers.imports.formats import branches, customers, subscriptions, consents, facts, coordinates  # noqa: F401, I001 - in the order in which one imports them
from customers.imports.formats.base import FORMATS, Check, Column, Format
from customers.imports.formats.facts import importable_kinds

__all__ = ["FORMATS", "Check", "Column", "Format", "importable_kinds"]
