"""Looking back: who were in a selection on a day, and who came, left and stayed between two."""

from __future__ import annotations

from typing import Any

from django.urls import path
from django.utils.functional import cached_property
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from common.errors import Refused
from selections import figures
from selections.asking import who_are_in
from selections.comparing import TURNS, turned, turnover
from selections.past import gaps
from selections.rules import Group, parse_rule
from workbench.forms.selection_pages import KeepForm, LookBackForm
from workbench.views.selection_base import SelectionPage, people_page, sentence_of
from workbench.whys import unknown_parts


class SelectionThen(SelectionPage):
    permission = "manage_selections"
    template_name = "workbench/selections_then.html"
    part = "then"

    def get_title(self) -> str:
        return self.object.name

    @cached_property
    def form(self) -> LookBackForm:
        return LookBackForm(self.request.GET, now=self.now)

    def get_context(self, **extra: Any) -> dict[str, Any]:
        told: dict[str, Any] = dict(sentence_of(self.object))
        try:
            is_asked = self.form.is_bound and self.form.is_valid() and self.form.cleaned_data["first"]
            if is_asked and "unreadable" not in told:
                told |= self._answer(parse_rule(self.object.rule))
        except Refused as refused:
            told["problem"] = str(refused)
        return super().get_context(form=self.form, keep_form=KeepForm(now=self.now), **told, **extra)

    def _answer(self, rule: Group) -> dict[str, Any]:
        """Return figures and people; only what cannot be known while that is not to be assumed."""
        asked = self.form.cleaned_data
        first = self.form.moment(asked["first"])
        unknown = unknown_parts(rule, gaps(rule, now=first, present=self.now))
        told: dict[str, Any] = {"asked": asked, "unknown": unknown}
        if unknown and not asked["assume"]:
            return told
        return told | (self._two(rule) if asked["last"] else self._one(rule))

    def _one(self, rule: Group) -> dict[str, Any]:
        first = self.form.moment(self.form.cleaned_data["first"])
        found = who_are_in(rule, as_of=first, assume_present=self.form.cleaned_data["assume"], now=self.now)
        with figures.time_limit(rule=rule, now=first):
            count = found.count()
        return {"count": count, "people": people_page(self.request, found, count=count)}

    def _two(self, rule: Group) -> dict[str, Any]:
        asked = self.form.cleaned_data
        stretch = {
            "first": self.form.moment(asked["first"]),
            "last": self.form.moment(asked["last"]),
            "present": self.now,
            "assume_present": asked["assume"],
        }
        figured = turnover(rule, **stretch)
        turn = self.request.GET.get("turn", "")
        turn = turn if turn in TURNS else "came"
        count: int = getattr(figured, turn)
        people = people_page(self.request, turned(rule, turn, **stretch), count=count)
        return {"turnover": figured, "turn": turn, "turns": self._turns(figured, turn), "people": people}

    def _turns(self, figured: Any, turn: str) -> list[dict[str, Any]]:
        names = {"came": _("Came"), "left": _("Went away"), "stayed": _("Stayed")}
        kept = {name: self.request.GET[name] for name in ("first", "last", "assume") if name in self.request.GET}
        return [
            {
                "label": name,
                "url": f"?{urlencode({**kept, 'turn': code})}",
                "active": code == turn,
                "count": getattr(figured, code),
            }
            for code, name in names.items()
        ]


urlpatterns = [path("selections/<int:pk>/then/", SelectionThen.as_view(), name="selection_then")]
