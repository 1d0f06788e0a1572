"""Forms around kinds of activity: shape only, the rules are in customers.actions.kinds."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from customers.facts import OWN_ICONS


class KindForm(forms.Form):
    name = forms.CharField(
        label=_("Name"), max_length=60, help_text=_("For example “Workshop”. In a file it is called the same.")
    )
    verb = forms.CharField(
        label=_("In the past tense"),
        max_length=60,
        help_text=_("Stands in the timeline of a customer: “attended a workshop”."),
    )
    participle = forms.CharField(
        label=_("After “have”"),
        max_length=60,
        required=False,
        help_text=_("Stands in selections: customers who have “attended a workshop”."),
    )
    icon = forms.ChoiceField(label=_("Icon"), choices=list(OWN_ICONS.items()), required=False)
    unit = forms.CharField(
        label=_("What its number counts"),
        max_length=30,
        required=False,
        help_text=_("For example “half-days”. Empty: pieces."),
    )
    has_amount = forms.BooleanField(
        label=_("Has an amount in euros"), required=False, help_text=_("Counts as income of the customer.")
    )
    has_duration = forms.BooleanField(label=_("Has a duration"), required=False)


class RetentionForm(forms.Form):
    months = forms.IntegerField(
        label=_("Kept for … months"),
        required=False,
        min_value=1,
        max_value=600,
        help_text=_("Empty: for as long as we know the customer."),
    )
