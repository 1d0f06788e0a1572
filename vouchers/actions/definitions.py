"""Define vouchers, and move a definition through its states."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

import pghistory
from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext as _

from common.errors import Refused
from customers.models import Branch
from vouchers.benefits import Benefit
from vouchers.models import Definition
from vouchers.models.definitions import FROZEN

State = Definition.State


@transaction.atomic
def define_voucher(*, by: User | None, now: dt.datetime, branches: Iterable[Branch] = (), **fields: Any) -> Definition:
    """Create a definition in draft. ``fields`` are those of the model; ``kind`` follows from the benefit when left out.

    Raises Refused: name_taken, benefit_incomplete, validity_out_of_order.
    """
    definition = Definition(created_at=now, **_tidy(fields))
    _refuse_faults(definition)
    with _history(by):
        definition.save(force_insert=True)
    definition.branches.set(branches)
    return definition


@transaction.atomic
def change_voucher(
    definition: Definition, *, by: User | None, branches: Iterable[Branch] | None = None, **fields: Any
) -> Definition:
    """Change a definition. What is already given out keeps its own validity.

    Raises Refused ``frozen`` when the benefit (or use, or holder) would change after the first issue, and as
    ``define_voucher`` does.
    """
    definition = Definition.objects.select_for_update(no_key=True).get(pk=definition.pk)
    before = {name: getattr(definition, name) for name in FROZEN}
    known = {name: getattr(definition, name) for name in (*FROZEN, "valid_from", "valid_until", "name")}
    for name, value in _tidy({**known, "kind": None, **fields}).items():
        setattr(definition, name, value)
    changed = [name for name in FROZEN if getattr(definition, name) != before[name]]
    if changed and definition.vouchers.exists():
        raise Refused(
            "frozen",
            _("Vouchers have been given out, so what they are worth is fixed. Make a new voucher for another benefit."),
            field=changed[-1],
        )
    _refuse_faults(definition)
    with _history(by):
        definition.save()
    if branches is not None:
        definition.branches.set(branches)
    return definition


def activate(definition: Definition, *, by: User | None = None) -> Definition:
    """Let vouchers be given out and taken in; raises Refused ``closed`` for a definition that has ended."""
    return _move(definition, State.ACTIVE, by)


def pause(definition: Definition, *, by: User | None = None) -> Definition:
    """Stop giving out and taking in for the time being."""
    return _move(definition, State.PAUSED, by)


def close(definition: Definition, *, by: User | None = None) -> Definition:
    """End it for good: nothing is given out or taken in any more."""
    return _move(definition, State.CLOSED, by)


_WAYS = {
    State.ACTIVE: {State.DRAFT, State.PAUSED, State.ACTIVE},
    State.PAUSED: {State.ACTIVE, State.PAUSED},
    State.CLOSED: {State.DRAFT, State.ACTIVE, State.PAUSED, State.CLOSED},
}


@transaction.atomic
def _move(definition: Definition, state: Definition.State, by: User | None) -> Definition:
    fresh = Definition.objects.select_for_update(no_key=True).get(pk=definition.pk)
    if State(fresh.state) not in _WAYS[state]:
        if fresh.state == State.CLOSED:
            raise Refused("closed", _("This voucher has been closed for good. Copy it to a new one."))
        raise Refused("not_active", _("Only an active voucher can be paused."))
    if fresh.state != state:
        fresh.state = state
        with _history(by):
            fresh.save(update_fields=["state"])
    definition.state = state
    return definition


def _history(by: User | None) -> Any:
    return pghistory.context(user=by.pk) if by else pghistory.context()


def _tidy(fields: dict[str, Any]) -> dict[str, Any]:
    """Empty what the chosen benefit does not use, so that no left-over figure stands in a report."""
    benefit = fields.get("benefit")
    if benefit != Benefit.PERCENT:
        fields["percent"] = None
    if benefit == Benefit.PERCENT:
        fields["amount_cents"] = None
    if not fields.get("kind"):
        fields["kind"] = Definition.Kind.ACTION if benefit == Benefit.FREE_PRODUCT else Definition.Kind.DISCOUNT
    return fields


def _refuse_faults(definition: Definition) -> None:
    """Say in words what the constraints of the table would refuse without any."""
    if Definition.objects.filter(name=definition.name).exclude(pk=definition.pk).exists():
        raise Refused("name_taken", _("There is a voucher with this name already. Choose another name."), field="name")
    check_benefit(definition)
    if definition.valid_from and definition.valid_until and definition.valid_until < definition.valid_from:
        raise Refused(
            "validity_out_of_order",
            _("The last day lies before the first. Change one of the two."),
            field="valid_until",
        )
    if definition.uses_per_code < 1:
        raise Refused("uses_too_few", _("A code must be usable at least once."), field="uses_per_code")


def check_benefit(definition: Definition) -> None:
    """Refuse (``benefit_incomplete``, with the field) a benefit of which something is missing; asks no database."""
    if fault := _benefit_fault(definition):
        raise Refused("benefit_incomplete", fault[1], field=fault[0])


def _benefit_fault(definition: Definition) -> tuple[str, str] | None:
    """Field and message of what is missing from the benefit, or None."""
    benefit, amount = definition.benefit, definition.amount_cents
    if benefit == Benefit.PERCENT and not 1 <= (definition.percent or 0) <= 100:
        return "percent", _("Fill in a percentage from 1 to 100.")
    if benefit == Benefit.FIXED and not amount:
        return "amount_cents", _("Fill in the amount that goes off the price.")
    if benefit == Benefit.SET_PRICE and amount is None:
        return "amount_cents", _("Fill in the price that the customer pays.")
    if benefit == Benefit.FREE_PRODUCT and not definition.product:
        return "product", _("Fill in what the customer gets for free.")
    return None
