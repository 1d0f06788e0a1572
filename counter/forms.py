"""What is typed or scanned at the counter."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.crypto import get_random_string
from django.utils.translation import gettext_lazy as _

from common.money import parse_cents

MOST_CENTS = 2**31 - 1
_SCANNED = {"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false", "enterkeyhint": "go"}


class AmountField(forms.CharField):
    """Euros as people write them (``12,50``), cleaned to integer cents; empty is None."""

    widget = forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"})

    def clean(self, value: Any) -> int | None:
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


class CodeForm(forms.Form):
    """Step 1: the code, and the card if the customer has it with him."""

    code = forms.CharField(label=_("Code on the voucher"), max_length=60, widget=forms.TextInput(attrs=_SCANNED))
    customer_number = forms.CharField(
        label=_("Customer number"),
        max_length=40,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off", "inputmode": "text"}),
    )


class RedeemForm(forms.Form):
    """Step 2: the same again, with the amount and a key that makes a second press of the button harmless."""

    code = forms.CharField(max_length=60, widget=forms.HiddenInput)
    customer_number = forms.CharField(max_length=40, required=False, widget=forms.HiddenInput)
    idempotency_key = forms.CharField(max_length=40, required=False, widget=forms.HiddenInput)
    order_amount = AmountField(label=_("Amount of the purchase"), max_length=20, required=False)

    def clean_idempotency_key(self) -> str:
        """Give a request that names no key one of its own."""
        return str(self.cleaned_data["idempotency_key"]) or new_key()


class ReverseForm(forms.Form):
    """Why a redemption is taken back."""

    reason = forms.CharField(
        label=_("Reason"), max_length=200, help_text=_("For example: the customer cancels the purchase, or a mistake.")
    )


def new_key() -> str:
    """Return a fresh idempotency key."""
    return get_random_string(32)
