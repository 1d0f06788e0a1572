"""The audiences that the marketeer works with every day: in folders, remarked upon, kept, and laid over each other."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User

from labels.models import Label
from selections.actions import keep_selection, move_selection, save_folder, write_comment
from selections.comparing import overlap
from selections.models import Selection

from .plans import Maker

MEMBERS = {"criterion": "customer.kind", "params": {"kinds": ["member"]}}
FOLDERS = {
    "Lidmaatschap": ("Nieuwe leden", "Alle leden", "Stille leden van Purmerend"),
    "Lezers": ("Thrillerlezers",),
    "Theater": ("Theaterbezoekers van het afgelopen jaar", "Trouw aan bibliotheek en theater"),
}


Rule = dict[str, Any]


def borrowed(**asked: object) -> Rule:
    """Return the criterion that asks how often somebody borrowed."""
    return {"criterion": "facts.count", "params": {"kind": "loan", "op": "at_least", **asked}}


@dataclass(frozen=True)
class Audiences:
    """Who makes them, and when; the plans must have been made."""

    by: User
    now: dt.datetime

    def make(self) -> str:
        """Make them, and return in words what came of it."""
        silent, visitors, loyal = self._silent(), self._visitors(), self._loyal()
        self._file()
        kept = keep_selection(silent, name="Stille leden van Purmerend, voor de actie", by=self.by, now=self.now)
        readers = Selection.objects.get(name="Thrillerlezers")
        shared = overlap([readers, visitors], now=self.now)[0].count
        return (
            f"{kept.member_count:,} silent members kept, {shared:,} of the thriller readers go to the theatre, "
            f"{loyal.last_count:,} are loyal to both"
        )

    def _silent(self) -> Selection:
        """Members of one branch who stopped borrowing, and are not invited already; one per household."""
        silent = self._select(
            "Stille leden van Purmerend",
            "Leenden het afgelopen jaar, maar de laatste dertig dagen niets. Voor een herinnering per e-mail.",
            MEMBERS,
            {"criterion": "customer.branch", "params": {"branches": ["PUR"]}},
            {"criterion": "facts.none", "params": {"kind": "loan", "within_days": 30}},
            borrowed(times=1, within_days=395),
            {"criterion": "labels.not_has", "params": {"labels": [Label.objects.get(name="Leesclub Spanning").code]}},
            picks=[{"pick": "household", "keep": "oldest"}],
        )
        write_comment(
            silent, text="Eén per adres, anders krijgt een gezin de herinnering drie keer.", by=self.by, now=self.now
        )
        return silent

    def _visitors(self) -> Selection:
        return self._select(
            "Theaterbezoekers van het afgelopen jaar",
            "Kochten de afgelopen twaalf maanden minstens één keer kaarten.",
            {
                "criterion": "facts.count",
                "params": {"kind": "ticket", "op": "at_least", "times": 1, "within_days": 365},
            },
        )

    def _loyal(self) -> Selection:
        """A group in a group, and a choice by value."""
        return self._select(
            "Trouw aan bibliotheek en theater",
            "De honderd met de hoogste klantwaarde van wie veel leent of naar het theater gaat.",
            MEMBERS,
            {
                "op": "any",
                "children": [
                    borrowed(times=12, within_days=365),
                    {"criterion": "labels.has", "params": {"labels": ["sector-both"]}},
                ],
            },
            picks=[{"pick": "top", "size": 100, "by": "computed.customer-value"}],
        )

    def _select(self, name: str, description: str, *conditions: Rule, picks: Sequence[Rule] = ()) -> Selection:
        return Maker(by=self.by, now=self.now).select(name, description, *conditions, picks=picks)

    def _file(self) -> None:
        for name, selections in FOLDERS.items():
            folder = save_folder(None, name=name, now=self.now)
            for selection in Selection.objects.filter(name__in=selections):
                move_selection(selection, folder=folder, by=self.by, now=self.now)
