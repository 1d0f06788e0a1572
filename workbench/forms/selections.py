"""Forms around selections: name and description, a label for all, what goes into an export."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from labels.exports import COLUMNS
from labels.models import Label
from selections.models import Folder


class SelectionForm(forms.Form):
    name = forms.CharField(label=_("Name"), max_length=120)
    description = forms.CharField(
        label=_("Description"), required=False, widget=forms.Textarea(attrs={"rows": 2}), max_length=2000
    )


class NewSelectionForm(SelectionForm):
    folder = forms.ModelChoiceField(
        Folder.objects.all(), label=_("Folder"), required=False, empty_label=_("In no folder")
    )


class BulkLabelForm(forms.Form):
    do = forms.ChoiceField(
        label=_("What should happen?"),
        choices=[("give", _("Give a label")), ("take", _("Take a label away"))],
        widget=forms.RadioSelect,
        initial="give",
    )
    label = forms.ModelChoiceField(label=_("Label"), queryset=Label.objects.none())

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.fields["label"].queryset = Label.objects.for_hand()  # type: ignore[attr-defined]


class ExportForm(forms.Form):
    columns = forms.MultipleChoiceField(
        label=_("Columns"),
        choices=[(column.code, column.label) for column in COLUMNS],
        initial=[column.code for column in COLUMNS if column.is_usual],
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Take no more than you need; the export is recorded with your name."),
    )
