"""Change thresholds of system labels, make and change computed values, and tell beforehand what would come of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pghistory
from django.contrib.auth.models import AnonymousUser, User
from django.db import transaction
from django.utils.text import slugify
from django.utils.translation import gettext as _

from common.errors import Refused
from common.sql import rows
from customers.models import Customer
from labels import facts, values
from labels.computing import Computing, values_of
from labels.formulas import STANDARD, read_terms, stored
from labels.models import Label, ThresholdSetting, ValueDefinition
from labels.system import Family
from labels.system.moments import day_number
from labels.system.thresholds import Limits, Number, chosen
from selections.figures import time_limit
from selections.usages import uses_of

By = User | AnonymousUser | None
EXAMPLES = 5
PREVIEW_SECONDS = 45.0  # each statement of a preview: a page may wait, but not for ever


@dataclass(frozen=True)
class LabelChange:
    """What would happen to one label: how many get and lose it, and some of them."""

    code: str
    name: str
    added: int
    removed: int
    gaining: Sequence[Customer] = ()
    losing: Sequence[Customer] = ()


@dataclass(frozen=True)
class ThresholdPreview:
    """What saving would do as of ``now``; ``labels`` are those for which something changes."""

    labels: Sequence[LabelChange] = ()
    added: int = 0
    removed: int = 0


@dataclass(frozen=True)
class ValuePreview:
    """Of how many customers the value would be known, how it is spread, and who has most."""

    known: int
    quartiles: Sequence[float] = ()
    examples: Sequence[tuple[Customer, float]] = field(default_factory=list)


# The run gives no label that it does not make, such as that of a genre beyond those that are bought most.
_CHANGES = """
WITH target AS MATERIALIZED (SELECT * FROM ({target}) AS every WHERE code = ANY(%(codes)s)),
present AS MATERIALIZED (
    SELECT label.code, a.customer_id FROM labels_assignment AS a JOIN labels_label AS label ON label.id = a.label_id
     WHERE a.until IS NULL AND label.id = ANY(%(labels)s)
),
difference AS (
    SELECT coalesce(target.code, present.code) AS code, target.code IS NULL AS is_gone,
           coalesce(target.customer_id, present.customer_id) AS customer_id
      FROM target FULL JOIN present ON present.code = target.code AND present.customer_id = target.customer_id
     WHERE target.code IS NULL OR present.code IS NULL
)
SELECT code, is_gone, count(*) AS n, (array_agg(customer_id ORDER BY customer_id))[1:{examples}] AS some
  FROM difference GROUP BY code, is_gone ORDER BY code
"""
_SPREAD = """
SELECT count(*) AS n, percentile_cont(ARRAY[0, 0.25, 0.5, 0.75, 1]) WITHIN GROUP (ORDER BY number) AS quartiles
  FROM label_value
"""


def limits_of(family: Family, given: Mapping[str, Number]) -> Limits:
    """Return the thresholds of a family with these instead; raises Refused outside of their limits or out of order."""
    for one in family.thresholds:
        number = given.get(one.code, one.default)
        if not one.min <= number <= one.max:
            message = _("Choose a number from %(min)s to %(max)s.") % {"min": f"{one.min:g}", "max": f"{one.max:g}"}
            raise Refused("out_of_range", message, field=one.code)
    limits = family.limits(proposed=given)
    for lower, higher in family.rising:
        if limits[lower] >= limits[higher]:
            raise Refused("out_of_order", _("This must be more than the one before it."), field=higher)
    return limits


@transaction.atomic
def change_thresholds(family: Family, *, numbers: Mapping[str, Number], by: By = None) -> None:
    """Set thresholds of a family; raises Refused outside of their limits. The labels follow at the next run."""
    limits = limits_of(family, numbers)
    with pghistory.context(**_who(by)):
        for code, number in limits.items():
            known = ThresholdSetting.objects.filter(family=family.code, code=code).first()
            default = next(one.default for one in family.thresholds if one.code == code)
            if known and known.number != number:
                known.number = number
                known.save()
            elif known is None and number != default:
                ThresholdSetting.objects.create(family=family.code, code=code, number=number)
    _forget()


def preview_thresholds(
    family: Family, *, numbers: Mapping[str, Number], now: dt.datetime, seconds: float = PREVIEW_SECONDS
) -> ThresholdPreview:
    """Return what the run would do to this family's labels if these thresholds were set; nothing is written. Raises
    Refused when that takes too long for a page.
    """
    limits = limits_of(family, numbers)
    with time_limit(seconds), transaction.atomic():
        work = Computing([family], values_of(family), now=now, limits={family.code: limits})
        work.prepare()
        statement, params = work.statement(family)
        labels = Label.objects.filter(kind=Label.Kind.SYSTEM, group__code__in=family.all_groups)
        names = {label.code: str(label) for label in labels}
        codes = [spec.code for spec in (*family.labels, *family.more_labels())]
        told = rows(
            _CHANGES.format(target=statement, examples=EXAMPLES),
            {**params, "labels": [label.pk for label in labels], "codes": codes},
        )
        transaction.set_rollback(True)
    return _as_preview(told, names)


def create_value(
    *,
    name: str,
    unit: str,
    terms: Sequence[Mapping[str, Any]],
    description: str = "",
    by: By = None,
    now: dt.datetime,
) -> ValueDefinition:
    """Define a value; raises Refused on a formula that is none. It is computed at the next run."""
    read = read_terms(terms)
    definition = ValueDefinition(code=_free_code(name), name=name, unit=unit, description=description, created_at=now)
    definition.terms = stored(read)
    with pghistory.context(**_who(by)), transaction.atomic():
        definition.save()
    _forget()
    return definition


@transaction.atomic
def change_value(
    definition: ValueDefinition,
    *,
    name: str,
    unit: str,
    terms: Sequence[Mapping[str, Any]],
    description: str = "",
    by: By = None,
) -> ValueDefinition:
    """Change a value; of a standard one what it measures stays, since labels follow from it (else Refused)."""
    read = read_terms(terms)
    if definition.is_standard:
        measured = [term.what for term in read_terms(definition.terms)]
        if [term.what for term in read] != measured or unit != definition.unit:
            message = _("Labels follow from this value: its activities and months may change, what it measures not.")
            raise Refused("standard", message, field="terms")
    usual = [str(text) for text in STANDARD[definition.code][:2]] if definition.is_standard else []
    # A standard name stays empty, so that each reads it in his own language.
    definition.name, definition.description = ("" if text in usual else text for text in (name, description))
    definition.unit, definition.terms = unit, stored(read)
    with pghistory.context(**_who(by)):
        definition.save()
    _forget()
    return definition


@transaction.atomic
def remove_value(definition: ValueDefinition, *, by: By = None) -> None:
    """Remove a value and its numbers; raises Refused for a standard one and for one that something uses."""
    if definition.is_standard:
        raise Refused("standard", _("Labels follow from this value, so it cannot be removed."))
    if uses := uses_of(definition):
        raise Refused("in_use", _("It is used by %s. Change that first.") % uses[0])
    with pghistory.context(**_who(by)):
        definition.delete()
    _forget()


def preview_value(
    terms: Sequence[Mapping[str, Any]], *, now: dt.datetime, seconds: float = PREVIEW_SECONDS
) -> ValuePreview:
    """Return what a formula gives; nothing is written. The unit changes nothing in it. Raises Refused when that takes
    too long for a page.
    """
    draft = ValueDefinition(pk=-1, code="draft", terms=stored(read_terms(terms)))
    with time_limit(seconds), transaction.atomic():
        work = Computing([], [draft], now=now)
        work.prepare()
        spread = rows(_SPREAD)[0]
        top = rows("SELECT customer_id, number FROM label_value ORDER BY number DESC, customer_id LIMIT 5")
        transaction.set_rollback(True)
    drift = values.ComputedValue(draft).drift * day_number(now)
    people = Customer.objects.in_bulk([row["customer_id"] for row in top])
    return ValuePreview(
        known=spread["n"],
        quartiles=[number + drift for number in spread["quartiles"] or []],
        examples=[(people[row["customer_id"]], row["number"] + drift) for row in top if row["customer_id"] in people],
    )


def _as_preview(told: Sequence[Mapping[str, Any]], names: Mapping[str, str]) -> ThresholdPreview:
    people = Customer.objects.in_bulk({pk for row in told for pk in row["some"]})
    found: dict[str, dict[bool, Mapping[str, Any]]] = {}
    for row in told:
        found.setdefault(row["code"], {})[row["is_gone"]] = row
    labels = [
        LabelChange(
            code=code,
            name=names.get(code, code),
            added=sides[False]["n"] if False in sides else 0,
            removed=sides[True]["n"] if True in sides else 0,
            gaining=[people[pk] for pk in sides[False]["some"] if pk in people] if False in sides else [],
            losing=[people[pk] for pk in sides[True]["some"] if pk in people] if True in sides else [],
        )
        for code, sides in found.items()
    ]
    return ThresholdPreview(labels, sum(label.added for label in labels), sum(label.removed for label in labels))


def _free_code(name: str) -> str:
    base = slugify(name)[:30] or "value"
    taken = set(ValueDefinition.objects.filter(code__startswith=base).values_list("code", flat=True))
    return next(code for code in (base, *(f"{base}-{n}" for n in range(2, 1000))) if code not in taken)


def _forget() -> None:
    """Have this process read settings anew."""
    chosen.forget()
    values.defined.forget()
    facts.of_values.forget()


def _who(by: By) -> dict[str, Any]:
    return {"user": by.pk} if by and by.pk else {}
