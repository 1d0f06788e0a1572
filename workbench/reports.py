"""A report as pages and files show it: its steps, its activities beside the control group, its groups."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from mailings.reports import (
    Afterwards,
    Comparison,
    Difference,
    Funnel,
    Group,
    LinkFigures,
    Scope,
    compare,
    figures,
    funnel,
    link_figures,
)
from mailings.reports.figures import Hours
from workbench.report_words import (
    STEP_NAMES,
    channel_words,
    difference_words,
    extra_words,
    group_rows,
    kind_name,
    percent,
    thin_words,
)

Address = Callable[..., str]  # step, group of it -> the page with those people


@dataclass(frozen=True)
class Report:
    """All figures of a scope, read once."""

    scope: Scope
    groups: list[Group]
    funnel: Funnel
    afterwards: list[Afterwards]
    hours: Hours
    comparison: Comparison | None
    links: list[LinkFigures]

    @property
    def difference(self) -> Difference | None:
        """What the chosen activity shows beside the control group."""
        return self.comparison.differences.get(self.scope.kind) if self.comparison else None

    @property
    def share_words(self) -> str:
        """What was done, as the heading of a column."""
        return kind_name(self.scope.kind)


def read_report(scope: Scope) -> Report:
    """Read everything; a handful of statements, whatever the number of mailings."""
    found = figures(scope)
    told = funnel(scope, found.groups)
    return Report(scope, found.groups, told, found.afterwards, found.hours, compare(scope), link_figures(scope))


def step_rows(report: Report, address: Address) -> list[dict[str, Any]]:
    """Return the steps of the funnel for c-bars, each with its share of who got it."""
    told, sent = report.funnel, report.funnel.sent
    steps = [("candidates", told.candidates, ""), ("allowed", told.allowed, "")]
    steps.append(("sent", sent.sent, channel_words(told.by_channel)))
    if sent.bounced:
        steps.append(("arrived", told.arrived, percent(told.arrived, sent.sent)))
    if {"email", "sms"} & set(told.by_channel):
        steps.append(("clicked", sent.clicked, percent(sent.clicked, sent.sent)))
    steps.append(("did", sent.did, percent(sent.did, sent.sent)))
    tones = {"sent": "success", "arrived": "success", "clicked": "brand", "did": "brand"}
    return [
        {
            "label": kind_name(report.scope.kind) if step == "did" and report.scope.kind else STEP_NAMES[step],
            "value": value,
            "sub": sub,
            "url": address(step),
            "tone": tones.get(step, "neutral"),
        }
        for step, value, sub in steps
    ]


def activity_rows(report: Report, address: Callable[[str], str]) -> list[dict[str, Any]]:
    """Return the activities that anybody did, with what the control group did; ``address`` is by kind."""
    apart = report.comparison.differences if report.comparison else {}
    return [
        {
            "kind": one.kind,
            "name": kind_name(one.kind),
            "people": one.people,
            "share": percent(one.people, report.funnel.sent.sent),
            "times": one.times,
            "amount_cents": one.amount_cents,
            "url": address(one.kind),
            "difference": _difference(apart.get(one.kind)),
        }
        for one in report.afterwards
        if one.people
    ]


def _difference(found: Difference | None) -> dict[str, Any] | None:
    if found is None:
        return None
    return {
        "treated": percent(found.one.did, found.one.of),
        "held": percent(found.other.did, found.other.of),
        "words": difference_words(found),
        "extra": extra_words(found),
        "thin": thin_words(found),
        "verdict": found.verdict,
        "found": found,
    }


def verdict_of(report: Report) -> dict[str, Any] | None:
    """Return what the control group says of the chosen activity."""
    return _difference(report.difference)


def figure_rows(report: Report) -> list[list[object]]:
    """Return the whole report as rows of a file, the head first: only how many, never who."""
    told, sent, did = report.funnel, report.funnel.sent, report.share_words
    head = [_("Part"), _("What"), _("People"), _("Of"), _("Per cent"), _("Times"), _("Euros"),
            _("Control group (per cent)"), _("At least (points)"), _("At most (points)")]  # fmt: skip
    parts: list[list[object]] = [[str(cell) for cell in head]]

    def add(part: str, what: str, people: int, of: int = 0, *more: object) -> None:
        share = round(100 * people / of, 2) if of else ""
        parts.append([part, what, people, of or "", share, *more, *[""] * (5 - len(more))])

    funnel_part, activities = _("Funnel"), _("Afterwards")
    add(funnel_part, str(STEP_NAMES["candidates"]), told.candidates)
    add(funnel_part, str(STEP_NAMES["allowed"]), told.allowed, told.candidates)
    add(funnel_part, str(STEP_NAMES["sent"]), sent.sent, told.candidates)
    for name, value in (("bounced", sent.bounced), ("complained", sent.complained), ("clicked", sent.clicked)):
        add(funnel_part, str(STEP_NAMES[name]), value, sent.sent)
    add(funnel_part, did, sent.did, sent.sent)
    add(funnel_part, _("Unsubscribed"), told.unsubscribes, sent.sent)
    add(funnel_part, _("Opens (an estimate)"), told.opens)
    add(funnel_part, _("Opens by programs"), told.machine_opens)
    for row in activity_rows(report, str):
        found = row["difference"] and row["difference"]["found"]
        beside = [round(value, 2) for value in (found.other.percent, found.lowest, found.highest)] if found else []
        euros = row["amount_cents"] / 100 if row["amount_cents"] else ""
        add(activities, row["name"], row["people"], sent.sent, row["times"], euros, *beside)
    names = {"channel": _("Channel"), "branch": _("Branch"), "domain": _("Mail domain"), "audience": _("Audience"),
             "version": _("Version")}  # fmt: skip
    for dimension, rows in group_rows(report.groups).items():
        for row in rows:
            group = row["group"]
            add(names[dimension], row["name"], group.sent)
            for name, value in (("bounced", group.bounced), ("clicked", group.clicked)):
                add(names[dimension], f"{row['name']}: {STEP_NAMES[name]}", value, group.sent)
            add(names[dimension], f"{row['name']}: {did}", group.did, group.sent)
    for link in report.links:
        add(_("Link"), link.url, link.readers, sent.clicked, link.clicks)
        if link.machines:
            add(_("Clicks by programs"), link.url, 0, 0, link.machines)
    return parts
