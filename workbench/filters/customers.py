"""The filters above the list of customers, and above the timeline of one."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import django_filters
from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from common.time import end_of_day, start_of_day
from customers.models import Branch, Customer
from customers.models.querysets import CustomerQuerySet
from customers.timeline import Wish
from workbench.forms.customers import DateInput


class CustomerFilter(django_filters.FilterSet):
    q = django_filters.CharFilter(label=_("Name, number, card, e-mail, phone, postal code or birth date"))
    kind = django_filters.ChoiceFilter(label=_("Kind"), choices=Customer.Kind, empty_label=_("All"))
    branch = django_filters.ModelChoiceFilter(label=_("Branch"), queryset=Branch.objects.all(), empty_label=_("All"))

    class Meta:
        model = Customer
        fields: list[str] = []

    @property
    def words(self) -> str:
        """What is searched for."""
        return str(self.form.cleaned_data.get("q") or "").strip() if self.form.is_valid() else ""

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Narrow first and search last: a search stops at the best, which must be the best of what is left."""
        chosen = self.form.cleaned_data
        narrowed: Any = queryset
        for name in ("kind", "branch"):
            narrowed = self.filters[name].filter(narrowed, chosen[name])
        if not isinstance(narrowed, CustomerQuerySet):
            raise TypeError("only customers can be searched")
        return narrowed.search(self.words)


class TimelineForm(forms.Form):
    """What of a timeline to show; what does not fit is left out."""

    kind = forms.ChoiceField(label=_("Show"), required=False)
    source = forms.ChoiceField(label=_("Source"), required=False)
    world = forms.ChoiceField(label=_("World"), required=False)
    start = forms.DateField(label=_("From"), required=False, widget=DateInput)
    end = forms.DateField(label=_("Up to and including"), required=False, widget=DateInput)

    def __init__(self, data: Any, *, kinds: list[Any], sources: list[Any], worlds: list[Any]) -> None:
        super().__init__(data)
        for name, every, choices in (
            ("kind", _("Everything"), kinds),
            ("source", _("All sources"), sources),
            ("world", _("All worlds"), worlds),
        ):
            self.fields[name].choices = [("", every), *choices]  # type: ignore[attr-defined]

    @property
    def wish(self) -> Wish:
        """What was chosen."""
        self.is_valid()
        chosen = self.cleaned_data
        start, end = chosen.get("start"), chosen.get("end")
        return Wish(
            kind=chosen.get("kind") or "",
            source=chosen.get("source") or "",
            world=chosen.get("world") or "",
            start=start_of_day(start) if start else None,
            end=end_of_day(end) if end else None,
        )

    @property
    def has_wish(self) -> bool:
        """Whether anything was chosen."""
        return self.wish != Wish()

    @property
    def query(self) -> str:
        """What was chosen, as the query of an address; without the place in the line."""
        return urlencode({name: value for name in self.fields if (value := self.data.get(name))})
