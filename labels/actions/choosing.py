"""What a customer decides of his own labels: which he chooses, and that none is derived of him."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

from django.db import transaction
from django.db.models import CharField, Q, Value
from django.db.models.functions import Cast, Concat
from django.utils.translation import gettext as _

from common.errors import Refused
from common.time import local_date
from customers.models import Customer, ImportRun
from labels.actions.giving import give, take
from labels.models import Assignment, Label, LabelQuerySet
from labels.rules import is_behaviour
from labels.system import families


@transaction.atomic
def choose_labels(
    customer: Customer, *, codes: Collection[str], shown: Collection[str] | None = None, now: dt.datetime
) -> None:
    """Set which labels a customer has chosen: exactly ``codes``, out of the labels that customers may choose.

    ``shown`` are the codes he saw, when that were not all: the others stay as they are. Raises Refused on a code that
    may not be chosen, or on two of one exclusive group.
    """
    # Compared here: what a browser sends may be text that no database takes.
    choice = {label.code: label for label in _choice(now).select_related("group")}
    held = customer.label_assignments.open().filter(label__kind=Label.Kind.CUSTOMER)
    if shown is not None:
        held = held.filter(label__code__in=choice.keys() & set(shown))
    chosen = [label for code, label in choice.items() if code in codes]
    if len(chosen) < len(set(codes)):
        raise Refused("unknown_label", _("This label cannot be chosen."), field="labels")
    exclusive = [label.group_id for label in chosen if label.group and label.group.is_exclusive]
    if len(exclusive) > len(set(exclusive)):
        raise Refused("one_of_group", _("Only one of these can be chosen at a time."), field="labels")
    one = Customer.objects.filter(pk=customer.pk)
    Customer.objects.select_for_update().get(pk=customer.pk)
    for label in Label.objects.filter(pk__in=held.exclude(label__in=chosen).values("label")):
        take(label, one, by="customer", how=Assignment.How.CUSTOMER, now=now)
    for label in chosen:
        give(label, one, by="customer", reason="", how=Assignment.How.CUSTOMER, now=now)


def take_off(customer: Customer, *, code: str, now: dt.datetime) -> bool:
    """Take one label off that the customer chose himself; returns whether he had it."""
    label = Label.objects.filter(kind=Label.Kind.CUSTOMER, code=code).first() if "\0" not in code else None
    if label is None:
        return False
    one = Customer.objects.filter(pk=customer.pk)
    return take(label, one, by="customer", how=Assignment.How.CUSTOMER, now=now) > 0


def take_profiling_labels(customer: Customer, *, now: dt.datetime) -> int:
    """Take every label derived from behaviour or address, or brought by a file, and the computed values, at once, for
    who objects to profiling and should not wait for the night; return how many labels.
    """
    customer.computed_values.all().delete()
    groups = [code for family in families if family.is_profiling for code in family.all_groups]
    files = ImportRun.objects.filter(format__in=["home_labels", "labels"]).values(
        name=Concat(Value("import "), Cast("pk", CharField()))
    )
    rules = [label.pk for label in Label.objects.by_rule().select_related("selection") if is_behaviour(label.rule_json)]
    derived = Q(label__group__code__in=groups) | Q(given_by__in=files) | Q(label__in=rules)
    open_ones = customer.label_assignments.filter(derived, until__isnull=True)
    return open_ones.update(until=now, taken_by="customer", taken_how=Assignment.How.OBJECTION)


def _choice(now: dt.datetime) -> LabelQuerySet:
    """Return what customers choose from today."""
    return Label.objects.for_customers().valid_on(local_date(now))
