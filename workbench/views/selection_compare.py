"""Two or three selections or result sets laid over each other."""

from __future__ import annotations

import json
from typing import Any

from django.contrib.humanize.templatetags.humanize import intcomma
from django.urls import path, reverse
from django.utils.functional import cached_property
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common.errors import Refused
from selections.asking import who_are_in
from selections.comparing import Part, Side, check_sides, overlap, part_rule
from selections.models import Selection
from workbench.base import TemplatePage
from workbench.forms.selection_pages import CompareForm
from workbench.views.selection_base import people_page, tabs_of
from workbench.views.selection_builder import crumbs

LETTERS = "ABC"


class SelectionCompare(TemplatePage):
    permission = "manage_selections"
    page_title = gettext_lazy("Compare selections")
    template_name = "workbench/selections_compare.html"

    def get_breadcrumb(self) -> list[Any]:
        return crumbs()

    @cached_property
    def form(self) -> CompareForm:
        asked = self.request.GET
        return CompareForm(asked if asked.get("two") else None, initial={"one": asked.get("one", "")})

    def get_context(self, **extra: Any) -> dict[str, Any]:
        told: dict[str, Any] = {}
        try:
            if self.form.is_bound and self.form.is_valid():
                told = self._compared(self.form.sides)
        except Refused as refused:
            told = {"problem": str(refused)}
        return super().get_context(form=self.form, tabs=self._tabs(), **told, **extra)

    def _tabs(self) -> list[dict[str, Any]]:
        code = self.request.GET.get("one", "")
        if not code.startswith("s") or not code[1:].isdecimal() or len(code) > 10:
            return []
        selection = Selection.objects.filter(pk=int(code[1:])).first()
        return tabs_of(selection, "compare") if selection is not None else []

    def _compared(self, sides: list[Side]) -> dict[str, Any]:
        check_sides(sides)
        parts = overlap(sides, now=self.now)
        totals = [sum(part.count for part in parts if part.inside[place]) for place in range(len(sides))]
        shown = [self._row(sides, part, totals) for part in parts]
        chosen = next((row for row in shown if row["is_open"]), None)
        told: dict[str, Any] = {
            "sides": [
                {"letter": letter, "side": side, "total": total, "is_set": not isinstance(side, Selection)}
                for letter, side, total in zip(LETTERS, sides, totals, strict=False)
            ],
            "parts": shown,
            "most": max((part.count for part in parts), default=1) or 1,
            "chosen": chosen,
        }
        if chosen is not None:
            found = who_are_in(part_rule(sides, chosen["inside"]), as_of=None, now=self.now)
            told["people"] = people_page(self.request, found, count=chosen["count"])
        return told

    def _row(self, sides: list[Side], part: Part, totals: list[int]) -> dict[str, Any]:
        code = "".join("1" if is_in else "0" for is_in in part.inside)
        kept = {name: self.request.GET[name] for name in ("one", "two", "three") if self.request.GET.get(name)}
        name = _name(sides, part.inside)
        rule = json.dumps(part_rule(sides, part.inside).to_json())
        return {
            "code": code,
            "inside": part.inside,
            "count": part.count,
            "label": name,
            "letters": [letter for letter, is_in in zip(LETTERS, part.inside, strict=False) if is_in],
            "shares": _shares(part, totals),
            "url": f"?{urlencode({**kept, 'part': code})}#people",
            "save_url": f"{reverse('workbench:selection_create')}?{urlencode({'rule': rule, 'name': name[:120]})}",
            "is_open": self.request.GET.get("part") == code,
        }


def _name(sides: list[Side], inside: tuple[bool, ...]) -> str:
    """Return "in A and B, not in C"."""
    wanted = _(" and ").join(f"“{side}”" for side, is_in in zip(sides, inside, strict=True) if is_in)
    others = _(" or ").join(f"“{side}”" for side, is_in in zip(sides, inside, strict=True) if not is_in)
    if not others:
        return _("In %s") % wanted
    return _("In %(wanted)s, not in %(others)s") % {"wanted": wanted, "others": others}


def _shares(part: Part, totals: list[int]) -> str:
    """Return "12% of A, 40% of B"."""
    shares = []
    for letter, is_in, total in zip(LETTERS, part.inside, totals, strict=False):
        if is_in and total:
            percent = intcomma(round(100 * part.count / total))
            shares.append(_("%(percent)s%% of %(letter)s") % {"percent": percent, "letter": letter})
    return ", ".join(shares)


urlpatterns = [path("selections/compare/", SelectionCompare.as_view(), name="selection_compare")]
