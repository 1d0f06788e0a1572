"""Questions about one out of a list."""

from __future__ import annotations

import datetime as dt
from typing import Any, Literal

from django import forms
from django.db.models import Q
from django.db.models.lookups import In
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from pydantic import Field

from common.criteria import Params
from customers.criteria import wording
from customers.criteria.fields.base import FieldCriterion, FieldSpec
from customers.criteria.people import ANY_OR_NONE


class ChoiceParams(Params):
    op: Literal["any", "none"] = "any"
    choices: list[str] = Field(min_length=1)


class ChoiceForm(forms.Form):
    op = forms.ChoiceField(label=gettext_lazy("How it compares"), choices=ANY_OR_NONE, required=False, initial="any")


class ChoiceCriterion(FieldCriterion):
    """One out of a list; "none of" also finds who has none at all, except of subscriptions."""

    base_params = ChoiceParams
    base_form = ChoiceForm

    @classmethod
    def fields_of(cls, spec: FieldSpec) -> dict[str, Any]:
        choices = spec.choices or list
        return {
            "choices": forms.MultipleChoiceField(label=spec.label, choices=choices, widget=forms.CheckboxSelectMultiple)
        }

    def _choices(self) -> dict[str, Any]:
        return dict((self.spec.choices or list)())

    def to_q(self, params: ChoiceParams, *, now: dt.datetime) -> Q:
        condition = Q(In(self.spec.expression, list(params.choices)))
        owner = self.spec.owner
        if params.op == "none" and not owner.one:
            return owner.customers(~condition, params, now=now)
        found = owner.customers(condition, params, now=now)
        return ~found if params.op == "none" else found

    def noun(self, params: ChoiceParams) -> str:
        names = wording.one_of(
            str(name).lower() for name in wording.named(params.choices, list(self._choices().items()))
        )
        values = {"text": names, "field": self.spec.name}
        if params.op == "none" and self.spec.owner.one:
            return _("not %(text)s as %(field)s") % values
        if params.op == "none":
            return _("something else than %(text)s as %(field)s") % values
        return _("%(text)s as %(field)s") % values

    def words_of(self, value: Any) -> str:
        return str(self._choices().get(value, value)).lower()

    def check(self, params: ChoiceParams) -> None:
        wording.require_known(params.choices, self._choices(), field="choices")
