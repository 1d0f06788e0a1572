"""Which changes are to be taken over elsewhere: shape only."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from customers.models import Source
from workbench.forms.customers import DateInput


class HandoverForm(forms.Form):
    since = forms.DateField(label=_("From"), widget=DateInput)
    source = forms.ModelChoiceField(
        label=_("Through"), required=False, to_field_name="code",
        empty_label=_("All people: MijnMenu, desk, workbench"),
        queryset=Source.objects.filter(kind=Source.Kind.PEOPLE),
    )  # fmt: skip
