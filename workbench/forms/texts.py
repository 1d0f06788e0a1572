"""Forms about text messages: shape only, the rules are in mailings.actions."""

from __future__ import annotations

from decimal import Decimal

from django import forms
from django.utils.translation import gettext_lazy as _

from mailings.sms.composing import MOST_SIGNS
from vouchers.models import Definition


class ShortTextForm(forms.Form):
    was = forms.CharField(required=False, widget=forms.HiddenInput)
    text = forms.CharField(
        label=_("Text"),
        required=False,
        max_length=MOST_SIGNS,
        widget=forms.Textarea(attrs={"rows": 6}),
        help_text=_("Addresses become short by themselves. How to say no to more is added at the end."),
    )
    voucher = forms.ModelChoiceField(
        Definition.objects.exclude(state=Definition.State.CLOSED),
        label=_("Voucher"),
        required=False,
        empty_label=_("No voucher"),
        help_text=_("Each reader gets a code of their own, where {{ voucher }} stands in the text."),
    )


class TextTestForm(forms.Form):
    number = forms.CharField(
        label=_("Your own mobile number"),
        max_length=20,
        widget=forms.TextInput(attrs={"type": "tel", "autocomplete": "tel", "inputmode": "tel"}),
        help_text=_("Only how it ends is kept. Links stand in a test in full, so it can be longer than the real one."),
    )


class TextSettingsForm(forms.Form):
    sender = forms.CharField(
        label=_("Sender"),
        max_length=16,
        required=False,
        help_text=_("A name of at most 11 letters and digits, or a number. Only a number can be answered with STOP."),
    )
    price = forms.DecimalField(
        label=_("Price per part (euros)"),
        min_value=0,
        max_value=10,
        decimal_places=3,
        localize=True,
        help_text=_("What your provider asks, to see beforehand what a mailing will cost. For example 0.075."),
    )
    most_parts = forms.IntegerField(
        label=_("Most parts per message"),
        min_value=1,
        max_value=10,
        help_text=_("One part is 160 signs; of more parts each holds 153."),
    )
    from_hour = forms.IntegerField(label=_("Send from (hour)"), min_value=0, max_value=23)
    until_hour = forms.IntegerField(
        label=_("Send until (hour)"), min_value=1, max_value=24, help_text=_("Outside these hours no telephone beeps.")
    )

    def clean(self) -> dict[str, object]:
        price = self.cleaned_data.pop("price", None)
        if isinstance(price, Decimal):
            self.cleaned_data["price_mills"] = int(price * 1000)
        return self.cleaned_data
