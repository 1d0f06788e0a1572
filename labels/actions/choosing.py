"""What a customer decides of his own labels: which he chooses, and that none is derived of him."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

from django.db import transaction
from django.db.models import CharField, Q, Value
from django.db.models.functions import Cast, Concat
from django.utils.translation import gettext as _

from common.errors import Refused
from customers.models import Customer, ImportRun
from labels.actions.giving import give, take
from labels.models import Label
from labels.system import families


@transaction.atomic
def choose_labels(customer: Customer, *, codes: Collection[str], now: dt.datetime) -> None:
    """Set which labels a customer has chosen: exactly ``codes``, out of the labels that customers may choose.

    Raises Refused on a code that may not be chosen, or on two of one exclusive group.
    """
    # Compared here: what a browser sends may be text that no database takes.
    chosen = [label for label in Label.objects.for_customers().select_related("group") if label.code in codes]
    if len(chosen) < len(set(codes)):
        raise Refused("unknown_label", _("This label cannot be chosen."), field="labels")
    exclusive = [label.group_id for label in chosen if label.group and label.group.is_exclusive]
    if len(exclusive) > len(set(exclusive)):
        raise Refused("one_of_group", _("Only one of these can be chosen at a time."), field="labels")
    one = Customer.objects.filter(pk=customer.pk)
    Customer.objects.select_for_update().get(pk=customer.pk)
    for label in Label.objects.filter(kind=Label.Kind.CUSTOMER).exclude(pk__in=[label.pk for label in chosen]):
        take(label, one, by="customer", now=now)
    for label in chosen:
        give(label, one, by="customer", reason="", now=now)


def take_profiling_labels(customer: Customer, *, now: dt.datetime) -> int:
    """Take every label derived from behaviour or address, or brought by a file, at once, for who objects to profiling
    and should not wait for the night.
    """
    groups = [code for family in families if family.is_profiling for code in family.all_groups]
    files = ImportRun.objects.filter(format__in=["home_labels", "labels"]).values(
        name=Concat(Value("import "), Cast("pk", CharField()))
    )
    derived = Q(label__group__code__in=groups) | Q(given_by__in=files)
    open_ones = customer.label_assignments.filter(derived, until__isnull=True)
    return open_ones.update(until=now, taken_by="customer")
