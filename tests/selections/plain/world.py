"""Everything there is, as plain rows: a dict per row, read once."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import Any

from django.db import connection

Row = dict[str, Any]

TABLES = {
    "customers": "customers_customer",
    "branches": "customers_branch",
    "contacts": "customers_contactpoint",
    "subscriptions": "customers_subscription",
    "facts": "customers_fact",
    "remainders": "customers_factremainder",
    "notes": "customers_note",
    "consents": "customers_consent",
    "purposes": "customers_purpose",
    "grounds": "customers_purposechannel",
    "sources": "customers_source",
    "records": "customers_sourcerecord",
    "absences": "customers_absence",
    "guardianships": "customers_guardianship",
    "changes": "customers_customerchange",
    "pairs": "customers_matchpair",
    "labels": "labels_label",
    "groups": "labels_labelgroup",
    "assignments": "labels_assignment",
    "mailings": "mailings_mailing",
    "messages": "mailings_message",
    "links": "mailings_link",
    "clicks": "mailings_click",
    "suppressions": "mailings_suppression",
    "vouchers": "vouchers_voucher",
    "redemptions": "vouchers_redemption",
    "reversals": "vouchers_reversal",
    "enrolments": "campaigns_enrolment",
    "actions": "campaigns_action",
    "selections": "selections_selection",
    "kept": "selections_resultmember",
    "holidays": "customers_schoolholiday",
    "decisions": "mailings_decision",
    "definitions": "vouchers_definition",
    "attempts": "vouchers_attempt",
    "step_runs": "campaigns_steprun",
    "steps_done": "campaigns_stepdone",
    "places": "customers_postalplace",
    "branch_places": "customers_branchplace",
    "values": "labels_valuedefinition",
    "numbers": "labels_customervalue",
    "calendar": "customers_calendarsettings",
}


class World:
    """The rows of every table, and those of one customer."""

    def __init__(self) -> None:
        self._rows: dict[str, list[Row]] = {name: _read(table) for name, table in TABLES.items()}
        self._of: dict[str, dict[int, list[Row]]] = {}
        self.memo: dict[Any, set[int]] = {}  # who is in a selection at a moment
        self.people = [row for row in self["customers"] if not row["merged_into_id"] and not row["restricted_at"]]

    def __getitem__(self, name: str) -> list[Row]:
        return self._rows[name]

    def of(self, name: str, person: Row) -> list[Row]:
        """Return the rows of a table that are of this customer."""
        if name not in self._of:
            self._of[name] = defaultdict(list)
            for row in self[name]:
                self._of[name][row["customer_id"]].append(row)
        return self._of[name].get(person["id"], [])

    def find(self, name: str, key: Any, field: str = "id") -> Row:
        """Return the one row with this key."""
        [found] = [row for row in self[name] if row[field] == key]
        return found

    def json(self, value: Any) -> Any:
        """Return what a column of JSON holds."""
        return json.loads(value) if isinstance(value, str) else value

    def codes(self, name: str) -> dict[Any, str]:
        """Return id -> code."""
        return {row["id"]: row["code"] for row in self[name]}


def _read(table: str) -> list[Row]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {table} ORDER BY 1")  # noqa: S608 - one of TABLES
        names = [column.name for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
