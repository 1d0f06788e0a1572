"""The thresholds of a family of system labels as a form: shape only, the limits are those of ``labels.system``."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext as _

from common.forms import AmountField
from common.money import format_cents
from labels.system import Family
from labels.system.thresholds import Number, Threshold


class ThresholdForm(forms.Form):
    def __init__(self, *args: Any, family: Family, **options: Any) -> None:
        super().__init__(*args, **options)
        self.family = family
        for one in family.thresholds:
            self.fields[one.code] = _field(one)

    @property
    def numbers(self) -> dict[str, Number]:
        """What was chosen, as the thresholds count: money in cents."""
        return {one.code: self.cleaned_data[one.code] for one in self.family.thresholds}


def initial_of(family: Family) -> dict[str, Any]:
    """Return the thresholds as they are, as the form shows them."""
    limits = family.limits()
    return {one.code: _shown(one, limits[one.code]) for one in family.thresholds}


def _field(one: Threshold) -> forms.Field:
    about: dict[str, Any] = {"label": one.words, "help_text": _("Usually: %s") % in_words(one, one.default)}
    if one.unit == "cents":
        return AmountField(**about)
    widget = forms.NumberInput(attrs={"step": one.step, "inputmode": "numeric"})
    return forms.IntegerField(min_value=int(one.min), max_value=int(one.max), widget=widget, **about)


def in_words(one: Threshold, number: Number) -> str:
    """Return a threshold as people read it."""
    if one.unit == "cents":
        return format_cents(int(number))
    return f"{number:g}%" if one.unit == "percent" else f"{number:g}"


def filled_in(one: Threshold, number: Number) -> tuple[str, str, str]:
    """Return a threshold as a sentence with its number in it: what comes before, the number, what comes after."""
    before, gap, after = str(one.words).rpartition("…")
    if not gap:
        return f"{after}: ", in_words(one, number), ""
    return before, in_words(one, number) if one.unit == "cents" else f"{number:g}", after


def _shown(one: Threshold, number: Number) -> str:
    return f"{number / 100:.2f}".replace(".", ",") if one.unit == "cents" else f"{number:g}"
