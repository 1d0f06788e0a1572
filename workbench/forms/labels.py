"""Forms around labels: a label, a group, giving one to customers by number."""

from __future__ import annotations

import re

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from customers.numbers import resolve
from labels.models import Label, LabelGroup
from labels.system import families

MAX_NUMBERS = 1000
MAKEABLE = [Label.Kind.OWN, Label.Kind.CUSTOMER]


class LabelForm(forms.Form):
    """What can be changed about a label; making one also asks its kind."""

    name = forms.CharField(label=_("Name"), max_length=80)
    description = forms.CharField(
        label=_("What does it mean?"),
        required=False,
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("For a label that customers choose, this is the text they read in MijnMenu."),
    )
    group = forms.ModelChoiceField(
        label=_("Group"), required=False, queryset=LabelGroup.objects.none(), empty_label=_("No group")
    )
    colour = forms.ChoiceField(label=_("Colour"), choices=Label.Colour, initial=Label.Colour.BLUE)

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        system = [code for family in families for code in family.all_groups]
        self.fields["group"].queryset = LabelGroup.objects.exclude(code__in=system)  # type: ignore[attr-defined]


class NewLabelForm(LabelForm):
    kind = forms.ChoiceField(
        label=_("Who gives it?"),
        choices=[
            (Label.Kind.OWN, _("We do: by hand, or for a selection")),
            (Label.Kind.CUSTOMER, _("Customers choose it themselves in MijnMenu")),
        ],
        widget=forms.RadioSelect,
        initial=Label.Kind.OWN,
    )
    field_order = ("name", "kind")


class ChangeLabelForm(LabelForm):
    is_active = forms.BooleanField(
        label=_("In use"), required=False, help_text=_("A label that is out of use can no longer be given or chosen.")
    )


class GroupForm(forms.Form):
    name = forms.CharField(label=_("Name"), max_length=80)
    is_exclusive = forms.BooleanField(
        label=_("One label at a time"),
        required=False,
        help_text=_("A customer has at most one label of this group: a new one replaces the old one."),
    )


class NumbersForm(forms.Form):
    """Customers by their numbers, as pasted from a list."""

    numbers = forms.CharField(
        label=_("Customer numbers"),
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("With spaces, commas or new lines between them."),
        max_length=50_000,
    )

    def clean_numbers(self) -> list[str]:
        numbers = list(dict.fromkeys(re.split(r"[\s,;]+", self.cleaned_data["numbers"].strip())))
        if len(numbers) > MAX_NUMBERS:
            raise forms.ValidationError(_("At most %d at a time. For more, use a selection.") % MAX_NUMBERS)
        known = resolve(numbers)
        unknown = [number for number in numbers if number not in known]
        if unknown:
            words = ngettext(
                "This customer number is unknown: %s", "These customer numbers are unknown: %s", len(unknown)
            )
            raise forms.ValidationError(words % ", ".join(unknown[:10]))
        return numbers
