"""Forms around labels: a label, a group, giving and taking by number or selection, rules, histories."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from customers.numbers import resolve
from labels.actions.giving import MOST_NUMBERS
from labels.models import Backfill, Colour, Label, LabelGroup
from labels.system import families
from selections.models import Selection

RULE = "rule"
SORTS = [
    ("", _("By group")),
    ("name", _("By name")),
    ("holders", _("Most customers first")),
    ("trend", _("Most grown first")),
]


def own_groups() -> Any:
    """Return the groups that own labels may stand in."""
    system = [code for family in families for code in family.all_groups]
    return LabelGroup.objects.exclude(code__in=system)


class LabelFilterForm(forms.Form):
    """What the list of labels is narrowed and ordered by."""

    q = forms.CharField(label=_("Search by name or meaning"), required=False, max_length=100)
    group = forms.ModelChoiceField(
        label=_("Group"), required=False, queryset=LabelGroup.objects.all(), empty_label=_("All groups"),
        to_field_name="code",
    )  # fmt: skip
    sort = forms.ChoiceField(label=_("Order"), required=False, choices=SORTS)
    kind = forms.CharField(required=False, widget=forms.HiddenInput)


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
    colour = forms.ChoiceField(label=_("Colour"), choices=Colour, initial=Colour.BLUE)
    valid_from = forms.DateField(
        label=_("Valid from"), required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    valid_until = forms.DateField(
        label=_("Valid until (included)"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text=_("Outside of these days nobody has the label, and it cannot be given."),
    )
    max_age_days = forms.IntegerField(
        label=_("Ends … days after it was given"),
        required=False,
        min_value=1,
        max_value=36500,
        help_text=_(
            "Empty: it stays until it is taken. Giving it again while somebody has it does not make it longer."
        ),
    )

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.fields["group"].queryset = own_groups()  # type: ignore[attr-defined]


class NewLabelForm(LabelForm):
    kind = forms.ChoiceField(
        label=_("Who gives it?"),
        choices=[
            (Label.Kind.OWN, _("We do: by hand, or for a selection")),
            (RULE, _("A rule does, each night: who meets it has the label")),
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
    description = forms.CharField(
        label=_("What is this group about?"),
        required=False,
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("Customers read it in MijnMenu above the labels they choose from."),
    )
    colour = forms.ChoiceField(label=_("Colour"), choices=Colour, initial=Colour.BLUE)
    is_exclusive = forms.BooleanField(
        label=_("One label at a time"),
        required=False,
        help_text=_("A customer has at most one label of this group: a new one replaces the old one."),
    )


class ChangeGroupForm(GroupForm):
    is_active = forms.BooleanField(
        label=_("In use"), required=False, help_text=_("Labels of a group that is out of use can no longer be given.")
    )
    # Asked once it turns out that something uses a group that is put out of use.
    anyway = forms.BooleanField(
        label=_("Put it out of use nevertheless"), required=False, widget=forms.HiddenInput, initial=""
    )


class NumbersForm(forms.Form):
    """Customers by their numbers, as pasted from a list."""

    numbers = forms.CharField(
        label=_("Customer numbers"),
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("With spaces, commas or new lines between them."),
        max_length=MOST_NUMBERS * 25,
    )

    def clean_numbers(self) -> list[str]:
        numbers = list(dict.fromkeys(re.split(r"[\s,;]+", self.cleaned_data["numbers"].strip())))
        if len(numbers) > MOST_NUMBERS:
            raise forms.ValidationError(_("At most %d at a time. For more, use a selection.") % MOST_NUMBERS)
        known = resolve(numbers)
        unknown = [number for number in numbers if number not in known]
        if unknown:
            words = ngettext(
                "This customer number is unknown: %s", "These customer numbers are unknown: %s", len(unknown)
            )
            raise forms.ValidationError(words % ", ".join(unknown[:10]))
        return numbers


class ChangeHoldersForm(forms.Form):
    """Give a label to, or take it from, whom a selection means or whose numbers were pasted."""

    do = forms.ChoiceField(
        label=_("What should happen?"),
        choices=[("give", _("Give the label")), ("take", _("Take the label away"))],
        widget=forms.RadioSelect,
        initial="give",
        required=False,
    )
    numbers = NumbersForm.base_fields["numbers"]
    selection = forms.ModelChoiceField(
        label=_("Or everybody in a selection"), required=False, queryset=Selection.objects.in_use(), empty_label="–"
    )
    reason = forms.CharField(label=_("Why"), required=False, max_length=150)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["numbers"].required = False

    def clean_numbers(self) -> list[str]:
        return NumbersForm.clean_numbers(self) if self.cleaned_data["numbers"].strip() else []  # type: ignore[arg-type]

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        if not self.errors and bool(data.get("numbers")) == bool(data.get("selection")):
            raise forms.ValidationError(_("Paste customer numbers, or choose a selection: one of the two."))
        return data


class RuleForm(forms.Form):
    """The saved selection that a label follows."""

    selection = forms.ModelChoiceField(
        label=_("Selection"),
        queryset=Selection.objects.in_use(),
        empty_label=_("Choose a selection"),
        help_text=_("When the selection is changed later, the label goes along from the next night on."),
    )


class HistoryForm(forms.Form):
    """From which day, and how closely, the history of a label is worked out."""

    first_day = forms.DateField(
        label=_("From which day"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    grid = forms.ChoiceField(
        label=_("How closely"),
        choices=Backfill.Grid,
        widget=forms.RadioSelect,
        initial=Backfill.Grid.MONTH,
        help_text=_("Who met the rule on such a day is taken to have had the label until the next one."),
    )


class MergeForm(forms.Form):
    """The label that everybody gets instead."""

    into = forms.ModelChoiceField(label=_("Into which label"), queryset=Label.objects.none())

    def __init__(self, *args: Any, label: Label, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["into"].queryset = Label.objects.for_hand().exclude(pk=label.pk)  # type: ignore[attr-defined]
