"""A past day to look at, in the address of a page (``?as_of=2026-05-01``); nothing is now."""

from __future__ import annotations

import datetime as dt

from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common.time import last_of_day, local_date
from selections.past import EARLIEST


def check_day(day: dt.date | None, *, today: dt.date) -> dt.date | None:
    """Return a day that can be looked at; raises ValidationError on one ahead or too far back."""
    if day is not None and day > today:
        raise forms.ValidationError(_("Choose a day that has been: what is to come cannot be looked at yet."))
    if day is not None and day < EARLIEST.date():
        raise forms.ValidationError(_("Choose a day after 1 January 1950."))
    return day


class DayForm(forms.Form):
    """``day`` is the past day that is asked for; None is now, and so is a day that cannot be looked at."""

    as_of = forms.DateField(
        label=gettext_lazy("As it was on"), required=False, widget=forms.DateInput(attrs={"type": "date"})
    )

    def __init__(self, request: HttpRequest, *, now: dt.datetime) -> None:
        super().__init__(request.GET)
        self.now, self.today = now, local_date(now)
        self.fields["as_of"].widget.attrs["max"] = self.today.isoformat()

    def clean_as_of(self) -> dt.date | None:
        day = check_day(self.cleaned_data["as_of"], today=self.today)
        return day if day != self.today else None

    @property
    def day(self) -> dt.date | None:
        """The past day; None is now."""
        self.is_valid()
        return self.cleaned_data.get("as_of")

    @property
    def moment(self) -> dt.datetime:
        """The day as it ended, or now."""
        return min(last_of_day(self.day), self.now) if self.day else self.now

    @property
    def query(self) -> str:
        """What hangs behind an address to look at the same day there."""
        return f"?as_of={self.day.isoformat()}" if self.day else ""
