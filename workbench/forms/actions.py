"""Forms about actions and triggers: shape only, the rules are in campaigns.actions."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from campaigns.triggers import TriggerKind, trigger_kinds
from customers.consents import reaching_purposes
from labels.models import Label
from mailings.models import Mailing
from selections.models import Selection


class ActionForm(forms.Form):
    name = forms.CharField(label=_("Name"), max_length=120, help_text=_("For yourselves; customers do not see it."))
    purpose = forms.ModelChoiceField(
        reaching_purposes(),
        label=_("Purpose"),
        empty_label=_("Choose a purpose"),
        help_text=_("Decides who may be reached: a birthday wish with a voucher is marketing, not service."),
    )
    channels = forms.ChoiceField(label=_("Channels"), choices=Mailing.Channels, initial=Mailing.Channels.EMAIL)
    letters_to = forms.ChoiceField(
        label=_("Letters to"),
        choices=Mailing.LettersTo,
        initial=Mailing.LettersTo.PERSON,
        required=False,
        help_text=_("Only for letters. In a shared letter everybody still gets a voucher of their own."),
    )
    gives_label = forms.ModelChoiceField(
        Label.objects.for_hand().filter(kind=Label.Kind.OWN),
        label=_("Label it gives"),
        required=False,
        empty_label=_("No label"),
        help_text=_("Everybody the message goes to gets this label."),
    )
    priority = forms.TypedChoiceField(
        label=_("Priority"),
        choices=Mailing.Priority,
        coerce=int,
        initial=Mailing.Priority.NORMAL,
        help_text=_("Decides whose message goes first for who has had nearly enough. Service messages always go."),
    )
    hold_out_percent = forms.IntegerField(
        label=_("Own control group (percent)"),
        min_value=0,
        max_value=50,
        initial=0,
        required=False,
        help_text=_(
            "A fixed share that does not get this action, to measure what it does. 0: none beside the general one."
        ),
    )

    def clean_hold_out_percent(self) -> int:
        return self.cleaned_data["hold_out_percent"] or 0


class SelectionForm(forms.Form):
    selection = forms.ModelChoiceField(
        Selection.objects.in_use(), label=_("Selection"), empty_label=_("Choose a selection")
    )


class TriggerKindForm(forms.Form):
    kind = forms.ChoiceField(
        label=_("What sets it off"), choices=lambda: [(kind.code, kind.label) for kind in trigger_kinds]
    )


class TriggerForm(forms.Form):
    """Name and audience, and the settings of one kind; those stand between them as ``params_…``."""

    name = forms.CharField(label=_("Name"), max_length=120)
    selection = forms.ModelChoiceField(
        Selection.objects.in_use(),
        label=_("Only for selection"),
        required=False,
        empty_label=_("Everybody"),
        help_text=_("Empty: everybody to whom it happens. Permission is asked in any case."),
    )

    def __init__(self, *args: Any, kind: TriggerKind, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        settings = kind.form()
        self.param_names = list(settings.fields)
        for name, field in settings.fields.items():
            self.fields[f"params_{name}"] = deepcopy(field)
        self.order_fields(["name", *(f"params_{name}" for name in self.param_names), "selection"])

    @property
    def params(self) -> dict[str, Any]:
        return {name: self.cleaned_data[f"params_{name}"] for name in self.param_names}
