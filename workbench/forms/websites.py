"""Forms around websites: shape only, the rules are in website.actions."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from customers.models import Purpose, World


class SiteForm(forms.Form):
    name = forms.CharField(label=_("Name"), max_length=80, help_text=_("As you call it among colleagues."))
    hosts = forms.CharField(
        label=_("Domains"),
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("One per line, like www.example.nl. Only pages of these domains are counted."),
    )
    is_app = forms.BooleanField(
        label=_("This is (also) an app"), required=False, help_text=_("An app sends without a domain.")
    )
    keeps_queries = forms.BooleanField(
        label=_("Keep what people search for"),
        required=False,
        help_text=_("Only words that three visits or more had in common on one day, and never who."),
    )
    keeps_pages = forms.BooleanField(
        label=_("Count each page apart"),
        required=False,
        help_text=_("Besides the sections. Only pages that three visits or more saw on a day, and never who."),
    )
    purpose = forms.ModelChoiceField(
        label=_("Link a visit only to customers who allow"),
        queryset=Purpose.objects.none(),
        empty_label=None,
        help_text=_("Without that yes a visit stays anonymous, also after logging in."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["purpose"].queryset = Purpose.objects.filter(rule=Purpose.Rule.OPT_IN)  # type: ignore[attr-defined]

    def clean_hosts(self) -> list[str]:
        return str(self.cleaned_data["hosts"]).split()


class ChangeSiteForm(SiteForm):
    is_active = forms.BooleanField(
        label=_("In use"), required=False, help_text=_("Hits of a website that is out of use are not taken in.")
    )


class RuleForm(forms.Form):
    path = forms.CharField(label=_("Path begins with"), max_length=100, help_text=_("For example /agenda/"))
    section = forms.CharField(label=_("Section"), max_length=40)
    world = forms.ModelChoiceField(
        label=_("World"), required=False, queryset=World.objects.all(), empty_label=_("no world")
    )
