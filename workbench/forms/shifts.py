"""What to do with the customers of a cell of the shift matrix."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from campaigns.models import Action, Campaign


class KeepForm(forms.Form):
    name = forms.CharField(label=_("Name of the selection"), max_length=120)
    action = forms.ModelChoiceField(
        label=_("Run an action for them straight away"),
        queryset=Action.objects.in_use(),
        required=False,
        empty_label=_("no, only save"),
        help_text=_("You see whom it reaches before anything goes out."),
    )


class OwnerForm(forms.Form):
    """The action to run or the campaign to enrol in, as ``action:3`` or ``campaign:5``."""

    owner = forms.ChoiceField(label=_("What should happen to who moves like this?"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        actions = [(f"action:{one.pk}", one.name) for one in Action.objects.in_use()]
        campaigns = [(f"campaign:{one.pk}", one.name) for one in Campaign.objects.exclude(state="finished")]
        self.fields["owner"].choices = [(_("Run action"), actions), (_("Enrol in campaign"), campaigns)]  # type: ignore[attr-defined]

    @property
    def chosen(self) -> Action | Campaign:
        """The action or the campaign; only of a valid form."""
        name, _sep, pk = self.cleaned_data["owner"].partition(":")
        return Action.objects.get(pk=pk) if name == "action" else Campaign.objects.get(pk=pk)
