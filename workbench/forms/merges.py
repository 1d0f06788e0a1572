"""The forms of merging, of the thresholds of matching, and of parents and children."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from customers.models import Customer, MatchSettings
from customers.numbers import find


class OtherCustomerForm(forms.Form):
    """Another customer, by number."""

    number = forms.CharField(
        label=_("Number of the other customer"),
        max_length=40,
        help_text=_("It stands at the top of the customer's page."),
    )

    def clean_number(self) -> Customer:
        found = find(self.cleaned_data["number"].strip())
        if found is None:
            raise forms.ValidationError(_("There is no customer with this number."))
        return found


class GuardianForm(OtherCustomerForm):
    """Another customer and what he is of this one."""

    relation = forms.ChoiceField(
        label=_("The other customer is"),
        choices=[("guardian", _("a parent or guardian")), ("child", _("a child"))],
        widget=forms.RadioSelect,
        initial="guardian",
    )
    field_order = ("relation", "number")


class MatchSettingsForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = MatchSettings
        fields = ("possible_from", "certain_from", "merges_itself")
        labels = {
            "possible_from": _("Shown as a possible duplicate from (points)"),
            "certain_from": _("Certain, and merged by itself, from (points)"),
            "merges_itself": _("Merge what is certain by itself"),
        }
        help_texts = {
            "possible_from": _("Pairs with fewer points are not shown. From 1 to 100."),
            "certain_from": _(
                "From 1 to 100. A person always decides about two numbers in one system, and about names that are only "
                "alike."
            ),
            "merges_itself": _("Off: a person judges every pair."),
        }
