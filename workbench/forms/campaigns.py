"""Forms about campaigns: shape only, the rules are in campaigns.actions."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from campaigns.models import Action, Campaign
from selections.models import Selection


class DateInput(forms.DateInput):
    input_type = "date"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%d")


class CampaignForm(forms.Form):
    name = forms.CharField(label=_("Name"), max_length=120)
    goal = forms.CharField(
        label=_("Goal"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Who, from where to where: the report comes back to it."),
    )
    starts_on = forms.DateField(
        label=_("Starts on"), required=False, widget=DateInput, help_text=_("Empty: as soon as you start it.")
    )
    ends_on = forms.DateField(
        label=_("Ends on"), required=False, widget=DateInput, help_text=_("This day included. Empty: it runs on.")
    )
    leave_when = forms.ModelChoiceField(
        Selection.objects.in_use(),
        label=_("Leaves when in selection"),
        required=False,
        empty_label=_("No selection"),
        help_text=_("Who comes into this selection has reached the goal and gets no further step."),
    )
    may_reenter = forms.BooleanField(label=_("May enter again after leaving or completing"), required=False)
    hold_out_percent = forms.IntegerField(
        label=_("Own control group (percent)"),
        min_value=0,
        max_value=50,
        initial=0,
        required=False,
        help_text=_("A fixed share of the participants gets no step at all, to measure what the campaign does."),
    )

    def clean_hold_out_percent(self) -> int:
        return self.cleaned_data["hold_out_percent"] or 0


class CampaignAddForm(CampaignForm):
    kind = forms.ChoiceField(
        label=_("Kind"),
        choices=Campaign.Kind,
        initial=Campaign.Kind.FREE,
        help_text=_("Of each base campaign one runs at a time; beside them at most eight of your own."),
    )

    field_order = ["name", "kind", "goal"]


class StepForm(forms.Form):
    action = forms.ModelChoiceField(Action.objects.in_use(), label=_("Action"), empty_label=_("Choose an action"))
    day = forms.IntegerField(
        label=_("Days after entering"),
        min_value=0,
        max_value=1825,
        help_text=_("0: on the day itself, within minutes."),
    )


class EnrolForm(forms.Form):
    selection = forms.ModelChoiceField(
        Selection.objects.in_use(), label=_("Selection"), empty_label=_("Choose a selection")
    )


class LeaveForm(forms.Form):
    enrolment = forms.IntegerField(widget=forms.HiddenInput)


def initial_of(campaign: Campaign) -> dict[str, Any]:
    names = ["name", "goal", "starts_on", "ends_on", "leave_when", "may_reenter", "hold_out_percent"]
    return {name: getattr(campaign, name) for name in names}
