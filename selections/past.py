"""A rule at a past moment: what can be answered, and what would be a guess."""

from __future__ import annotations

import datetime as dt

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from common.criteria import criteria
from common.errors import Refused
from common.values import values
from customers.models import Customer
from selections.compiler import compile_rule
from selections.rules import Condition, Group, Path, Top, walk


def gaps(rule: Group, *, now: dt.datetime, present: dt.datetime) -> dict[Path, str]:
    """Return path of a part -> why its answer at ``now`` is a guess; nothing when the moment is not past.

    A selection inside the rule counts with all that is in it.
    """
    if now >= present:
        return {}
    found: dict[Path, str] = {}
    for path, node in walk(rule):
        if isinstance(node, Condition):
            reason = criteria[node.criterion].gap(node.params, now=now, present=present)
        else:
            reason = " ".join(str(values[pick.by].forgets) for pick in node.picks if isinstance(pick, Top)).strip()
        if reason:
            found[path] = reason
    return found


def as_of(rule: Group, *, now: dt.datetime, present: dt.datetime, assume_present: bool = False) -> QuerySet[Customer]:
    """Return who was in at a past moment; raises Refused ``not_known_then`` when a part cannot be answered, unless
    ``assume_present``: then such a part is answered with what holds at present.
    """
    if now > present:
        raise Refused("not_yet", _("A selection can be looked at in the past, not in the future."), field="as_of")
    unknown = gaps(rule, now=now, present=present)
    if unknown and not assume_present:
        reasons = " ".join(dict.fromkeys(unknown.values()))
        message = _("This rule cannot be answered for that day. %(reasons)s") % {"reasons": reasons}
        raise Refused("not_known_then", message, field="as_of")
    return compile_rule(rule, now=now)
