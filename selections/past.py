"""A rule at a past moment: what can be answered, and what would be a guess."""

from __future__ import annotations

import datetime as dt

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from common.criteria import criteria
from common.errors import Refused
from common.time import AMSTERDAM
from common.values import values
from customers.criteria.moments import known_at
from customers.models import Customer
from selections.compiler import compile_rule, count_criterion, refusing, statement
from selections.rules import Condition, Group, OnePerHousehold, Path, Pick, Top, walk

EARLIEST = dt.datetime(1950, 1, 1, tzinfo=AMSTERDAM)  # nobody is older as a customer; before it the calendar ends


def gaps(rule: Group, *, now: dt.datetime, present: dt.datetime) -> dict[Path, str]:
    """Return path of a part -> why its answer at ``now`` is a guess; nothing when the moment is not past.

    A selection inside the rule counts with all that is in it. Raises RuleRefused where the calendar ends.
    """
    if now >= present:
        return {}
    found: dict[Path, str] = {}
    with statement():
        for path, node in walk(rule):
            if isinstance(node, Condition):
                count_criterion(path)
                with refusing(path, "params"):
                    reason = criteria[node.criterion].gap(node.params, now=now, present=present)
            else:
                reason = gap_of_picks(node)
            if reason:
                found[path] = reason
    return found


def gap_of_picks(group: Group) -> str:
    """Return why it would be a guess on a past day who was left of a group; empty when it is not."""
    return " ".join(filter(None, map(_gap_of_pick, group.picks)))


def _gap_of_pick(pick: Pick) -> str:
    if isinstance(pick, Top):
        return str(values[pick.by].forgets)
    if isinstance(pick, OnePerHousehold):
        return _("Only the present household of a customer is kept.")
    return ""


def as_of(rule: Group, *, now: dt.datetime, present: dt.datetime, assume_present: bool = False) -> QuerySet[Customer]:
    """Return who was in at a past moment; raises Refused ``not_known_then`` when a part cannot be answered, unless
    ``assume_present``: then such a part is answered with what holds at present.
    """
    if now > present:
        raise Refused("not_yet", _("A selection can be looked at in the past, not in the future."), field="as_of")
    if now < EARLIEST:
        raise Refused("too_early", _("Choose a day after 1 January 1950."), field="as_of")
    unknown = gaps(rule, now=now, present=present)
    if unknown and not assume_present:
        reasons = " ".join(dict.fromkeys(unknown.values()))
        message = _("This rule cannot be answered for that day. %(reasons)s") % {"reasons": reasons}
        raise Refused("not_known_then", message, field="as_of")
    return compile_rule(rule, now=now).filter(known_at(now))
