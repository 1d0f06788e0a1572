"""Forms for what is done with everybody in a selection or a result set."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from campaigns.models import Action, Campaign
from common.values import values
from customers.consents import reaching_purposes
from labels.exports import MOST_EXTRA, Extra
from labels.models import Label
from mailings.address_labels import PER_SHEET
from workbench.forms.selections import ExportForm

CSV, XLSX = "csv", "xlsx"


class TakeOutForm(ExportForm):
    """Columns, and what else is told of each customer; in which kind of file."""

    labels = forms.ModelMultipleChoiceField(
        Label.objects.filter(is_active=True).order_by("name"), label=_("Labels"), required=False
    )
    values = forms.MultipleChoiceField(
        label=_("Computed values"), choices=lambda: [(value.code, value.label) for value in values], required=False
    )
    format = forms.ChoiceField(
        label=_("Kind of file"),
        choices=[(CSV, _("CSV, opens in every spreadsheet")), (XLSX, _("Excel workbook"))],
        widget=forms.RadioSelect,
        initial=CSV,
        required=False,
    )

    def clean(self) -> dict[str, Any]:
        told = super().clean() or {}
        if len(told.get("labels") or ()) + len(told.get("values") or ()) > MOST_EXTRA:
            raise forms.ValidationError(_("At most %d labels and values fit in one file.") % MOST_EXTRA)
        return told

    def told_too(self, now: Any) -> Extra:
        """Return what the file tells besides the columns, of a valid form."""
        chosen = [values[code] for code in self.cleaned_data["values"]]
        return Extra(labels=list(self.cleaned_data["labels"]), values=chosen, now=now)


class PurposeForm(forms.Form):
    """What they are called or written for: without a purpose nobody may be."""

    purpose = forms.ModelChoiceField(
        reaching_purposes(), label=_("For which purpose?"), empty_label=_("Choose a purpose")
    )


class AddressForm(PurposeForm):
    one_per_household = forms.BooleanField(label=_("One per household: the oldest"), required=False)
    skip = forms.IntegerField(
        label=_("Places already used on the first sheet"),
        min_value=0,
        max_value=PER_SHEET - 1,
        initial=0,
        required=False,
    )

    def __init__(self, data: Any = None, **options: Any) -> None:
        """Nothing said of the places used is none of them, and shown so."""
        if data is not None and not data.get("skip"):
            data = {**data.dict(), "skip": "0"}
        super().__init__(data, **options)


class ToActionForm(forms.Form):
    action = forms.ModelChoiceField(
        Action.objects.in_use().order_by("name"), label=_("Action"), empty_label=_("Choose an action")
    )


class ToCampaignForm(forms.Form):
    campaign = forms.ModelChoiceField(
        Campaign.objects.current().order_by("name"),
        label=_("Campaign"),
        empty_label=_("Choose a campaign"),
        help_text=_("Only campaigns that are under way take customers in."),
    )
