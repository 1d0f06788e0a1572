"""What a report of a mailing is asked for; all of it stands in the address."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from mailings.reports import DAYS, STEPS, Scope, report_kinds
from mailings.reports.scope import USUAL_DAYS

GROUPS = ("channel", "branch", "domain", "audience", "version")


class ReportForm(forms.Form):
    """A field that is left out has its usual value."""

    days = forms.TypedChoiceField(label=_("What people did within"), coerce=int)
    kind = forms.ChoiceField(label=_("Activity"), required=False)
    per = forms.ChoiceField(
        label=_("Course"),
        required=False,
        choices=[("", _("per day")), ("hour", _("per hour, the first three days"))],
    )

    def __init__(self, sent: Mapping[str, Any]) -> None:
        super().__init__({**{name: sent[name] for name in sent}, "days": sent.get("days") or str(USUAL_DAYS)})
        choices = [(days, ngettext("%d day", "%d days", days) % days) for days in DAYS]
        self.fields["days"].choices = choices  # type: ignore[attr-defined]
        kinds = sorted((str(kind.name), kind.code) for kind in report_kinds())
        self.fields["kind"].choices = [("", _("anything at all")), *((code, name) for name, code in kinds)]  # type: ignore[attr-defined]

    def scope(self, mailings: list[int]) -> Scope:
        """Return the scope that is asked for; the usual one when what was asked cannot be."""
        if not self.is_valid():
            return Scope.of(mailings)
        return Scope.of(mailings, days=self.cleaned_data["days"], kind=self.cleaned_data["kind"])

    @property
    def unit(self) -> Any:
        """Hours or days."""
        return (self.is_valid() and self.cleaned_data["per"]) or "day"

    @property
    def query(self) -> str:
        """What was asked, to stand in other addresses."""
        asked = self.cleaned_data if self.is_valid() else {"days": USUAL_DAYS}
        return urlencode({name: asked[name] for name in ("days", "kind") if asked.get(name)})


class PeopleForm(ReportForm):
    """Which people behind a figure: a step, and a group of them or a link."""

    step = forms.ChoiceField(choices=[(step, step) for step in STEPS], required=False)
    channel = forms.CharField(required=False, max_length=8)
    branch = forms.RegexField(r"^\d{1,18}$", required=False)
    domain = forms.CharField(required=False, max_length=253)
    audience = forms.RegexField(r"^(selection|label):\d{1,18}$", required=False)
    version = forms.RegexField(r"^\d{1,18}$", required=False)
    link = forms.IntegerField(required=False, min_value=1)

    @property
    def where(self) -> dict[str, str | int]:
        """The groups that are asked for; an empty one in the address is of who has none."""
        groups = {name: self.cleaned_data[name] for name in GROUPS
                  if name in self.data}  # fmt: skip
        return groups | ({"link": self.cleaned_data["link"]} if self.cleaned_data["link"] else {})
