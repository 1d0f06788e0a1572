"""What customers fill in."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _


class LinkForm(forms.Form):
    """To which mailbox the link must go."""

    address = forms.EmailField(
        label=_("Your e-mail address"), widget=forms.EmailInput(attrs={"autocomplete": "email"}), max_length=254
    )


class AddressForm(forms.Form):
    """A new e-mail address, typed twice."""

    address = forms.EmailField(
        label=_("New e-mail address"), widget=forms.EmailInput(attrs={"autocomplete": "email"}), max_length=254
    )
    again = forms.EmailField(label=_("The same address again"), max_length=254)

    def clean(self) -> dict[str, Any]:
        """Refuse two addresses that differ."""
        cleaned = super().clean() or self.cleaned_data
        address, again = cleaned.get("address", ""), cleaned.get("again", "")
        if address and again and address.lower() != again.lower():
            self.add_error("again", _("This differs from the address above."))
        return cleaned
