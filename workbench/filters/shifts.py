"""Which group of labels, which two days and whose moves the shift matrix is about; and which cell of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

from dateutil.relativedelta import relativedelta
from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common.time import local_date, years_before
from customers.models import Branch, Customer
from labels.models import LabelGroup
from labels.shifts import Scale, customers_in, scales
from selections.compiler import members
from selections.models import Selection

USUAL_MONTHS = 3
USUAL_DAYS = 30
MOST_YEARS = 3


def _day(label: Any) -> forms.DateField:
    return forms.DateField(label=label, required=False, widget=forms.DateInput(attrs={"type": "date"}))


class ShiftForm(forms.Form):
    """What stands in the address; a field that is left out has its usual value."""

    group = forms.ChoiceField(label=gettext_lazy("Group of labels"), required=False)
    first = _day(gettext_lazy("Compare the end of"))
    last = _day(gettext_lazy("with the end of"))
    branch = forms.ModelChoiceField(
        label=gettext_lazy("Branch"), required=False, queryset=Branch.objects.all(), empty_label=gettext_lazy("all")
    )
    selection = forms.ModelChoiceField(
        label=gettext_lazy("Selection"),
        required=False,
        queryset=Selection.objects.defer("rule"),
        empty_label=gettext_lazy("everybody"),
    )

    def __init__(self, sent: Mapping[str, Any], *, now: dt.datetime) -> None:
        self.now, self.today = now, local_date(now)
        self.groups = {group.code: group for group in scales()}
        usual = {
            "group": next(iter(self.groups), ""),
            "first": (self.today - relativedelta(months=USUAL_MONTHS)).isoformat(),
            "last": self.today.isoformat(),
        }
        super().__init__({**{name: sent[name] for name in sent}, **{k: sent.get(k) or v for k, v in usual.items()}})
        choices = [(code, str(group)) for code, group in self.groups.items()]
        self.fields["group"].choices = choices  # type: ignore[attr-defined]
        for name in ("first", "last"):
            self.fields[name].widget.attrs["max"] = self.today.isoformat()

    def clean(self) -> dict[str, Any]:
        first, last = self.cleaned_data.get("first"), self.cleaned_data.get("last")
        if last and last > self.today:
            self.add_error("last", _("Choose a day that is not ahead."))
        elif first and last and first >= last:
            self.add_error("last", _("Choose a day after the first one."))
        elif first and last and first < years_before(last, MOST_YEARS):
            self.add_error("first", _("The days lie at most %d years apart.") % MOST_YEARS)
        return self.cleaned_data

    @cached_property
    def scale(self) -> Scale:
        """The group that is asked for, with its labels; only of a valid form."""
        group: LabelGroup = self.groups[self.cleaned_data["group"]]
        return Scale.of(group)

    @property
    def first_day(self) -> dt.date:
        """The first of the two days."""
        return self.cleaned_data["first"]  # type: ignore[no-any-return]

    @property
    def last_day(self) -> dt.date:
        """The second of the two days."""
        return self.cleaned_data["last"]  # type: ignore[no-any-return]

    @cached_property
    def among(self) -> QuerySet[Customer] | None:
        """The customers it is narrowed to; None is everybody."""
        branch, selection = self.cleaned_data.get("branch"), self.cleaned_data.get("selection")
        if selection is None:
            return Customer.objects.filter(branch=branch) if branch else None
        found = members(Selection.objects.get(pk=selection.pk), now=self.now)
        return found.filter(branch=branch) if branch else found

    @property
    def values(self) -> dict[str, Any]:
        """What an address or a form needs to ask the same again."""
        shown = {"group": self.scale.group.code, "first": self.first_day.isoformat(), "last": self.last_day.isoformat()}
        for name in ("branch", "selection"):
            if self.cleaned_data.get(name):
                shown[name] = self.cleaned_data[name].pk
        return shown

    @property
    def query(self) -> str:
        """The same as the query string of an address."""
        return urlencode(self.values)


class CellForm(ShiftForm):
    """A cell of the matrix: ``was`` and ``became`` are codes of places (``Scale.place``), by default the lowest label
    and the one above it; ``days`` is how long before a move messages are looked at.
    """

    was = forms.CharField(max_length=60, required=False)
    became = forms.CharField(max_length=60, required=False)
    days = forms.TypedChoiceField(
        label=gettext_lazy("Received in the … days before moving"),
        required=False,
        coerce=int,
        empty_value=None,
        choices=[(number, number) for number in (7, 14, USUAL_DAYS, 60, 90)],
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if not self.errors:
            for place, name in enumerate(("was", "became"), start=1):
                cleaned[name] = cleaned[name] or self.scale.code(place)
                if self.scale.place(cleaned[name]) is None:
                    self.add_error(name, _("There is no such label."))
        return cleaned

    def __init__(self, sent: Mapping[str, Any], *, now: dt.datetime) -> None:
        super().__init__({**{name: sent[name] for name in sent}, "days": sent.get("days") or USUAL_DAYS}, now=now)

    @property
    def cell(self) -> tuple[int, int]:
        """The places of the cell."""
        was, became = (self.scale.place(self.cleaned_data[name]) for name in ("was", "became"))
        return was or 0, became or 0

    @property
    def customers(self) -> QuerySet[Customer]:
        """The customers in the cell."""
        return customers_in(self.scale, self.cell, first=self.first_day, last=self.last_day, among=self.among)

    @property
    def values(self) -> dict[str, Any]:
        """As above, with the cell."""
        return {**super().values, "was": self.cleaned_data["was"], "became": self.cleaned_data["became"]}
