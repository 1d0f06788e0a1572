"""Forms of checking a message before it goes out."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from selections.models import Selection


class CheckForm(forms.Form):
    selection = forms.ModelChoiceField(
        Selection.objects.in_use(),
        label=_("Selection"),
        required=False,
        empty_label=_("Not chosen yet: count all customers"),
    )
