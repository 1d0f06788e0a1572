"""Forms about deliveries: what comes, when, and how its columns are called."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from customers.imports import FORMATS, Column, Format
from customers.imports.templates import TEMPLATES
from customers.models import Feed


def _formats() -> list[tuple[str, Any]]:
    return [(each.code, each.name) for each in FORMATS]


class FeedCreateForm(forms.Form):
    name = forms.CharField(label=_("Name"), max_length=100)
    template = forms.ChoiceField(
        label=_("Begin with"),
        choices=lambda: [("", _("An empty delivery")), *((each.code, each.name) for each in TEMPLATES.values())],
        required=False,
        help_text=_("The columns of systems that are known; you can change all of it."),
    )
    delivers = forms.ChoiceField(
        label=_("What is in the file?"), choices=_formats, required=False, help_text=_("A template knows this itself.")
    )
    example = forms.FileField(
        label=_("Example of a file"),
        required=False,
        widget=forms.ClearableFileInput(attrs={"accept": ".csv,.tsv,.txt,.xlsx"}),
        help_text=_("We look at its columns and first rows only; nothing of it is taken in."),
    )


class ExampleForm(forms.Form):
    example = forms.FileField(
        label=_("Example of a file"), widget=forms.ClearableFileInput(attrs={"accept": ".csv,.tsv,.txt,.xlsx"})
    )


class FeedForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = Feed
        fields = (
            "name", "matching", "delimiter", "encoding", "folder", "pattern", "schedule", "at", "needs_approval",
            "is_whole", "is_active",
        )  # fmt: skip
        widgets = {"at": forms.TimeInput(attrs={"type": "time"}, format="%H:%M"), "matching": forms.RadioSelect}
        help_texts = {
            "matching": _("How a row finds the customer it is about."),
            "delimiter": _("Between the cells; empty: found out from the file. A tab needs no entry."),
            "folder": _("Below the folder of all imports, such as wise/leners."),
            "pattern": _("Which files in the folder, such as leners_*.csv."),
            "at": _("Amsterdam's time."),
            "is_whole": _(
                "For files with customers: who is no longer in them, the source no longer knows. Not for files with "
                "only what changed."
            ),
            "needs_approval": _("Somebody says yes before anything is written."),
        }

    encoding = forms.ChoiceField(
        label=_("Character set"),
        required=False,
        choices=[
            ("", _("Found out from the file")),
            ("utf-8", "UTF-8"),
            ("cp1252", "Windows-1252"),
            ("utf-16", "UTF-16"),
        ],
    )

    def validate_constraints(self) -> None:
        """The action says it in words."""


@dataclass(frozen=True)
class Row:
    """A column of the format with its three fields, as the page shows them beside each other."""

    column: Column
    source: forms.BoundField
    constant: forms.BoundField
    words: forms.BoundField


def _words(text: str) -> list[str]:
    return [word for word in map(str.strip, text.split(",")) if word]


class ColumnsForm(forms.Form):
    """For each column of the format: a column of the file, or a value of its own; and what its words mean."""

    def __init__(
        self,
        *args: Any,
        format: Format,  # noqa: A002 - the domain's word
        header: Sequence[str],
        mapping: Mapping[str, Any],
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.format = format
        used = [str(cell["column"]) for cell in mapping.values() if cell.get("column")]
        choices = [("", "–")] + [(name, name) for name in dict.fromkeys([*header, *used]) if name]
        for column in format.columns:
            cell = mapping.get(column.name, {})
            words = ", ".join(f"{theirs} = {ours}" for theirs, ours in (cell.get("values") or {}).items())
            self.fields[f"column_{column.name}"] = forms.ChoiceField(
                label=_("Column in the file: %s") % column.name,
                choices=choices,
                required=False,
                initial=cell.get("column", ""),
            )
            self.fields[f"constant_{column.name}"] = forms.CharField(
                label=_("Or always: %s") % column.name, required=False, max_length=100, initial=cell.get("constant", "")
            )
            self.fields[f"words_{column.name}"] = forms.CharField(
                label=_("Words: %s") % column.name,
                required=False,
                initial=words,
                widget=forms.TextInput(attrs={"placeholder": "Man = m, Vrouw = v"}),
            )  # fmt: skip

    @property
    def rows(self) -> Iterator[Row]:
        for column in self.format.columns:
            yield Row(column, *(self[f"{part}_{column.name}"] for part in ("column", "constant", "words")))

    def clean(self) -> dict[str, Any]:
        found = super().clean() or {}
        for column in self.format.columns:
            name = column.name
            if found.get(f"column_{name}") and found.get(f"constant_{name}"):
                self.add_error(f"constant_{name}", _("Choose a column or a value of its own, not both."))
            if any("=" not in word for word in _words(found.get(f"words_{name}", ""))):
                self.add_error(f"words_{name}", _("Write each word as Man = m, with commas in between."))
        return found

    def mapping(self) -> dict[str, dict[str, Any]]:
        found: dict[str, dict[str, Any]] = {}
        for column in self.format.columns:
            source, constant, words = (
                self.cleaned_data.get(f"{part}_{column.name}", "") for part in ("column", "constant", "words")
            )
            if source:
                found[column.name] = {"column": source}
                pairs = [word.split("=", 1) for word in _words(words)]
                if pairs:
                    found[column.name]["values"] = {theirs.strip(): ours.strip() for theirs, ours in pairs}
            elif constant:
                found[column.name] = {"constant": constant}
        return found
