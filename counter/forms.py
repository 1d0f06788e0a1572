"""What is typed or scanned at the counter."""

from __future__ import annotations

from django import forms
from django.utils.crypto import get_random_string
from django.utils.translation import gettext_lazy as _

from common.forms import AmountField

_SCANNED = {"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false", "enterkeyhint": "go"}


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
    order_amount = AmountField(label=_("Amount of the purchase"), required=False)

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
