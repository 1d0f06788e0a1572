"""The form of a note on a customer."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from customers.models import Note
from customers.models.notes import LONGEST


class NoteForm(forms.Form):
    kind = forms.ChoiceField(label=_("What is it?"), choices=Note.Kind)
    text = forms.CharField(
        label=_("What was it about?"),
        max_length=LONGEST,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text=_("The customer may ask to read this. Leave out health, belief and other private matters."),
    )
    happened_at = forms.DateTimeField(
        label=_("When was it?"),
        required=False,
        help_text=_("Leave empty for now."),
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%d-%m-%Y %H:%M"],
    )


class NoteCorrectForm(NoteForm):
    """The moment stands there already."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["happened_at"].required = True
        self.fields["happened_at"].help_text = ""
