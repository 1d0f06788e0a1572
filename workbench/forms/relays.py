from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from mailings.actions.relays import MOST_CONNECTIONS


class RelayForm(forms.Form):
    name = forms.CharField(
        label=_("Name"), max_length=60, help_text=_("As colleagues know it, for example “own server”.")
    )
    variable = forms.ChoiceField()
    weight = forms.IntegerField(
        label=_("Share"), min_value=1, max_value=100,
        help_text=_(
            "With shares 3 and 1 the first is given three messages for each one of the second; one that is slow gets "
            "fewer."
        ),
    )  # fmt: skip
    connections = forms.IntegerField(label=_("Connections per worker"), min_value=1, max_value=MOST_CONNECTIONS)
    per_second = forms.IntegerField(
        label=_("Most messages per second"), min_value=1, max_value=100_000, required=False,
        help_text=_("Of all workers together. Empty: as fast as it takes them."),
    )  # fmt: skip
    is_active = forms.BooleanField(label=_("In use"), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        names = list(settings.RELAYS)
        if (current := self.initial.get("variable", "EMAIL_URL")) not in names:
            names.append(current)  # the setting went away; saving says what to do
        self.fields["variable"] = forms.ChoiceField(
            label=_("Setting with its address"),
            choices=[(name, name) for name in names],
            help_text=_("Address and password stand in a setting whose name begins with RELAY_, not here."),
        )


class DomainLimitForm(forms.Form):
    domain = forms.CharField(label=_("Domain"), max_length=253, help_text=_("What stands behind the @: gmail.com."))
    per_minute = forms.IntegerField(label=_("Most messages per minute"), min_value=1, max_value=1_000_000)
