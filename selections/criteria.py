"""A selection as a criterion of another: build once "active parents", use it everywhere."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms
from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from pydantic import Field

from common.criteria import Criterion, Params, criteria
from common.errors import Refused
from common.remembering import remembered
from selections.compiler import entering, members
from selections.explain import describe
from selections.models import Selection
from selections.past import gaps
from selections.rules import parse_rule


class InParams(Params):
    """The selection's id."""

    selection: int = Field(ge=1)


@remembered
def _choices() -> list[tuple[int | str, str]]:
    return [("", "---------"), *Selection.objects.values_list("pk", "name")]


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


criteria.register(InSelection())
