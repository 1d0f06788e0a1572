"""Forms around one customer: who it is, what was said about consent, an own label."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from customers.models import Branch, Customer
from customers.records import FIELDS
from labels.models import Label


class DateInput(forms.DateInput):
    input_type = "date"

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(format="%Y-%m-%d", **kwargs)


class CustomerForm(forms.Form):
    kind = forms.ChoiceField(label=_("Kind of customer"), choices=Customer.Kind)
    card_number = forms.CharField(
        label=_("Card number"),
        required=False,
        max_length=40,
        help_text=_("What the library card says, where that is not the customer number."),
    )
    initials = forms.CharField(label=_("Initials"), required=False, max_length=20)
    first_name = forms.CharField(label=_("First name"), required=False, max_length=80)
    name_prefix = forms.CharField(label=_("Name prefix"), required=False, max_length=20)
    last_name = forms.CharField(label=_("Last name"), required=False, max_length=100)
    birth_date = forms.DateField(label=_("Birth date"), required=False, widget=DateInput)
    gender = forms.ChoiceField(label=_("Gender"), required=False, choices=Customer.Gender)
    email = forms.CharField(
        label=_("E-mail address"),
        required=False,
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
        help_text=_("What you enter here is not overwritten by a later import."),
    )
    phone = forms.CharField(
        label=_("Phone number"), required=False, max_length=30, widget=forms.TextInput(attrs={"type": "tel"})
    )
    street = forms.CharField(label=_("Street"), required=False, max_length=100)
    house_number = forms.CharField(label=_("House number"), required=False, max_length=10)
    house_number_addition = forms.CharField(label=_("Addition"), required=False, max_length=20)
    postal_code = forms.CharField(label=_("Postal code"), required=False, max_length=10)
    city = forms.CharField(label=_("Place"), required=False, max_length=80)
    branch = forms.ModelChoiceField(
        label=_("Branch"), required=False, queryset=Branch.objects.all(), empty_label=_("No branch")
    )
    registered_on = forms.DateField(label=_("Registered on"), required=False, widget=DateInput)
    deceased_on = forms.DateField(
        label=_("Died on"),
        required=False,
        widget=DateInput,
        help_text=_("From then on nothing is sent. Do you not know the day? Fill in the day on which you heard it."),
    )

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if not cleaned.get("last_name") and not cleaned.get("email") and "email" not in self.errors:
            self.add_error("last_name", _("Fill in a last name or an e-mail address."))
        return cleaned


class ChangeCustomerForm(CustomerForm):
    """Also news about the address, which only somebody who is known can have."""

    address_state = forms.ChoiceField(
        label=_("News about this address"),
        required=False,
        choices=Customer.AddressState,
        help_text=_("No letters go to an address with news. A new address clears it."),
    )


class NewCustomerForm(CustomerForm):
    number = forms.CharField(label=_("Customer number"), max_length=40)
    field_order = ("number",)


def field_names() -> dict[str, str]:
    """Return the fields of a customer as a history calls them."""
    return {code: str(field.name) for code, field in FIELDS.items()} | {
        name: str(field.label) for name, field in (NewCustomerForm.base_fields | ChangeCustomerForm.base_fields).items()
    }


class GiveLabelForm(forms.Form):
    """An own label that the customer does not have yet."""

    label = forms.ModelChoiceField(label=_("Label"), queryset=Label.objects.none(), empty_label=_("Choose a label"))

    def __init__(self, *args: Any, customer: Customer, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        held = customer.label_assignments.filter(until__isnull=True).values("label_id")
        self.fields["label"].queryset = Label.objects.for_hand().exclude(pk__in=held)  # type: ignore[attr-defined]
