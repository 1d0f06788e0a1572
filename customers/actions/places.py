"""Where branches lie, as staff set it."""

from __future__ import annotations

from typing import Any

import pghistory
from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext as _

from common.errors import Refused
from customers.models import Branch, BranchPlace


@transaction.atomic
def place_branch(
    branch: Branch, *, latitude: float | None, longitude: float | None, by: User | None
) -> BranchPlace | None:
    """Set where a branch lies, in degrees; both None: where its postal code lies. Raises Refused for one of the two
    alone, and for a place outside the Netherlands.
    """
    if (latitude is None) != (longitude is None):
        raise Refused("both", _("Fill in both, or neither."), field="longitude" if longitude is None else "latitude")
    with _history(by):
        if latitude is None or longitude is None:
            BranchPlace.objects.filter(branch=branch).delete()
            return None
        if not 50 <= latitude <= 54:
            raise Refused("latitude", _("In the Netherlands latitude lies between 50 and 54."), field="latitude")
        if not 3 <= longitude <= 8:
            raise Refused("longitude", _("In the Netherlands longitude lies between 3 and 8."), field="longitude")
        values = {"latitude": latitude, "longitude": longitude}
        place, _is_new = BranchPlace.objects.update_or_create(branch=branch, defaults=values)
    return place


def _history(by: User | None) -> Any:
    return pghistory.context(user=by.pk) if by else pghistory.context()
