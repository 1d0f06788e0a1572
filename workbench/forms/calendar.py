"""Forms about school holidays and places: shape only, the rules are in customers.actions."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from customers.models import HolidayName, Region


def _day() -> forms.DateField:
    return forms.DateField(widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}))


class HolidayForm(forms.Form):
    region = forms.ChoiceField(label=_("Region"), choices=Region)
    name = forms.ChoiceField(label=_("Holiday"), choices=HolidayName)
    school_year = forms.IntegerField(
        label=_("School year"),
        min_value=2015,
        max_value=2100,
        help_text=_("The year in which it begins: 2026 for 2026-2027."),
    )
    first_day = _day()
    last_day = _day()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["first_day"].label = _("First day")
        self.fields["last_day"].label = _("Last day")
        self.fields["last_day"].help_text = _("With the weekends around it, as the ministry publishes them.")


class RegionForm(forms.Form):
    region = forms.ChoiceField(
        label=_("Region of school holidays"),
        choices=Region,
        widget=forms.RadioSelect,
        help_text=_("Selections that speak of a school holiday mean that of this region, from now on."),
    )


class PlaceForm(forms.Form):
    latitude = forms.FloatField(
        label=_("Latitude"), required=False, localize=True, help_text=_("Such as 52.5054. Maps show it first.")
    )
    longitude = forms.FloatField(
        label=_("Longitude"),
        required=False,
        localize=True,
        help_text=_("Such as 4.9597. Leave both empty to use the place of the postal code."),
    )
