"""Forms about sending: shape only, the rules are in mailings.actions."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext_lazy as _

from common.forms import AmountField
from customers.consents import reaching_purposes
from customers.models import Branch, Purpose
from mailings.blocks import WebAddress
from mailings.models import Message, SendingSettings
from workbench.forms.campaigns import DateInput


class SendingForm(forms.ModelForm):  # type: ignore[type-arg]
    privacy_url = WebAddress(label=_("Privacy statement"), required=False)
    send_days = forms.MultipleChoiceField(
        label=_("Send on"),
        choices=[(str(number), WEEKDAYS[number - 1]) for number in range(1, 8)],
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Choose at least one day on which is sent.")},
    )

    letter_cents = AmountField(
        label=_("Cost of a letter"),
        required=False,
        help_text=_("In euros: paper, envelope and postage. Before sending you then see what the letters cost."),
    )

    class Meta:
        model = SendingSettings
        fields = (
            "organisation",
            "postal_address",
            "privacy_url",
            "sender_name",
            "sender_email",
            "reply_to",
            "unsubscribe_email",
            "send_from_hour",
            "send_until_hour",
            "send_days",
            "wait_days",
            "minimum_age",
            "hold_out_percent",
            "letter_cents",
            "approval_from",
            "brake_after",
            "brake_bounces",
            "brake_complaints",
            "brake_unsubscribes",
        )
        help_texts = {
            "postal_address": _("On one line. The law requires it in every message."),
            "sender_email": _("Must belong to a domain for which your mail server may send."),
            "unsubscribe_email": _("For mail programs that unsubscribe by sending a mail."),
            "wait_days": _("Who has had enough messages gets it later, when his turn comes within so many days."),
            "approval_from": _("A colleague has to approve a mailing this large before it leaves. 0: never."),
            "brake_after": _("Fewer say too little."),
            "brake_bounces": _("50 is 5%. 0: never."),
            "brake_complaints": _("3 is what large mail providers put up with. 0: never."),
            "brake_unsubscribes": _("30 is 3%. 0: never."),
            "send_from_hour": _("Nothing but service messages is sent outside these hours."),
            "send_until_hour": _("24 is midnight."),
            "minimum_age": _("Younger customers get service messages only."),
            "hold_out_percent": _("A fixed share that gets nothing, to measure what messages do. At most 50."),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["send_days"] = list(self.initial.get("send_days", ""))
        self.initial["letter_cents"] = f"{self.initial.get('letter_cents', 0) / 100:.2f}".replace(".", ",")

    def clean_letter_cents(self) -> int:
        return self.cleaned_data["letter_cents"] or 0

    def clean_send_days(self) -> str:
        return "".join(sorted(self.cleaned_data["send_days"]))


class ClosingForm(forms.Form):
    name = forms.CharField(label=_("Name"), max_length=80, help_text=_("For example “King's Day” or “moving house”."))
    branch = forms.ModelChoiceField(
        Branch.objects.all(), label=_("Branch"), required=False, empty_label=_("The whole organisation")
    )
    first_day = forms.DateField(label=_("First day"), widget=DateInput)
    last_day = forms.DateField(label=_("Last day"), widget=DateInput, help_text=_("This day included."))


class CapForm(forms.Form):
    messages = forms.IntegerField(label=_("Most messages per customer"), min_value=1, max_value=1000)
    days = forms.IntegerField(label=_("In how many days"), min_value=1, max_value=366)
    purpose = forms.ModelChoiceField(
        reaching_purposes().exclude(rule=Purpose.Rule.SERVICE),
        label=_("Purpose"),
        required=False,
        empty_label=_("All but service messages, together"),
    )
    channel = forms.ChoiceField(
        label=_("Channel"), choices=[("", _("All channels, together")), *Message.Channel.choices], required=False
    )


class RefuseForm(forms.Form):
    reason = forms.CharField(label=_("Why not"), max_length=200, help_text=_("Who started it reads this."))


class SuppressionForm(forms.Form):
    address = forms.EmailField(label=_("E-mail address"), max_length=254)
    detail = forms.CharField(
        label=_("Why"), max_length=300, required=False, help_text=_("For colleagues: what happened, who asked.")
    )
