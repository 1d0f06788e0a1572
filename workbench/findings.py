"""What the checks found, as the pages show it: by severity, each with the way to where it is mended."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from django.urls import reverse
from django.utils.translation import gettext as _

from common.blocks import blocks
from mailings.checks import Finding, Report, Severity
from mailings.checks.base import PREHEADER, SENDING, SUBJECT
from mailings.models import Content
from newsletter.models import Edition

if TYPE_CHECKING:
    from workbench.base import Text

TONES = {Severity.ERROR: "danger", Severity.WARNING: "warning", Severity.HINT: "info"}
ICONS = {Severity.ERROR: "circle-alert", Severity.WARNING: "triangle-alert", Severity.HINT: "lightbulb"}


class Place(NamedTuple):
    """Where something stands: the address where it is mended, and its name."""

    url: str
    words: Text


@dataclass(frozen=True)
class Group:
    """The findings of one severity; ``rows`` are (finding, its place or None)."""

    severity: Severity
    tone: str
    icon: str
    rows: list[tuple[Finding, Place | None]]


@dataclass(frozen=True)
class Findings:
    """A report as a page shows it."""

    report: Report
    groups: list[Group]

    @property
    def shown_before_sending(self) -> list[Group]:
        """What who sends has to see; hints stand on the page of the checks."""
        return [group for group in self.groups if group.severity != Severity.HINT]


def show(report: Report, content: Content, *, edition: Edition | None = None) -> Findings:
    """Sort a report for a page. ``edition``: the content is written by it, and mended there."""
    where = _place_in(content, edition)
    groups = [
        Group(severity, TONES[severity], ICONS[severity], [(one, where(one.place)) for one in found])
        for severity in Severity
        if (found := report.of(severity))
    ]
    return Findings(report, groups)


def _place_in(content: Content, edition: Edition | None) -> Callable[[str], Place | None]:
    names = {str(one["id"]): _name_of(one) for one in content.blocks}

    def place(code: str) -> Place | None:
        if code == SENDING:
            return Place(reverse("workbench:sending_settings"), _("Sending"))
        if code not in {SUBJECT, PREHEADER, *names}:
            return None
        words = {SUBJECT: _("Subject"), PREHEADER: _("Preview text")}.get(code) or names[code]
        if edition is not None and code.startswith("item-"):
            return Place(reverse("workbench:item_change", args=[int(code.removeprefix("item-"))]), words)
        if edition is not None:
            return Place(reverse("workbench:edition_change", args=[edition.pk]), words)
        anchor = f"#block-{code}" if code in names else ""
        return Place(reverse("workbench:content", args=[content.pk]) + anchor, words)

    return place


def _name_of(one: dict[str, object]) -> str:
    block = blocks.get(str(one["type"]))
    return str(block.label) if block else str(one["type"])
