"""Who answers for whom: the parents or guardians of a child (AVG 8)."""

from __future__ import annotations

import datetime as dt

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext as _

from common.errors import Refused
from common.time import local_date
from customers.actions.sources import source
from customers.models import Customer, CustomerChange, Guardianship

OF_AGE = 18


@transaction.atomic
def add_guardian(
    child: Customer, guardian: Customer, *, by: User, now: dt.datetime, source_code: str = "workbench"
) -> Guardianship:
    """Record that ``guardian`` answers for ``child``. Raises Refused when they are one person, the child is of age or
    not the younger one, it is recorded already, or it is so the other way round.
    """
    if child.pk == guardian.pk:
        raise Refused("same_customer", _("Nobody is his own parent. Choose another customer."), field="number")
    age = child.age_on(local_date(now))
    if age is not None and age >= OF_AGE:
        raise Refused("of_age", _("Who is 18 or older decides for himself."), field="number")
    if child.birth_date and guardian.birth_date and child.birth_date <= guardian.birth_date:
        raise Refused("not_older", _("A parent is older than the child. Look at the birth dates."), field="number")
    if Guardianship.objects.filter(child=guardian, guardian=child).exists():
        raise Refused("other_way", _("It is recorded the other way round. Remove that first."), field="number")
    bond, created = Guardianship.objects.get_or_create(
        child=child, guardian=guardian, defaults={"source": source(source_code), "created_at": now}
    )
    if not created:
        raise Refused("known_already", _("This is recorded already."), field="number")
    _note(bond, ["", guardian.number], by, now)
    return bond


@transaction.atomic
def end_guardian(bond: Guardianship, *, by: User, now: dt.datetime) -> None:
    """Take away that somebody answers for a child; what he said for the child stays in the ledger."""
    _note(bond, [bond.guardian.number, ""], by, now)
    bond.delete()


def _note(bond: Guardianship, change: list[str], by: User, now: dt.datetime) -> None:
    name = by.get_full_name() or by.get_username()
    CustomerChange.objects.create(
        customer_id=bond.child_id, fields={"guardian": change}, changed_by=name, user=by, changed_at=now
    )
