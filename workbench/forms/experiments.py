"""Forms about tests of versions: shape only, the rules are in mailings.actions."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from mailings.models import Arm, Experiment
from mailings.reports import report_kinds


class ExperimentForm(forms.Form):
    metric = forms.ChoiceField(
        label=_("What counts"),
        choices=Experiment.Metric.choices,
        widget=forms.RadioSelect,
        help_text=_("Clicks by programs do not count. Opens are no measure: many programs open every mail."),
    )
    fact_kind = forms.ChoiceField(label=_("Which activity"), required=False)
    decide_after_hours = forms.IntegerField(
        label=_("Decide after (hours)"),
        min_value=1,
        max_value=336,
        help_text=_("Each reader gets so many hours after his own message. Most clicks come within a day."),
    )
    is_automatic = forms.BooleanField(
        label=_("Decide by itself"),
        required=False,
        help_text=_(
            "The best version goes to the rest when the difference is more than chance, else the first. Switched off, "
            "the rest waits until somebody chooses."
        ),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        kinds = sorted(((kind.code, str(kind.name)) for kind in report_kinds()), key=lambda pair: pair[1])
        self.fields["fact_kind"].choices = [("", _("Choose an activity")), *kinds]  # type: ignore[attr-defined]


class ArmForm(forms.Form):
    percent = forms.IntegerField(
        label=_("Share of the readers (percent)"),
        min_value=1,
        max_value=100,
        help_text=_("Who falls in no version waits for the outcome. Together 100%: nobody waits."),
    )
    subject = forms.CharField(
        label=_("Subject"),
        max_length=200,
        required=False,
        help_text=_("Empty: that of the message. May hold a field, for example {{ first_name }}."),
    )
    sender_name = forms.CharField(
        label=_("Sender name"), max_length=80, required=False, help_text=_("Empty: as always. The address stays.")
    )
    moment = forms.TimeField(
        label=_("Time of sending"),
        required=False,
        widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
        help_text=_("The first time it is that late; empty: at once. When this version wins, the rest gets it then."),
    )

    def __init__(self, *args: Any, arm: Arm, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if arm.content_id:
            del self.fields["subject"]  # it stands in the text of this version
