"""Kinds of activity: own ones of the organisation, and for how long the facts of a kind stay with a person."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pghistory
from django.contrib.auth.models import User
from django.db import transaction
from django.utils.text import slugify
from django.utils.translation import gettext as _

from common.errors import Refused
from customers import timeline
from customers.facts import fact_kinds, kind_users, look_backs
from customers.models import FactTotal, KindSetting

LONGEST = 600  # months
CODE_LENGTH = 24


@transaction.atomic
def add_kind(
    *,
    name: str,
    verb: str,
    participle: str = "",
    icon: str = "",
    unit: str = "",
    has_amount: bool = False,
    has_duration: bool = False,
    by: User | None,
    now: dt.datetime,
) -> KindSetting:
    """Add a kind of the organisation's own; its code follows from the name and never changes.

    Raises Refused when another kind has this name, in a file or on a page.
    """
    code = slugify(name)[:CODE_LENGTH].strip("-")
    if not code:
        raise Refused("no_code", _("Give a name with letters in it."), field="name")
    _refuse_taken(name, code)
    with _history(by):
        kind = KindSetting.objects.create(
            code=code,
            is_own=True,
            name=name,
            verb=verb,
            participle=participle,
            icon=icon,
            unit=unit,
            has_amount=has_amount,
            has_duration=has_duration,
        )
    _forget()
    return kind


def own_setting(code: str) -> KindSetting:
    """Return the kind of the organisation with this code; raises Refused when it is one of the product's."""
    kind = KindSetting.objects.filter(code=code, is_own=True).first()
    if kind is None:
        raise Refused("not_own", _("This kind belongs to the product; only how long it is kept can be changed."))
    return kind


@transaction.atomic
def change_kind(kind: KindSetting, *, by: User | None, now: dt.datetime, **fields: Any) -> KindSetting:
    """Change how an own kind is called and what it measures; raises Refused for a kind of the code."""
    kind = KindSetting.objects.select_for_update().get(pk=kind.pk)
    if not kind.is_own:
        raise Refused("not_own", _("This kind belongs to the product; only how long it is kept can be changed."))
    _refuse_taken(fields.get("name", kind.name), kind.code, but=kind)
    for name, value in fields.items():
        setattr(kind, name, value)
    with _history(by):
        kind.save(update_fields=list(fields))
    _forget()
    return kind


@transaction.atomic
def remove_kind(kind: KindSetting, *, by: User | None, now: dt.datetime) -> None:
    """Remove an own kind that nobody ever did; raises Refused when there are facts of it, or a rule asks for it."""
    if not kind.is_own:
        raise Refused("not_own", _("This kind belongs to the product; only how long it is kept can be changed."))
    if FactTotal.objects.filter(kind=kind.code).exists():
        raise Refused("in_use", _("Customers have done “%s”; a kind with activities cannot be removed.") % kind.name)
    used = next((use for find in kind_users for use in find(kind.code)), None)
    if used is not None:
        raise Refused("in_use", _("Still asked for by %s; change that first.") % used)
    with _history(by):
        kind.delete()
    _forget()


@transaction.atomic
def set_retention(code: str, *, months: int | None, by: User | None, now: dt.datetime) -> KindSetting:
    """Set for how many months the facts of a kind stay with a person; None keeps them as long as the customer.

    Raises Refused for an unknown kind, and for a term shorter than something looks back.
    """
    kind = fact_kinds.get(code)
    if kind is None:
        raise Refused("unknown_kind", _("The kind “%s” does not exist.") % code)
    if months is not None and not 1 <= months <= LONGEST:
        raise Refused("months", _("Give a number of months between 1 and %d.") % LONGEST, field="months")
    needed = max((look for look in look_backs if code in look.kinds), key=lambda look: look.months, default=None)
    if months is not None and needed and months < needed.months:
        message = _("%(what)s look back %(months)d months at this; keep it at least that long.")
        words = message % {"what": needed.name, "months": needed.months}
        raise Refused("too_short", words, field="months")
    setting = KindSetting.objects.select_for_update().filter(code=code).first() or KindSetting(code=code)
    setting.keep_months = months
    with _history(by):
        setting.save()
    return setting


def _refuse_taken(name: str, code: str, *, but: KindSetting | None = None) -> None:
    others = [kind for kind in fact_kinds if but is None or kind.code != but.code]
    words = {word.lower() for kind in others for word in (kind.code, kind.dutch, str(kind.name)) if word}
    if but is None:  # the timeline is filtered by kinds of facts and by its other parts together
        words |= {part.kind for part in timeline.parts}
    if name.lower() in words or code in words:
        raise Refused("taken", _("There is a kind with this name already; choose another."), field="name")


def _forget() -> None:
    """Let all threads read the kinds anew: now, and when others can see what changed."""
    fact_kinds.forget()
    transaction.on_commit(fact_kinds.forget)


def _history(by: User | None) -> Any:
    return pghistory.context(user=by.pk) if by else pghistory.context()
