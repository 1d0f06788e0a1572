"""Forms about vouchers: shape only, the rules are in vouchers.actions."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from common.forms import AmountField
from common.money import format_cents
from customers.models import Branch
from customers.numbers import find
from selections.models import Selection
from vouchers.benefits import Benefit
from vouchers.letters import MOST_ON_PAPER
from vouchers.models import Definition

_DAY = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


class DefinitionForm(forms.Form):
    name = forms.CharField(label=_("Name"), max_length=100, help_text=_("Customers see it on the voucher."))
    benefit = forms.ChoiceField(label=_("What does the customer get?"), choices=Benefit, widget=forms.RadioSelect)
    percent = forms.IntegerField(label=_("Percentage"), min_value=1, max_value=100, required=False)
    amount_cents = AmountField(
        label=_("Amount in euros"),
        required=False,
        help_text=_(
            "What goes off, the special price, or what the free product is worth (for the report; may be empty)."
        ),
    )
    product = forms.CharField(
        label=_("Product"), max_length=100, required=False, help_text=_("For example: coffee. Empty: for anything.")
    )
    conditions = forms.CharField(
        label=_("Conditions"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Short and plain: customers and colleagues at the counter read them."),
    )
    holder = forms.ChoiceField(label=_("Who may use it?"), choices=Definition.Holder, widget=forms.RadioSelect)
    valid_from = forms.DateField(label=_("Valid from"), required=False, widget=_DAY)
    valid_until = forms.DateField(
        label=_("Valid up to and including"), required=False, widget=_DAY, help_text=_("The day itself counts.")
    )
    valid_days = forms.IntegerField(
        label=_("Days valid after it was given out"),
        min_value=0,
        max_value=3650,
        required=False,
        help_text=_("For example 30. With a last day as well, the earlier of the two counts."),
    )
    branches = forms.ModelMultipleChoiceField(
        Branch.objects.all(),
        label=_("Only at these branches"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Nothing ticked: at all branches."),
    )
    uses_per_code = forms.IntegerField(
        label=_("How often may one code be used?"), min_value=1, max_value=1000, initial=1
    )
    limit_issued = forms.IntegerField(
        label=_("Give out at most"), min_value=1, max_value=2**31 - 1, required=False, help_text=_("Empty: no limit.")
    )
    limit_total = forms.IntegerField(
        label=_("Take in at most"),
        min_value=1,
        max_value=2**31 - 1,
        required=False,
        help_text=_("For “the first 100”. Empty: no limit."),
    )
    purpose = forms.CharField(
        label=_("Why do you give it?"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("For yourselves and the report; customers do not see it."),
    )

    @staticmethod
    def initial_of(definition: Definition) -> dict[str, Any]:
        """Return what the form shows for a definition."""
        initial = {name: getattr(definition, name) for name in DefinitionForm.base_fields if name != "branches"}
        if definition.amount_cents is not None:
            initial["amount_cents"] = format_cents(definition.amount_cents).removeprefix("€\u00a0").replace(".", "")
        return {**initial, "branches": list(definition.branches.all())}


class IssueForm(forms.Form):
    """To whom: one customer, a selection, or nobody in particular. ``key`` makes a second press harmless."""

    class To:
        CUSTOMER, SELECTION, NOBODY = "customer", "selection", "nobody"

    to = forms.ChoiceField(label=_("To whom?"), widget=forms.RadioSelect, initial=To.CUSTOMER)
    number = forms.CharField(label=_("Customer number"), max_length=40, required=False)
    selection = forms.ModelChoiceField(Selection.objects.in_use(), label=_("Selection"), required=False)
    count = forms.IntegerField(
        label=_("How many codes?"), min_value=1, max_value=MOST_ON_PAPER, required=False,
        help_text=_("To print and hand out. No name stands on them."),
    )  # fmt: skip
    key = forms.RegexField(r"^\w{8,20}$", widget=forms.HiddenInput)

    def __init__(self, *args: Any, definition: Definition, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [(self.To.CUSTOMER, _("One customer")), (self.To.SELECTION, _("Everybody in a selection"))]
        if definition.holder == Definition.Holder.ANYONE:
            choices.append((self.To.NOBODY, _("Nobody in particular: codes to print")))
        self.fields["to"].choices = choices  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """Ask for what the chosen way needs, and find the customer."""
        cleaned = super().clean() or self.cleaned_data
        needed = {self.To.CUSTOMER: "number", self.To.SELECTION: "selection", self.To.NOBODY: "count"}
        name = needed.get(cleaned.get("to", ""))
        if name and name not in self.errors and not cleaned.get(name):
            self.add_error(name, _("Fill this in."))
        elif name == "number" and not self.errors:
            cleaned["customer"] = find(cleaned["number"].strip())
            if cleaned["customer"] is None:
                self.add_error("number", _("There is no customer with this number."))
        return cleaned


class BlockForm(forms.Form):
    reason = forms.CharField(
        label=_("Why do you block it?"), max_length=200, help_text=_("Colleagues see it when the code is shown again.")
    )
