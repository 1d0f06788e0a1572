"""The form with which a file comes in."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from customers.base import ENTERED_BY_PEOPLE
from customers.imports import FORMATS
from customers.models import Source

# What the product itself writes, or people do, is not the source of a file.
NOT_OF_FILES = (*ENTERED_BY_PEOPLE, "mailings", "vouchers", "api")


class UploadForm(forms.Form):
    format = forms.ChoiceField(
        label=_("What is in the file?"),
        choices=[(each.code, each.name) for each in FORMATS],
        widget=forms.RadioSelect,
    )
    source = forms.ModelChoiceField(
        label=_("Which system does it come from?"),
        queryset=Source.objects.exclude(code__in=NOT_OF_FILES),
        to_field_name="code",
        empty_label=None,
        help_text=_("Numbers are known per source: always choose the same one for the same system."),
    )
    file = forms.FileField(
        label=_("File"),
        widget=forms.ClearableFileInput(attrs={"accept": ".csv,.tsv,.txt,text/csv,text/plain"}),
        help_text=_("CSV: text with semicolons, commas or tabs, with a header."),
        error_messages={"empty": _("The file is empty. Choose a file with a header and rows.")},
    )
