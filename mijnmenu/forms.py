"""What customers fill in."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext_lazy as _


class LinkForm(forms.Form):
    """To which mailbox the link must go."""

    address = forms.EmailField(
        label=_("Your e-mail address"), widget=forms.EmailInput(attrs={"autocomplete": "email"}), max_length=254
    )


class SignUpForm(forms.Form):
    """An e-mail address and, for who likes, a name."""

    email = forms.EmailField(
        label=_("Your e-mail address"), widget=forms.EmailInput(attrs={"autocomplete": "email"}), max_length=254
    )
    first_name = forms.CharField(
        label=_("First name"), required=False, max_length=80,
        widget=forms.TextInput(attrs={"autocomplete": "given-name"}),
    )  # fmt: skip
    last_name = forms.CharField(
        label=_("Last name"), required=False, max_length=100,
        widget=forms.TextInput(attrs={"autocomplete": "family-name"}),
    )  # fmt: skip


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


class RectifyForm(forms.Form):
    """Name, address and telephone number; ``closed`` are fields in which another source has the last word."""

    first_name = forms.CharField(label=_("First name"), max_length=80, required=False)
    initials = forms.CharField(label=_("Initials"), max_length=20, required=False)
    name_prefix = forms.CharField(label=_("Name prefix"), max_length=20, required=False)
    last_name = forms.CharField(label=_("Last name"), max_length=100)
    postal_code = forms.CharField(label=_("Postal code"), max_length=7, required=False)
    house_number = forms.CharField(label=_("House number"), max_length=10, required=False)
    house_number_addition = forms.CharField(label=_("Addition"), max_length=20, required=False)
    street = forms.CharField(label=_("Street"), max_length=100, required=False)
    city = forms.CharField(label=_("City"), max_length=80, required=False)
    phone = forms.CharField(label=_("Telephone"), max_length=20, required=False)

    COMPLETE: ClassVar[dict[str, str]] = {
        "first_name": "given-name",
        "last_name": "family-name",
        "postal_code": "postal-code",
        "street": "street-address",
        "city": "address-level2",
        "phone": "tel",
    }

    def __init__(self, *args: Any, closed: Collection[str] = (), **kwargs: Any) -> None:
        """Close what cannot be changed here; a closed field is left out of what is saved."""
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            if name in self.COMPLETE:
                field.widget.attrs["autocomplete"] = self.COMPLETE[name]
            if name in closed:
                field.disabled = True
                field.help_text = _("This comes from another system; tell us at the desk when it is wrong.")
        self.closed = closed

    def clean(self) -> dict[str, Any]:
        """Leave out what is closed; an address is whole or not there."""
        cleaned = super().clean() or self.cleaned_data
        needed = ("postal_code", "house_number", "street", "city")
        filled = [name for name in needed if cleaned.get(name)]
        if filled and len(filled) < len(needed):
            for name in set(needed) - set(filled):
                self.add_error(name, _("Fill this in too, or leave the whole address empty."))
        return {name: value for name, value in cleaned.items() if name not in self.closed}


class ErasureForm(forms.Form):
    """Why somebody wants to go, when they want to tell."""

    note = forms.CharField(
        label=_("Do you want to say anything about it?"),
        max_length=1000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
