"""Who got or lost a label in a stretch of time, and by what."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

from django import forms
from django.db.models import Exists, F, OuterRef, Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from customers.criteria import wording
from customers.criteria.windows import WindowForm, WindowParams
from labels.criteria.base import LabelCriterion, LabelsForm, LabelsParams, ids_of, intervals, told, with_any
from labels.models import Assignment

How = Assignment.How
GIVEN = (
    How.SYSTEM, How.RULE, How.HAND, How.SELECTION, How.IMPORT, How.ACTION, How.CUSTOMER, How.API, How.BACKFILL,
    How.MERGE,
)  # fmt: skip
TAKEN = (
    How.SYSTEM, How.RULE, How.HAND, How.SELECTION, How.IMPORT, How.CUSTOMER, How.API, How.GROUP, How.VALIDITY, How.AGE,
    How.VERSION, How.OBJECTION, How.MERGE,
)  # fmt: skip


def _choices(hows: Iterable[How]) -> list[tuple[str, Any]]:
    return [(how.value, how.label) for how in hows]


class ChangeParams(LabelsParams, WindowParams):
    """``how``: by one of these; empty: by anything."""

    how: tuple[How, ...] = ()


class GotParams(ChangeParams):
    """``first``: only who never had that label before."""

    first: bool = False


class GotForm(LabelsForm, WindowForm):
    how = forms.MultipleChoiceField(
        label=gettext_lazy("By what (none: by anything)"), required=False, choices=_choices(GIVEN)
    )
    first = forms.BooleanField(label=gettext_lazy("Only for the first time"), required=False)


class LostForm(LabelsForm, WindowForm):
    how = forms.MultipleChoiceField(
        label=gettext_lazy("By what (none: by anything)"), required=False, choices=_choices(TAKEN)
    )


class _Changing(LabelCriterion):
    """What both saw: the latest intervals of the labels."""

    def seen(self, params: ChangeParams, customer: Any, *, now: dt.datetime) -> str:
        return told(intervals(customer, ids_of(params.labels), now=now), now=now) or _("never had these labels")


class GotLabel(_Changing):
    """Was given one of these labels in a stretch of time, whether or not it is gone now."""

    code = "labels.got"
    label = gettext_lazy("Got a label")
    params = GotParams
    form = GotForm

    def to_q(self, params: GotParams, *, now: dt.datetime) -> Q:
        start, end = params.happened(now=now)
        given = Assignment.objects.filter(since__lte=now) if end == now else Assignment.objects.filter(since__lt=end)
        given = given.filter(since__gte=start) if start is not None else given
        given = given.given_by_what(params.how) if params.how else given
        if params.first:
            same = Assignment.objects.filter(customer=OuterRef("customer"), label=OuterRef("label"))
            given = given.exclude(Exists(same.filter(since__lt=OuterRef("since"))))
        return with_any(given, ids_of(params.labels))

    def sentence(self, params: GotParams) -> str:
        names = self.names(params.labels, _("or"))
        template = _("got the label %s for the first time") if params.first else _("got the label %s")
        return _narrowed(template % names, params)


class LostLabel(_Changing):
    """Lost one of these labels in a stretch of time, whether or not it came back."""

    code = "labels.lost"
    label = gettext_lazy("Lost a label")
    params = ChangeParams
    form = LostForm

    def to_q(self, params: ChangeParams, *, now: dt.datetime) -> Q:
        start, end = params.happened(now=now)
        taken = Assignment.objects.filter(until__lte=now) if end == now else Assignment.objects.filter(until__lt=end)
        taken = taken.filter(until__gte=start) if start is not None else taken
        # Taken in the moment in which it was given: it was never there.
        taken = taken.filter(until__gt=F("since"))
        taken = taken.taken_by_what(params.how) if params.how else taken
        return with_any(taken, ids_of(params.labels))

    def sentence(self, params: ChangeParams) -> str:
        return _narrowed(_("lost the label %s") % self.names(params.labels, _("or")), params)


def _narrowed(clause: str, params: ChangeParams) -> str:
    """Return the clause with its window and by what: "… in the past 30 days (by hand or by an import)"."""
    if not params.is_ever:
        clause = _("%(clause)s %(when)s") % {"clause": clause, "when": params.words()}
    by = wording.one_of(str(how.label) for how in params.how)
    return _("%(clause)s (%(by)s)") % {"clause": clause, "by": by} if by else clause
