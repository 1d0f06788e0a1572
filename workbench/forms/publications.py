"""Forms about publications: shape only, the rules are in mailings.actions.publications."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from customers.consents import reaching_purposes
from customers.models import Channel
from mailings.blocks import WebAddress
from mailings.publishing import COLUMNS


class PublicationForm(forms.Form):
    name = forms.CharField(label=_("Name"), max_length=100)
    purpose = forms.ModelChoiceField(label=_("For which purpose?"), queryset=reaching_purposes(), empty_label=None)
    channel = forms.ChoiceField(label=_("Channel"), choices=Channel.choices)
    recipient = forms.CharField(
        label=_("Who gets the list?"),
        max_length=120,
        help_text=_("The organisation or supplier, as the register of processing names it."),
    )
    columns = forms.MultipleChoiceField(
        label=_("Columns"),
        choices=[(column.code, column.label) for column in COLUMNS.values()],
        initial=[column.code for column in COLUMNS.values() if column.is_usual],
        widget=forms.CheckboxSelectMultiple,
        help_text=_("No more than the other system needs."),
    )
    daily_at = forms.TimeField(
        label=_("Every day at"), initial="05:00", widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M")
    )
    has_file = forms.BooleanField(
        label=_("Write a file"),
        required=False,
        initial=True,
        help_text=_("CSV in the folder of publications on the server; the last seven are kept."),
    )
    webhook_url = WebAddress(
        label=_("Tell this address when the list is ready"),
        required=False,
        help_text=_(
            "A signed message with counts, without personal data. The other system then fetches the list over the API."
        ),
    )
    is_active = forms.BooleanField(label=_("Active"), required=False, initial=True)
