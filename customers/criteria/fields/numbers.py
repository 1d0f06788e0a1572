"""Questions about a number or an amount."""

from __future__ import annotations

import datetime as dt
from typing import Any, Literal

from django import forms
from django.db.models import Q
from django.db.models.lookups import IsNull
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from pydantic import Field, model_validator

from common.criteria import Params
from common.money import format_cents
from common.values import Bounds
from customers.criteria.fields.base import FieldCriterion
from customers.criteria.windows import shown_when

NumberOp = Literal[
    "exactly", "not", "less", "at_most", "more", "at_least", "between", "outside", "empty", "filled",
]  # fmt: skip
OPS = [
    ("at_least", gettext_lazy("at least")),
    ("at_most", gettext_lazy("at most")),
    ("more", gettext_lazy("more than")),
    ("less", gettext_lazy("less than")),
    ("exactly", gettext_lazy("exactly")),
    ("not", gettext_lazy("not exactly")),
    ("between", gettext_lazy("from … to …")),
    ("outside", gettext_lazy("not from … to …")),
    ("empty", gettext_lazy("is empty")),
    ("filled", gettext_lazy("is not empty")),
]
_OF_NOTHING, _OF_TWO = ("empty", "filled"), ("between", "outside")
_OF_NUMBER = tuple(op for op, _label in OPS if op not in _OF_NOTHING)


class NumberParams(Params):
    """``number`` goes with most questions, ``number_to`` with "between" and "outside"; both are included."""

    op: NumberOp = "at_least"
    number: int | None = Field(default=None, ge=-(10**9), le=10**9)
    number_to: int | None = Field(default=None, ge=-(10**9), le=10**9)

    @model_validator(mode="after")
    def _complete(self) -> NumberParams:
        if self.op in _OF_NUMBER and self.number is None:
            raise ValueError(_("Fill in a number."))
        if self.op in _OF_TWO and (self.number_to is None or self.number_to < (self.number or 0)):
            raise ValueError(_("Fill in two numbers, the lowest first."))
        return self


class NumberForm(forms.Form):
    op = forms.ChoiceField(label=gettext_lazy("How it compares"), choices=OPS, initial="at_least")
    number = forms.IntegerField(
        label=gettext_lazy("Number"), required=False, min_value=-(10**9), max_value=10**9, localize=True
    )
    number_to = forms.IntegerField(
        label=gettext_lazy("Until"), required=False, min_value=-(10**9), max_value=10**9, localize=True
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        shown_when(self, "number", "op", _OF_NUMBER)
        shown_when(self, "number_to", "op", _OF_TWO)


def compared(expression: Any, params: Any) -> Q:
    """Return the condition that a number meets the params; of whom it is unknown only "empty" is true."""
    if params.op in _OF_NOTHING:
        return Q(IsNull(expression, params.op == "empty"))
    number, op = params.number, params.op
    if op in ("at_least", "more"):
        return Bounds(low=number, is_open=op == "more").around(expression)
    if op in ("at_most", "less"):
        return Bounds(high=number, is_open=op == "less").around(expression)
    inside = Bounds(number, params.number_to if op in _OF_TWO else number).around(expression)
    return Q(IsNull(expression, False)) & ~inside if op in ("not", "outside") else inside


def comparison_words(params: Any, words: Any) -> str:
    """Return the comparison in words, ``words`` turning a number into text: "at least 3", "from 3 to 5"."""
    low = words(params.number) if params.number is not None else ""
    high = words(params.number_to) if params.number_to is not None else ""
    texts = {
        "at_least": lambda: _("at least %(number)s"),
        "at_most": lambda: _("at most %(number)s"),
        "more": lambda: _("more than %(low)s"),
        "less": lambda: _("less than %(low)s"),
        "exactly": lambda: _("exactly %(number)s"),
        "not": lambda: _("anything but %(low)s"),
        "between": lambda: _("%(low)s to %(high)s"),
        "outside": lambda: _("anything but %(low)s to %(high)s"),
    }
    return texts[params.op]() % {"number": low, "low": low, "high": high}


class NumberCriterion(FieldCriterion):
    """A number of a customer; who has none is only found by "is empty"."""

    base_params = NumberParams
    base_form = NumberForm

    def to_q(self, params: NumberParams, *, now: dt.datetime) -> Q:
        return self.spec.owner.customers(compared(self.spec.expression, params), params, now=now)

    def noun(self, params: NumberParams) -> str:
        if params.op == "empty":
            return _("no %(fields)s") % {"fields": self.spec.name}
        if params.op == "filled":
            return _("a known %(field)s") % {"field": self.spec.name}
        number = comparison_words(params, self.words_of)
        return _("a %(field)s of %(number)s") % {"field": self.spec.name, "number": number}

    def words_of(self, value: Any) -> str:
        return str(value)


class CentsForm(NumberForm):
    number = forms.DecimalField(
        label=gettext_lazy("Euros"), required=False, max_digits=9, decimal_places=2, localize=True
    )
    number_to = forms.DecimalField(
        label=gettext_lazy("Until"), required=False, max_digits=9, decimal_places=2, localize=True
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        for name in ("number", "number_to"):
            if cleaned.get(name) is not None:
                cleaned[name] = int(cleaned[name] * 100)
        return cleaned


class CentsCriterion(NumberCriterion):
    """An amount of a customer, kept in cents and asked in euros."""

    base_form = CentsForm

    def initial(self, params: Params) -> dict[str, Any]:
        initial = super().initial(params)
        return initial | {name: initial[name] / 100 for name in ("number", "number_to") if name in initial}

    def words_of(self, value: Any) -> str:
        return format_cents(int(value))
