"""Two customers beside each other: every field with whose word it is, and what each of them brings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Func, IntegerField
from django.utils.translation import gettext as _

from common.personal import personal_tables
from customers.golden import provenance
from customers.matching.reading import read_two
from customers.matching.scoring import REASONS, score
from customers.models import Branch, Consent, Customer, FactTotal, Merge, Subscription
from customers.records import FIELDS
from labels.models import Assignment
from mailings.models import Message
from vouchers.models import Voucher
from workbench.customer_words import lines, shown


@dataclass(frozen=True)
class Cell:
    """What stands in a field and which source says so; without a record of a source only the former."""

    text: str
    source: str = ""


@dataclass(frozen=True)
class Row:
    """One field of both. Numbers are never the same, so that tells nothing (``compared``)."""

    name: str
    first: Cell
    second: Cell
    compared: bool = True

    @property
    def differs(self) -> bool:
        """Whether the two contradict each other."""
        return self.compared and "" not in (self.first.text, self.second.text) and self.first.text != self.second.text


def compare(first: Customer, second: Customer) -> list[Row]:
    """Return the fields that at least one of the two has."""
    mine, theirs = _cells(first), _cells(second)
    nothing = Cell("")
    rows = [Row(str(_("customer number")).capitalize(), Cell(first.number), Cell(second.number), compared=False)]
    for code, field in FIELDS.items():
        if code in mine or code in theirs:
            rows.append(Row(str(field.name).capitalize(), mine.get(code, nothing), theirs.get(code, nothing)))
    return rows


def _cells(customer: Customer) -> dict[str, Cell]:
    found = {
        code: Cell(line.text, str(line.said.source)) for code, line in lines(provenance(customer)).items() if line.said
    }
    for code, field in FIELDS.items():
        value = getattr(customer, field.column or code, "")
        if value and code not in found:
            text = str(customer.branch) if code == "branch" else shown(code, str(value), {})
            found[code] = Cell(text)
    return found


def brings(first: Customer, second: Customer) -> list[dict[str, Any]]:
    """Return per kind of thing how many each has; one query per kind, all by index."""
    pair = [first.pk, second.pk]
    facts = dict.fromkeys(pair, 0)
    for customer, count in FactTotal.objects.filter(customer__in=pair).values_list("customer", "count"):
        facts[customer] += count
    held = Assignment.objects.open().filter(customer__in=pair)
    counted = [
        (_("Activities"), facts),
        (_("Subscriptions"), _count(Subscription.objects.filter(customer__in=pair))),
        (_("Answers about consent"), _count(Consent.objects.filter(customer__in=pair))),
        (_("Labels"), _count(held)),
        (_("Vouchers"), _count(Voucher.objects.filter(customer__in=pair))),
        (_("Messages"), _count(Message.objects.filter(customer__in=pair))),
    ]
    return [{"name": name, "first": n.get(first.pk, 0), "second": n.get(second.pk, 0)} for name, n in counted]


def _count(queryset: Any) -> dict[int, int]:
    return dict(queryset.order_by().values_list("customer").annotate(Count("pk")))


def before_merge(merge: Merge) -> list[Row]:
    """Return the fields of both as they were when they were merged; those that neither had are left out."""
    first, second = _before(merge, "number")
    rows = [Row(str(_("customer number")).capitalize(), first, second, compared=False)]
    branches = {str(pk): name for pk, name in Branch.objects.values_list("pk", "name")}
    for code, field in FIELDS.items():
        cells = _points_before(merge, code) if not field.column else _before(merge, field.column)
        if code == "branch":
            cells = [Cell(branches.get(cell.text, cell.text)) for cell in cells]
        elif field.column:
            cells = [Cell(shown(code, cell.text, {})) for cell in cells]
        mine, theirs = cells
        if mine.text or theirs.text:
            rows.append(Row(str(field.name).capitalize(), mine, theirs))
    return rows


def _before(merge: Merge, column: str) -> list[Cell]:
    return [Cell(str(merge.before.get(side, {}).get(column) or "")) for side in ("kept", "absorbed")]


def _points_before(merge: Merge, channel: str) -> list[Cell]:
    points = [point for point in merge.before.get("points", []) if point["channel"] == channel]
    points.sort(key=lambda point: not point["is_primary"])
    return [
        Cell(", ".join(shown(channel, point["value"], {}) for point in points if point["customer_id"] == customer))
        for customer in (merge.kept_id, merge.absorbed_id)
    ]


def moved_by(merge: Merge) -> list[tuple[str, int]]:
    """Return what the merge gave to who is kept, and files since under the old number: name of the rows -> how many."""
    names = {table.table: str(table.name) for table in reversed(list(personal_tables))}
    counted: dict[str, int] = {}
    for table, many in merge.rows.annotate(many=CardinalityOf("ids")).values_list("table", "many"):
        name = names.get(table, table)
        counted[name] = counted.get(name, 0) + many
    return sorted(counted.items(), key=lambda row: -row[1])


class CardinalityOf(Func):
    """How many elements an array has."""

    function = "cardinality"
    output_field = IntegerField()


def likeness(first: Customer, second: Customer) -> tuple[int, list[dict[str, Any]]]:
    """Return the likelihood that they are one person, and why, as things stand now."""
    pair = read_two(first.pk, second.pk)
    found = score(pair.first, pair.second, same_source=pair.same_source)
    return found.points, in_words(found.reasons)


def in_words(reasons: Any) -> list[dict[str, Any]]:
    """Return reasons (code and points) as a page shows them; codes that no longer exist are left out."""
    return [
        {"text": REASONS[code][1], "points": points, "against": points < 0, "neutral": points == 0}
        for code, points in reasons
        if code in REASONS
    ]
