"""What thins a group out, under construction: the form of each pick and the pick that makes.

The pick number 0 of the group ``r-1`` has a field ``r-1__pick-0`` with its kind, and the fields of its form with that
prefix.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _
from pydantic import BaseModel

from common.values import values
from selections.rules import MAX_NUMBER, OnePerHousehold, Pick, Sample, Share, Top

MOST = 10_000_000


def _value_choices() -> Iterator[tuple[str, Any]]:
    return ((value.code, value.label) for value in values)


class _PickForm(forms.Form):
    #: What stands before, between and after its fields, so that they read as a sentence.
    words: ClassVar[tuple[Any, ...]] = ()

    def sentence(self) -> list[tuple[Any, Any]]:
        """Return what reads before each field, with the field; the last has words only."""
        shown = [field for field in self if not field.is_hidden]
        return [(word, shown[place] if place < len(shown) else None) for place, word in enumerate(self.words)]


class SampleForm(_PickForm):
    words = (_("At most"), _("at random"))
    size = forms.IntegerField(label=_("How many"), min_value=1, max_value=MOST, initial=500)
    seed = forms.IntegerField(required=False, min_value=0, max_value=MAX_NUMBER, widget=forms.HiddenInput)


class ShareForm(_PickForm):
    words = (_("A fixed share of"), _("percent, counted from"), _("percent"))
    percent = forms.FloatField(label=_("Percentage"), min_value=0.01, max_value=100, initial=20)
    start = forms.FloatField(
        label=_("Counted from which percentage"), min_value=0, max_value=99.99, initial=0, required=False
    )
    seed = forms.IntegerField(required=False, min_value=0, max_value=MAX_NUMBER, widget=forms.HiddenInput)


class TopForm(_PickForm):
    words = (_("The"), _("with the"), "")
    size = forms.IntegerField(label=_("How many"), min_value=1, max_value=MOST, initial=1000)
    lowest = forms.ChoiceField(
        label=_("Highest or lowest"), choices=[("", _("highest")), ("1", _("lowest"))], required=False
    )
    by = forms.ChoiceField(label=_("By which value"), choices=_value_choices)


class HouseholdForm(_PickForm):
    words = (_("One per household:"),)
    keep = forms.ChoiceField(
        label=_("Who of a household"),
        choices=[
            ("oldest", _("the oldest")),
            ("youngest", _("the youngest")),
            ("longest", _("who is with us longest")),
        ],
    )


#: Code -> (what the menu says, the pick, its form).
KINDS: dict[str, tuple[Any, type[BaseModel], type[_PickForm]]] = {
    "sample": (_("A number at random"), Sample, SampleForm),
    "top": (_("Those with the highest or lowest value"), Top, TopForm),
    "household": (_("One per household"), OnePerHousehold, HouseholdForm),
    "share": (_("A fixed share"), Share, ShareForm),
}


def pick_menu() -> list[tuple[str, Any]]:
    """Return what can be added; by value only where values are known."""
    return [(kind, words) for kind, (words, _pick, _form) in KINDS.items() if kind != "top" or list(values)]


@dataclass(eq=False)
class PickPart:
    """One pick of a group: ``raw`` as sent, or ``initial`` for a new form. ``before`` and ``after`` are counts."""

    kind: str
    raw: dict[str, list[str]] | None = None
    initial: dict[str, Any] | None = None
    prefix: str = ""
    form: _PickForm | None = None
    before: int | None = None
    after: int | None = None
    is_first: bool = False
    is_last: bool = False

    @property
    def label(self) -> Any:
        """What the menu calls it."""
        return KINDS[self.kind][0]

    def number(self, path: str, index: int) -> None:
        """Take its place in the group, and a form with fields named after that."""
        self.prefix = f"{path}__pick-{index}"
        form = KINDS[self.kind][2]
        if self.raw is None:
            self.form = form(initial=self.initial, prefix=self.prefix)
        else:
            data = QueryDict(mutable=True)
            for name, sent in self.raw.items():
                data.setlist(f"{self.prefix}-{name}", sent)
            self.form = form(data, prefix=self.prefix)

    def pick(self) -> Pick | None:
        """Return the pick its form makes; None when that is not right, with the reason in the form."""
        _words, pick, form = KINDS[self.kind]
        if self.form is None or not self.form.is_bound:
            shown = form()
            start = {name: shown.get_initial_for_field(field, name) for name, field in shown.fields.items()}
            if self.kind == "top" and (first := next(iter(values), None)) is not None:
                start["by"] = first.code
            given = {name: value for name, value in (start | (self.initial or {})).items() if value is not None}
        elif self.form.is_valid():
            given = {name: value for name, value in self.form.cleaned_data.items() if value is not None}
        else:
            return None
        if self.kind == "top" and not given.get("by"):
            return None  # there is no value to go by
        if "lowest" in given:
            given["lowest"] = bool(given["lowest"])
        known = {name: value for name, value in given.items() if name in pick.model_fields}
        return pick.model_validate(known)  # type: ignore[return-value]

    def copy(self) -> PickPart:
        """Return another of the same."""
        return PickPart(self.kind, dict(self.raw) if self.raw is not None else None, self.initial)


def new_pick(kind: str) -> PickPart:
    """Return a pick as it starts; a sample draws others than samples elsewhere, a share the same for everybody."""
    chance = {"seed": secrets.randbelow(MAX_NUMBER)} if kind == "sample" else {}
    return PickPart(kind, initial=chance)


def pick_part(pick: Pick) -> PickPart:
    """Return the part of a pick in a saved rule."""
    shown = pick.model_dump(mode="json")
    kind = shown.pop("pick")
    shown = {name: int(given) if isinstance(given, float) and given == int(given) else given
             for name, given in shown.items()}  # fmt: skip
    if "lowest" in shown:
        shown["lowest"] = "1" if shown["lowest"] else ""
    return PickPart(kind, initial=shown)


def sent_pick(data: QueryDict, prefix: str) -> PickPart | None:
    """Return the pick of which the fields start with ``prefix``."""
    kind = data.get(prefix, "")
    if kind not in KINDS:
        return None
    start = f"{prefix}-"
    return PickPart(kind, {name.removeprefix(start): data.getlist(name) for name in data if name.startswith(start)})
