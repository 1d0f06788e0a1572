"""Good rows become rows of the product: a writer per format, each a few statements that write only
differences.

A writer gets the columns that the file has and the values of the run, and returns (new, changed, unchanged).
A column that the file lacks leaves what is known as it is; an empty cell in a column it has makes it empty.
"""

from collections.abc import Callable, Mapping
from typing import Any

from customers.imports.writers.branches import write_branches
from customers.imports.writers.consents import write_consents
from customers.imports.writers.customers import write_customers
from customers.imports.writers.facts import write_facts
from customers.imports.writers.subscriptions import write_subscriptions
from customers.models import ImportRun

Writer = Callable[[frozenset[str], Mapping[str, Any]], tuple[int, int, int]]

WRITERS: dict[str, Writer] = {
    ImportRun.Format.BRANCHES: write_branches,
    ImportRun.Format.CUSTOMERS: write_customers,
    ImportRun.Format.SUBSCRIPTIONS: write_subscriptions,
    ImportRun.Format.CONSENTS: write_consents,
    ImportRun.Format.FACTS: write_facts,
}
