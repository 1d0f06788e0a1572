"""What the checks found, as the pages show it: by severity, each with the way to where it is mended."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _

from campaigns.actions import check_action
from campaigns.models import Action
from common.blocks import blocks
from common.errors import Refused
from customers.models import Customer
from mailings.checks import Finding, Report, Severity
from mailings.checks.base import PREHEADER, SENDING, SUBJECT, TEXT
from mailings.content import every_block
from mailings.experiments.checking import check_versions, planned_test
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


def report_of(
    action: Action, *, candidates: QuerySet[Customer] | None = None, with_test: bool = False, now: dt.datetime
) -> Report:
    """Return what the checks say of an action as it is now."""
    return check_versions(
        action.content,
        planned_test(action.content_id) if with_test else None,
        purpose=action.purpose,
        channels=action.channels,
        candidates=candidates,
        now=now,
    )


def why_not_ready(action: Action) -> str:
    """Return in words why an action cannot go out at all; empty when it can."""
    try:
        check_action(action)
    except Refused as refused:
        return str(refused)
    return ""


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
    names = {str(one["id"]): _name_of(one) for one in every_block(content.blocks)}

    def place(code: str) -> Place | None:
        if code == SENDING:
            return Place(reverse("workbench:sending_settings"), _("Sending"))
        if code == TEXT:
            return Place(reverse("workbench:content_text", args=[content.pk]), _("Text message"))
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
