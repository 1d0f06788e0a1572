"""The form of a computed value: its name, and a row for each part of the formula."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django import forms
from django.contrib.humanize.templatetags.humanize import intcomma
from django.utils.translation import gettext_lazy as _

from customers.facts import fact_kinds
from labels.formulas import HEAVIEST, MEASURED, MOST_MONTHS, SETS, in_euros, read_terms
from labels.models import ValueDefinition

ROWS = 4
PARTS = ("weight", "what", "kinds", "months")


def _kinds() -> list[tuple[str, Any]]:
    return [*SETS.items(), *((kind.code, kind.name) for kind in fact_kinds)]


class ValueForm(forms.Form):
    name = forms.CharField(label=_("Name"), max_length=80)
    description = forms.CharField(
        label=_("What it tells"), required=False, max_length=500, widget=forms.Textarea(attrs={"rows": 2})
    )
    unit = forms.ChoiceField(label=_("What it counts"), choices=ValueDefinition.Unit.choices)

    def __init__(self, *args: Any, rows: int = ROWS, **options: Any) -> None:
        super().__init__(*args, **options)
        self.row_count = rows
        for place in range(rows):
            self.fields |= {f"{part}_{place}": field for part, field in _row(is_first=place == 0).items()}

    @property
    def rows(self) -> Iterator[Mapping[str, Any]]:
        """The parts of the formula as rows of bound fields."""
        for place in range(self.row_count):
            yield {"place": place + 1, **{part: self[f"{part}_{place}"] for part in PARTS}}

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if not any(cleaned.get(f"what_{place}") for place in range(self.row_count)):
            self.add_error("what_0", _("Choose what is measured."))
        for place in range(self.row_count):
            if cleaned.get(f"what_{place}"):
                for part in PARTS:
                    if f"{part}_{place}" not in self.errors and not cleaned.get(f"{part}_{place}"):
                        self.add_error(f"{part}_{place}", _("Fill this in."))
                self._check_weight(place, cleaned)
        return cleaned

    def _check_weight(self, place: int, cleaned: dict[str, Any]) -> None:
        """Hold the weight as it is said, in euros, against the most that is stored, in cents."""
        most = HEAVIEST * in_euros(cleaned[f"what_{place}"], cleaned.get("unit", ""))
        if abs(cleaned.get(f"weight_{place}") or 0) > most:
            self.add_error(f"weight_{place}", _("Fill in at most %s.") % intcomma(int(most)))

    @property
    def terms(self) -> list[dict[str, Any]]:
        """The formula as it is stored."""
        said = self.cleaned_data
        return [
            {
                "weight": float(said[f"weight_{place}"] / in_euros(said[f"what_{place}"], said["unit"])),
                "what": said[f"what_{place}"],
                "kinds": said[f"kinds_{place}"],
                "months": said[f"months_{place}"],
            }
            for place in range(self.row_count)
            if said.get(f"what_{place}")
        ]

    @property
    def values(self) -> dict[str, Any]:
        """What the actions take."""
        return {**{name: self.cleaned_data[name] for name in ("name", "description", "unit")}, "terms": self.terms}


def initial_of(terms: Sequence[Mapping[str, Any]], *, unit: str) -> dict[str, Any]:
    """Return a formula as the rows of the form show it."""
    return {
        f"{part}_{place}": value
        for place, term in enumerate(read_terms(terms))
        for part, value in zip(
            PARTS, (term.weight_in_euros(unit), term.what, list(term.kinds), term.months), strict=True
        )
    }


def _row(*, is_first: bool) -> dict[str, forms.Field]:
    nothing = _("Choose…") if is_first else _("leave this part out")
    return {
        "weight": forms.DecimalField(
            label=_("Multiplied by"),
            required=False,
            initial=1,
            max_digits=21,
            decimal_places=12,
            localize=True,
            help_text=_("1 counts as it is, 2 twice as much, −1 is taken off."),
        ),
        "what": forms.ChoiceField(
            label=_("What"), required=False, choices=lambda: [("", nothing), *MEASURED.items()]
        ),
        "kinds": forms.MultipleChoiceField(
            label=_("Of which activities"), required=False, choices=_kinds,
            widget=forms.SelectMultiple(attrs={"data-enhance": True}),
        ),
        "months": forms.IntegerField(
            label=_("In the last … months"), required=False, initial=12, min_value=1, max_value=MOST_MONTHS
        ),
    }  # fmt: skip
