"""Comparing any number that is known of customers: age, how often ever, computed values."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any, Literal

from django import forms
from django.db.models import F, Q, Window
from django.db.models.functions import PercentRank
from django.utils.formats import localize
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from pydantic import Field, model_validator

from common.criteria import Criterion, Params
from common.values import Bounds, values
from common.values import Value as AnyValue
from customers.criteria import wording
from customers.criteria.fields.numbers import OPS, comparison_words
from customers.criteria.moments import known_at
from customers.criteria.windows import shown_when
from customers.models import Customer

_OF_NOTHING, _OF_TWO, _OF_SHARE = ("empty", "filled"), ("between", "outside"), ("top", "bottom")
_VALUE_OPS = [
    *OPS[:-2],
    ("top", gettext_lazy("among the highest … percent")),
    ("bottom", gettext_lazy("among the lowest … percent")),
    ("empty", gettext_lazy("is unknown")),
    ("filled", gettext_lazy("is known")),
]
_OF_NUMBER = tuple(op for op, _label in _VALUE_OPS if op not in (*_OF_NOTHING, *_OF_SHARE))


class ValueParams(Params):
    """``value`` is a code of ``common.values``, looked up when used. Amounts are in cents."""

    value: str = Field(max_length=60)
    op: Literal[
        "at_least",
        "at_most",
        "more",
        "less",
        "exactly",
        "not",
        "between",
        "outside",
        "top",
        "bottom",
        "empty",
        "filled",
    ] = "at_least"
    number: float | None = Field(default=None, ge=-1e9, le=1e9)
    number_to: float | None = Field(default=None, ge=-1e9, le=1e9)
    percent: float | None = Field(default=None, gt=0, lt=100)

    @model_validator(mode="after")
    def _complete(self) -> ValueParams:
        if self.op in _OF_NUMBER and self.number is None:
            raise ValueError(_("Fill in a number."))
        if self.op in _OF_TWO and (self.number_to is None or self.number_to < (self.number or 0)):
            raise ValueError(_("Fill in two numbers, the lowest first."))
        if self.op in _OF_SHARE and self.percent is None:
            raise ValueError(_("Fill in a percentage."))
        return self


def value_choices() -> wording.Choices:
    """Return all values there are, by code."""
    return [(value.code, value.label) for value in values]


def _is_money(code: str) -> bool:
    known = values.get(code)
    return known is not None and known.unit == "cents"


class ValueForm(forms.Form):
    value = forms.ChoiceField(label=gettext_lazy("Value"), choices=value_choices)
    op = forms.ChoiceField(label=gettext_lazy("How it compares"), choices=_VALUE_OPS, initial="at_least")
    number = forms.DecimalField(
        label=gettext_lazy("Number, or euros"), required=False, max_digits=9, decimal_places=2, localize=True
    )
    number_to = forms.DecimalField(
        label=gettext_lazy("Until"), required=False, max_digits=9, decimal_places=2, localize=True
    )
    percent = forms.DecimalField(
        label=gettext_lazy("Percent"),
        required=False,
        min_value=Decimal("0.1"),
        max_value=Decimal("99.9"),
        max_digits=3,
        decimal_places=1,
        localize=True,
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        shown_when(self, "number", "op", _OF_NUMBER)
        shown_when(self, "number_to", "op", _OF_TWO)
        shown_when(self, "percent", "op", _OF_SHARE)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if _is_money(cleaned.get("value", "")):
            for name in ("number", "number_to"):
                if cleaned.get(name) is not None:
                    cleaned[name] = int(cleaned[name] * 100)
        return cleaned


def _bounds(params: ValueParams) -> Bounds:
    """Return between which numbers the question lies; "not" and "outside" ask for the rest."""
    number, op = params.number, params.op
    if op in ("at_least", "more"):
        return Bounds(low=number, is_open=op == "more")
    if op in ("at_most", "less"):
        return Bounds(high=number, is_open=op == "less")
    return Bounds(number, params.number_to if op in _OF_TWO else number)


class HasValue(Criterion):
    """A value compared with a number, or with that of all others; of whom it is unknown only "is unknown" is true."""

    code = "customer.value"
    group = gettext_lazy("Values")
    label = gettext_lazy("Value (age, how often ever, computed values, …)")
    params = ValueParams
    form = ValueForm

    def to_q(self, params: ValueParams, *, now: dt.datetime) -> Q:
        value = values.get(params.value)
        if value is None:
            return Q(pk__in=[])
        if params.op in _OF_NOTHING:
            known = value.known(now=now)
            return ~known if params.op == "empty" else known
        if params.op in _OF_SHARE:
            return self._share(value, params, now)
        within = value.within(_bounds(params), now=now)
        return value.known(now=now) & ~within if params.op in ("not", "outside") else within

    def _share(self, value: AnyValue, params: ValueParams, now: dt.datetime) -> Q:
        """Return who has his place, from 0 to 1 among those of whom it is known (and who were known then), before the
        percentage; who are equal have the same place.
        """
        order = F("worth").desc() if params.op == "top" else F("worth").asc()
        everybody = Customer.objects.usable().filter(known_at(now)).order_by()
        known = value.annotated(everybody, now=now).filter(worth__isnull=False)
        placed = known.annotate(place=Window(PercentRank(), order_by=order))
        return Q(pk__in=placed.filter(place__lt=(params.percent or 0) / 100).values("pk"))

    def _words(self, code: str, number: float) -> str:
        if _is_money(code):
            return values[code].words(number)
        return str(localize(int(number) if number == int(number) else number))

    def _name(self, code: str) -> str:
        known = values.get(code)
        return str(known.label) if known else code

    def sentence(self, params: ValueParams) -> str:
        name = {"value": self._name(params.value)}
        if params.op in _OF_NOTHING:
            words = _("have an unknown “%(value)s”") if params.op == "empty" else _("have a known “%(value)s”")
            return words % name
        if params.op in _OF_SHARE:
            words = (
                _("are among the %(percent)s%% with the highest “%(value)s”")
                if params.op == "top"
                else _("are among the %(percent)s%% with the lowest “%(value)s”")
            )
            return words % {**name, "percent": self._words("", params.percent or 0)}
        number = comparison_words(params, lambda number: self._words(params.value, number))
        return _("have %(number)s as “%(value)s”") % {**name, "number": number}

    def seen(self, params: ValueParams, customer: Any, *, now: dt.datetime) -> str:
        known = values.get(params.value)
        if known is None:
            return ""
        row = Customer.everyone.filter(pk=customer.pk).annotate(worth=known.expression(now=now))
        worth = row.values_list("worth", flat=True).get()
        if worth is None:
            return _("%(value)s: unknown") % {"value": known.label}
        return f"{known.label}: {known.words(worth)}"

    def gap(self, params: ValueParams, *, now: dt.datetime, present: dt.datetime) -> str:
        known = values.get(params.value)
        return str(known.forgets) if known else ""

    def initial(self, params: Params) -> dict[str, Any]:
        shown = super().initial(params)
        factor = 100 if _is_money(shown["value"]) else 1
        for name in ("number", "number_to", "percent"):
            if name in shown:
                number = shown[name] / (1 if name == "percent" else factor)
                shown[name] = int(number) if number == int(number) else number
        return shown

    def check(self, params: ValueParams) -> None:
        wording.require_known([params.value], dict(value_choices()), field="value")


CRITERIA: tuple[Criterion, ...] = (HasValue(),)
