"""The fields of a window."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy

from customers.criteria.windows.params import UNITS
from customers.criteria.windows.periods import HOLIDAYS, PERIODS, ROLLING, all_periods, past_periods
from customers.models import HolidayName

#: Field -> the periods to which it belongs.
SHOWN_FOR = {
    "number": ROLLING,
    "number_to": ("ago", "ahead"),
    "unit": ROLLING,
    "since": ("between",),
    "until": ("between",),
    "holiday": HOLIDAYS,
}


def shown_when(form: forms.Form, field: str, on: str, values: tuple[str, ...]) -> None:
    """Have the builder show a field of a form only while another has one of these values."""
    if field in form.fields:
        form.fields[field].widget.attrs |= {"data-when": on, "data-when-is": " ".join(values)}


class WindowForm(forms.Form):
    """The fields of a window about the past; which of them matter follows from the period."""

    period = forms.ChoiceField(label=gettext_lazy("When"), choices=past_periods, required=False, initial="ever")
    number = forms.IntegerField(label=gettext_lazy("How many"), required=False, min_value=0, max_value=36500)
    number_to = forms.IntegerField(label=gettext_lazy("Until how many"), required=False, min_value=0, max_value=36500)
    unit = forms.ChoiceField(label=gettext_lazy("Of what"), choices=UNITS, required=False, initial="day")
    since = forms.DateField(label=gettext_lazy("From"), required=False, widget=forms.DateInput(attrs={"type": "date"}))
    until = forms.DateField(
        label=gettext_lazy("Up to and including"), required=False, widget=forms.DateInput(attrs={"type": "date"})
    )
    holiday = forms.ChoiceField(
        label=gettext_lazy("Holiday"),
        choices=[("", gettext_lazy("any school holiday")), *HolidayName.choices],
        required=False,
    )

    WINDOW = ("period", "number", "number_to", "unit", "since", "until", "holiday")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._offer_what_it_has()
        for name, periods in SHOWN_FOR.items():
            shown_when(self, name, "period", periods)

    def _offer_what_it_has(self) -> None:
        """Offer the period of the rule too when it is none of those, or the page would show, and save, another one."""
        held, field = self["period"].value(), self.fields["period"]
        if held in PERIODS and isinstance(field, forms.ChoiceField) and not field.valid_value(held):
            offered: list[Any] = list(getattr(field, "choices", ()))
            field.choices = [*offered, (held, PERIODS[held])]


class AnyWindowForm(WindowForm):
    """The fields of a window about past or future."""

    period = forms.ChoiceField(label=gettext_lazy("When"), choices=all_periods, required=False, initial="ever")
