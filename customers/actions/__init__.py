"""Writes and decisions about customers: people, what they did, and files taken in. Consents have their own
module.
"""

from customers.actions.facts import record_fact, record_facts, record_facts_sql
from customers.actions.imports import (
    approve_import,
    cancel_import,
    retry_import,
    run_import,
    undo_import,
    upload_import,
)
from customers.actions.people import add_customer, change_customer
from customers.actions.sources import ensure_base_data, source

__all__ = [
    "add_customer",
    "approve_import",
    "cancel_import",
    "change_customer",
    "ensure_base_data",
    "record_fact",
    "record_facts",
    "record_facts_sql",
    "retry_import",
    "run_import",
    "source",
    "undo_import",
    "upload_import",
]
