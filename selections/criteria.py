"""A selection or a result set as a criterion: build once "active parents", use it everywhere."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms
from django.db.models import Q
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from pydantic import Field

from common.criteria import Criterion, Params, criteria
from common.errors import Refused
from common.remembering import remembered
from common.time import local_date
from selections.compiler import entering, members
from selections.explain import describe
from selections.models import ResultMember, ResultSet, Selection
from selections.past import gaps
from selections.rules import parse_rule


class InParams(Params):
    """The selection's id."""

    selection: int = Field(ge=1)


@remembered
def _choices() -> list[tuple[int | str, str]]:
    return [("", "---------"), *Selection.objects.in_use().values_list("pk", "name")]


class InForm(forms.Form):
    selection = forms.TypedChoiceField(label=gettext_lazy("Selection"), coerce=int, choices=_choices)


class InSelection(Criterion):
    """Whether the customer is in another selection, at the same instant."""

    code = "selections.in"
    group = gettext_lazy("Selections")
    label = gettext_lazy("Is in a selection")
    params = InParams
    form = InForm

    def to_q(self, params: InParams, *, now: dt.datetime) -> Q:
        return Q(pk__in=members(self._selection(params), now=now).values("pk"))

    def sentence(self, params: InParams) -> str:
        name = Selection.objects.filter(pk=params.selection).values_list("name", flat=True).first()
        return _("are in the selection “%s”") % (name or f"#{params.selection}")

    def seen(self, params: InParams, customer: Any, *, now: dt.datetime) -> str:
        return describe(self._selection(params).rule)

    def gap(self, params: InParams, *, now: dt.datetime, present: dt.datetime) -> str:
        selection = self._selection(params)
        with entering(selection):
            found = gaps(parse_rule(selection.rule), now=now, present=present)
        return " ".join(dict.fromkeys(found.values()))

    def check(self, params: InParams) -> None:
        self._selection(params)

    def _selection(self, params: InParams) -> Selection:
        selection = Selection.objects.filter(pk=params.selection).first()
        if selection is None:
            raise Refused("unknown_selection", _("The selection it refers to does not exist."), field="selection")
        return selection


class InSetParams(Params):
    """The result set's id."""

    result_set: int = Field(ge=1)


@remembered
def _sets() -> list[tuple[int | str, str]]:
    return [("", "---------"), *ResultSet.objects.filter(is_waiting=False).order_by("name").values_list("pk", "name")]


class InSetForm(forms.Form):
    result_set = forms.TypedChoiceField(label=gettext_lazy("Result set"), coerce=int, choices=_sets)


class InResultSet(Criterion):
    """Whether the customer is among those who were kept; that does not change, so every moment has one answer."""

    code = "selections.in_set"
    group = gettext_lazy("Selections")
    label = gettext_lazy("Is in a result set")
    params = InSetParams
    form = InSetForm

    def to_q(self, params: InSetParams, *, now: dt.datetime) -> Q:
        kept = self._kept(params)
        return Q(pk__in=ResultMember.objects.filter(result_set=kept.pk).values("customer_id"))

    def sentence(self, params: InSetParams) -> str:
        kept = ResultSet.objects.filter(pk=params.result_set).only("name", "as_of").first()
        if kept is None:
            return _("are in the result set “%s”") % f"#{params.result_set}"
        shown = {"name": kept.name, "day": date_format(local_date(kept.as_of), "j F Y")}
        return _("are in the result set “%(name)s” of %(day)s") % shown

    def seen(self, params: InSetParams, customer: Any, *, now: dt.datetime) -> str:
        kept = self._kept(params)
        is_in = ResultMember.objects.filter(result_set=kept.pk, customer=customer.pk).exists()
        day = date_format(local_date(kept.as_of), "j F Y")
        return (_("was in it on %s") if is_in else _("was not in it on %s")) % day

    def check(self, params: InSetParams) -> None:
        self._kept(params)

    def _kept(self, params: InSetParams) -> ResultSet:
        kept = ResultSet.objects.filter(pk=params.result_set).only("as_of", "name", "is_waiting").first()
        if kept is None:
            message = _("The result set it refers to does not exist.")
            raise Refused("unknown_result_set", message, field="result_set")
        if kept.is_waiting:
            message = _("Who are in the result set “%s” is still being looked up. Try again in a few minutes.")
            raise Refused("result_set_waits", message % kept.name, field="result_set")
        return kept


criteria.register(InSelection())
criteria.register(InResultSet())
