"""Forms about call lists: shape only, the rules are in mailings.actions."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from mailings.models import Call
from workbench.forms.campaigns import DateInput


class CallForm(forms.Form):
    message = forms.IntegerField(widget=forms.HiddenInput)  # sent twice it must not be about the next customer
    outcome = forms.ChoiceField(label=_("What came of it"), choices=Call.Outcome.choices, widget=forms.RadioSelect)
    again_on = forms.DateField(label=_("Call again on"), required=False, widget=DateInput)
    note = forms.CharField(
        label=_("What was said"), required=False, max_length=500, widget=forms.Textarea(attrs={"rows": 3})
    )


class CallSettingsForm(forms.Form):
    from_hour = forms.IntegerField(label=_("Call from (hour)"), min_value=0, max_value=23)
    until_hour = forms.IntegerField(
        label=_("Call until (hour)"), min_value=1, max_value=24, help_text=_("Outside these hours nobody is on turn.")
    )
    per_day = forms.IntegerField(
        label=_("Most calls a day"),
        min_value=0,
        max_value=100_000,
        help_text=_("Of all call lists together. 0: no limit."),
    )
    most_attempts = forms.IntegerField(
        label=_("How often somebody is tried"),
        min_value=1,
        max_value=20,
        help_text=_("Who is not reached comes back the next day, until he was tried so often."),
    )
