"""Forms about privacy: shape only, the rules are in customers.actions.privacy."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from customers.models import Customer, Erasure
from customers.models.privacy import RegisterTexts
from customers.privacy.periods import Chosen


class ReasonForm(forms.Form):
    reason = forms.CharField(
        label=_("Why"),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("It stays in the history of this customer, who may read it."),
    )


class EraseForm(forms.Form):
    ground = forms.ChoiceField(
        label=_("Why"),
        choices=[
            (Erasure.Ground.REQUEST, Erasure.Ground.REQUEST.label),
            (Erasure.Ground.ERROR, Erasure.Ground.ERROR.label),
        ],
        widget=forms.RadioSelect,
        initial=Erasure.Ground.REQUEST,
        help_text=_("At the customer's request, a file or a system cannot bring this person back."),
    )
    number = forms.CharField(
        label=_("Type the customer number to confirm"),
        max_length=40,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )

    def __init__(self, *args: Any, customer: Customer, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.customer = customer

    def clean_number(self) -> str:
        if self.cleaned_data["number"].strip() != self.customer.number:
            raise forms.ValidationError(_("This is not the number of this customer."))
        return self.customer.number


class RefuseForm(forms.Form):
    answer = forms.CharField(
        label=_("Answer to the customer"),
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 6}),
        help_text=_(
            "The customer reads this in MijnMenu. Say why, and that a complaint can be made to the Dutch authority "
            "(autoriteitpersoonsgegevens.nl) or brought before a court."
        ),
    )


class ReleaseForm(forms.Form):
    value = forms.CharField(
        label=_("E-mail address, telephone number or customer number"),
        max_length=254,
        help_text=_("Only when its owner asks for something again: from then on it can be entered and imported."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


class RetentionForm(forms.Form):
    is_on = forms.BooleanField(label=_("Remove every night what is older"), required=False)
    period = forms.IntegerField(label=_("Kept for"), min_value=1, required=False)

    def __init__(self, *args: Any, chosen: Chosen, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.chosen = chosen
        self.fields["is_on"].help_text = chosen.rule.about
        label = _("Kept for (days)") if chosen.rule.unit == "days" else _("Kept for (months)")
        self.fields["period"].label = label
        self.fields["period"].required = bool(chosen.rule.unit)


class RegisterForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = RegisterTexts
        fields = ("controller", "officer", "recipients", "transfers", "security")
        widgets = {name: forms.Textarea(attrs={"rows": 4}) for name in fields}
        help_texts = {
            "controller": _("Name of the organisation, with address, telephone number and e-mail address."),
            "officer": _("Name and how to reach them; empty when there is none."),
            "recipients": _("Who gets data besides those the product knows of: a printer, a parent organisation."),
            "transfers": _("To which country, and on what ground. Empty when nothing leaves the EEA."),
            "security": _("In general words: who has access, encryption, back-ups, agreements with suppliers."),
        }
