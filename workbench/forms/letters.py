"""Forms about letters on paper: shape only, the rules are in mailings.actions."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from mailings.address_labels import PER_SHEET
from mailings.models import PostReturn


class ReprintForm(forms.Form):
    first = forms.IntegerField(label=_("From letter"), min_value=1)
    last = forms.IntegerField(label=_("Up to and including letter"), min_value=1)


class LabelsForm(forms.Form):
    skip = forms.IntegerField(
        label=_("Places already used on the first sheet"),
        min_value=0,
        max_value=PER_SHEET - 1,
        initial=0,
        required=False,
    )


class ReturnForm(forms.Form):
    code = forms.CharField(
        label=_("Code on the letter, or customer number"),
        max_length=60,
        help_text=_("Scan the bar code above the address, or type what stands beside it: P12-345-07."),
        widget=forms.TextInput(attrs={"autofocus": True, "autocomplete": "off", "spellcheck": "false"}),
    )
    reason = forms.ChoiceField(label=_("Why it came back"), choices=PostReturn.Reason.choices, widget=forms.RadioSelect)
