"""Forms about sources: what one is called, and whom we believe about what."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from customers.models import Source
from customers.records import ADDRESS, FIELDS

#: What may have a rank of its own: an address is one thing.
RANKED = {code: field.name for code, field in FIELDS.items() if code not in ADDRESS}


def fields_of(code: str) -> tuple[str, ...]:
    return ADDRESS if code == "address" else (code,)


class SourceForm(forms.Form):
    name = forms.CharField(label=_("Name"), max_length=100)
    kind = forms.ChoiceField(
        label=_("Who speaks here?"),
        choices=[choice for choice in Source.Kind.choices if choice[0] != Source.Kind.PRODUCT],
        widget=forms.RadioSelect,
        help_text=_("An empty cell of a system takes nothing away that others know; people who empty a field do."),
    )
    rank = forms.IntegerField(
        label=_("Rank"),
        min_value=1,
        max_value=99,
        help_text=_("When sources differ, the lowest rank is believed; among equals what was said last."),
    )
    number_prefix = forms.CharField(
        label=_("Prefix of customer numbers"),
        max_length=8,
        required=False,
        help_text=_("Stands before this source's own numbers (T-1001). Leave it empty when its numbers are ours."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for code, name in {**RANKED, "address": _("address")}.items():
            self.fields[f"rank_{code}"] = forms.IntegerField(
                label=capfirst(name), min_value=1, max_value=99, required=False
            )

    @property
    def own_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in ("name", "kind", "rank", "number_prefix")]

    @property
    def rank_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in self.fields if name.startswith("rank_")]

    def ranks(self) -> dict[str, int | None]:
        found: dict[str, int | None] = {}
        for code in (*RANKED, "address"):
            for field in fields_of(code):
                found[field] = self.cleaned_data.get(f"rank_{code}")
        return found
