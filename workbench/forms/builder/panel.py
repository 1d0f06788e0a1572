"""What is asked beside the rule: on which day, for which purpose, and which part of the panel is open."""

from __future__ import annotations

import datetime as dt

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from customers.consents import reaching_purposes
from customers.models import Purpose
from selections.past import EARLIEST

PANELS = {
    "sample": gettext_lazy("Some of them"),
    "spread": gettext_lazy("How they are spread"),
    "reach": gettext_lazy("Whom you may reach"),
}


class PanelForm(forms.Form):
    as_of = forms.DateField(
        label=gettext_lazy("As it was on"), required=False, widget=forms.DateInput(attrs={"type": "date"})
    )
    assume = forms.BooleanField(label=gettext_lazy("For these, take what holds at present"), required=False)
    purpose = forms.ModelChoiceField(reaching_purposes(), label=gettext_lazy("To reach them for"), required=False)
    panel = forms.ChoiceField(choices=list(PANELS.items()), required=False)

    def __init__(self, data: QueryDict, *, today: dt.date) -> None:
        super().__init__(data)
        self.sent = data
        self.today = today
        self.fields["as_of"].widget.attrs["max"] = today.isoformat()

    def clean_as_of(self) -> dt.date | None:
        day: dt.date | None = self.cleaned_data["as_of"]
        if day is not None and day > self.today:
            raise forms.ValidationError(_("A selection can be looked at in the past, not in the future."))
        if day is not None and day < EARLIEST.date():
            raise forms.ValidationError(_("Choose a day after 1 January 1950."))
        return day if day != self.today else None

    @property
    def day(self) -> dt.date | None:
        """The past day that is looked at; None is now."""
        return self.cleaned_data.get("as_of") if self.is_valid() or "as_of" in self.cleaned_data else None

    @property
    def open_panel(self) -> str:
        """The part of the panel that is open."""
        self.is_valid()
        return self.cleaned_data.get("panel") or "sample"

    def choose(self, purpose: Purpose | None) -> None:
        """Show the purpose that is taken when nobody chose one."""
        shown = self.sent.copy()
        shown["purpose"] = str(purpose.pk) if purpose is not None else ""
        self.data = shown
