"""The form with which a file comes in."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from customers.imports import FORMATS
from customers.models import Feed, Source


class UploadForm(forms.Form):
    feed = forms.ModelChoiceField(
        label=_("Delivery"),
        queryset=Feed.objects.filter(is_active=True).select_related("source"),
        required=False,
        empty_label=_("None: the file has the columns of our own formats"),
        help_text=_("A delivery knows the columns of its source. You make them under Sources."),
    )
    format = forms.ChoiceField(
        label=_("What is in the file?"),
        choices=lambda: [(each.code, each.name) for each in FORMATS],
        widget=forms.RadioSelect,
        required=False,
    )
    source = forms.ModelChoiceField(
        label=_("Which system does it come from?"),
        queryset=Source.objects.filter(kind=Source.Kind.SYSTEM).exclude(code="api"),
        to_field_name="code",
        empty_label=None,
        required=False,
        help_text=_("Numbers are known per source: always choose the same one for the same system."),
    )
    file = forms.FileField(
        label=_("File"),
        widget=forms.ClearableFileInput(attrs={"accept": ".csv,.tsv,.txt,.xlsx,text/csv,text/plain"}),
        help_text=_("CSV: text with semicolons, commas or tabs, with a header. Or Excel (.xlsx)."),
        error_messages={"empty": _("The file is empty. Choose a file with a header and rows.")},
    )
    needs_approval = forms.BooleanField(
        label=_("Show first what it will change"),
        required=False,
        help_text=_("Nothing is written until you say yes."),
    )

    def clean(self) -> dict[str, Any]:
        found = super().clean() or {}
        if not found.get("feed"):
            for name in ("format", "source"):
                if not found.get(name) and name not in self.errors:
                    self.add_error(name, _("Choose one, or choose a delivery above."))
        return found
