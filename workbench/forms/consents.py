"""What a customer, or a parent for a child, said about a purpose: shape only, the rules are in customers.consents."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from common.time import clock
from customers.models import Channel, Consent, Customer, Purpose

ALL_CHANNELS = "all"


class ConsentForm(forms.Form):
    """What a customer said at the counter or by phone."""

    purpose = forms.ModelChoiceField(label=_("About what?"), queryset=Purpose.objects.all(), empty_label=None)
    channel = forms.ChoiceField(label=_("Over which channel?"), choices=[])
    state = forms.ChoiceField(
        label=_("What did the customer say?"),
        choices=[
            (Consent.State.GRANTED, _("Yes: this is welcome")),
            (Consent.State.WITHDRAWN, _("No: stop this")),
            (Consent.State.OBJECTED, _("Objection: never again, whatever the reason")),
        ],
        widget=forms.RadioSelect,
    )
    source = forms.ChoiceField(
        label=_("How was it said?"),
        choices=[("counter", _("At the counter")), ("phone", _("By phone"))],
        widget=forms.RadioSelect,
        initial="counter",
    )
    event_at = forms.DateTimeField(
        label=_("When was it said?"),
        required=False,
        help_text=_("Leave empty for now."),
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%d-%m-%Y %H:%M"],
    )
    wording_version = forms.CharField(
        label=_("Version of the text"),
        required=False,
        max_length=40,
        help_text=_("Which text was read out or shown, for example 2026-1."),
    )
    note = forms.CharField(label=_("Note"), required=False, max_length=300, widget=forms.Textarea(attrs={"rows": 2}))

    def __init__(self, *args: Any, guardians: list[Customer], is_child: bool, **kwargs: Any) -> None:
        """``guardians`` are the parents who may answer for this customer; without any the question is not asked."""
        super().__init__(*args, **kwargs)
        every = (ALL_CHANNELS, _("All channels"))
        self.fields["channel"].choices = [*Channel.choices, every]  # type: ignore[attr-defined]
        if not guardians:
            return
        own = _("The child itself") if is_child else _("The customer")
        self.guardians = {str(one.pk): one for one in guardians}
        self.fields["guardian"] = forms.ChoiceField(
            label=_("Who said it?"),
            required=False,
            choices=[("", own), *((pk, _("%s, parent or guardian") % one) for pk, one in self.guardians.items())],
            widget=forms.RadioSelect,
            help_text=_(
                "Under 16 a yes to e-mail, telephone or SMS only counts when a parent or guardian gives it (AVG 8). "
                "A child may always say no itself."
            ),
        )
        self.order_fields(["purpose", "channel", "state", "guardian"])

    def clean_guardian(self) -> Customer | None:
        return self.guardians.get(self.cleaned_data["guardian"])

    def clean_event_at(self) -> dt.datetime | None:
        moment: dt.datetime | None = self.cleaned_data["event_at"]
        if moment and moment > clock():
            raise forms.ValidationError(_("This lies in the future."))
        return moment
