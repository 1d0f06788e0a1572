"""Form fields that several faces share."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from common.money import parse_cents

MOST_CENTS = 2**31 - 1


class AmountField(forms.CharField):
    """Euros as people write them (``12,50``), cleaned to integer cents; empty is None."""

    def __init__(self, **options: Any) -> None:
        attrs = {"inputmode": "decimal", "autocomplete": "off"}
        super().__init__(**{"widget": forms.TextInput(attrs=attrs), "max_length": 20, **options})

    def clean(self, value: Any) -> Any:
        """Return cents; raises ValidationError for what is no amount, or too large a one."""
        text = super().clean(value)
        if not text:
            return None
        try:
            cents = parse_cents(text)
        except ValueError:
            cents = -1
        if not 0 <= cents <= MOST_CENTS:
            raise forms.ValidationError(_("Write the amount like this: 12,50."), code="invalid")
        return cents
