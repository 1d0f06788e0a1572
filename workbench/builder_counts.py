"""What the builder tells of a rule beside it: how many, what changed, what cannot be told, and who they are."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.contrib.humanize.templatetags.humanize import intcomma
from django.db.models import F, Q
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from common.errors import Refused
from common.time import last_of_day
from customers.criteria.moments import known_at
from customers.models import Purpose, World
from labels.models import Assignment
from labels.rules.behaviour import is_behaviour
from selections import figures
from selections.background import Answer, answer_of
from selections.figures import Measure
from selections.past import gaps
from selections.rules import Group, Path
from workbench.forms.builder import Builder, Draft
from workbench.forms.builder.drafts import Counted, digest_of
from workbench.forms.builder.panel import PanelForm
from workbench.whys import unknown_parts

FRESH = dt.timedelta(minutes=1)  # so long a count is not made again
LIVE_SECONDS = 4.0  # what somebody who is building waits for a count
MOST_BARS = 12


@dataclass
class Question:
    """A rule, the moment it is asked for, and, for a past day, what cannot be known of it."""

    rule: Group
    now: dt.datetime
    day: dt.date | None = None
    gaps: dict[Path, str] = field(default_factory=dict)
    assumes: bool = False

    @property
    def ticket(self) -> str:
        """What tells it from another question."""
        return digest_of(self.rule.to_json(), str(self.day or ""))

    @property
    def is_answerable(self) -> bool:
        """Whether it can be counted without guessing, or guessing is what is wanted."""
        return not self.gaps or self.assumes

    @property
    def unknown(self) -> list[dict[str, str]]:
        """The parts that are not known of that day, by name, and why."""
        return unknown_parts(self.rule, self.gaps)

    @property
    def is_behaviour(self) -> bool:
        """Whether it looks at what people do, which is profiling; not of what it asks for that cannot be read."""
        try:
            return is_behaviour(self.rule.to_json())
        except Refused:
            return False

    @property
    def among(self) -> Q:
        """Who was known on that day."""
        return known_at(self.now) if self.day else Q()


def question_of(rule: Group, panel: PanelForm, *, now: dt.datetime) -> Question:
    """Return what is asked; a past day is looked at as it ended."""
    day = panel.day
    if day is None:
        return Question(rule, now)
    then = min(last_of_day(day), now)
    unknown = gaps(rule, now=then, present=now)
    return Question(rule, then, day, unknown, assumes=bool(panel.cleaned_data.get("assume")))


@dataclass
class Count:
    """The answer: a measure, or why there is none (``problem``, with about how many), or that a worker is at it."""

    measure: Measure | None = None
    at: dt.datetime | None = None  # when a worker counted it
    waiting: Answer | None = None
    problem: str = ""
    pointer: str = ""
    about: int | None = None


def count(question: Question, draft: Draft, *, present: dt.datetime, anew: bool = False) -> Count:
    """Count, unless the same question was answered just now or a worker is busy with it."""
    known = answer_of(question.ticket)
    if known is not None and known.is_waiting:
        return Count(waiting=known, about=figures.estimate(question.rule, now=question.now))
    if known is not None and known.measure is not None and not anew:
        return Count(measure=known.measure, at=known.at)
    before = draft.now
    if before is not None and before.digest == question.ticket and present - before.at < FRESH and not anew:
        return Count(measure=before.measure)
    try:
        measure = figures.measure(question.rule, now=question.now, among=question.among, seconds=LIVE_SECONDS)
        return Count(measure=measure)
    except Refused as refused:
        if refused.code != "too_heavy":
            raise
        problem = known.problem if known is not None and known.problem else str(refused)
        about = figures.estimate(question.rule, now=question.now)
        return Count(problem=problem, pointer=refused.field or "", about=about)


def show_counts(builder: Builder, draft: Draft, question: Question, found: Count, *, present: dt.datetime) -> None:
    """Put the counts at the parts, with what changed since the rule was another, and what cannot be known."""
    for part in builder.parts():
        path = part.rule_path
        if path is None:
            continue
        part.gap = question.gaps.get(path, "")
        part.is_heavy = bool(found.pointer) and path == path_of(found.pointer)
        if found.measure is None:
            continue
        part.tally = found.measure.nodes.get(path)
        counts = found.measure.picks.get(path, ())
        for pick, before, after in zip(part.picks, counts, counts[1:], strict=False):
            pick.before, pick.after = before, after
    if found.measure is not None:
        _tell_change(builder, draft, question.ticket, found.measure, present)


def _tell_change(builder: Builder, draft: Draft, ticket: str, measure: Measure, present: dt.datetime) -> None:
    """Keep this count, and put the difference with that of the rule before it at the parts that were there then."""
    left = {part.key: part.tally.up_to_here for part in builder.parts() if part.tally is not None}
    draft.count(Counted(present, ticket, measure.total, left, measure))
    before = draft.was.parts if draft.was is not None else {}
    for part in builder.parts():
        if part.tally is not None and part.key in before:
            part.change = signed(left[part.key] - before[part.key])


def change_of(draft: Draft) -> int | None:
    """Return how many more (or fewer) there are than before the last change of the rule."""
    return draft.now.total - draft.was.total if draft.now is not None and draft.was is not None else None


def show_earlier(builder: Builder, draft: Draft) -> None:
    """Put the counts of before at the parts, until the new ones come."""
    if draft.now is None:
        return
    for part in builder.parts():
        part.earlier = draft.now.parts.get(part.key)


def announcement(found: Count, change: int | None) -> str:
    """Return what is said to who cannot see the panel."""
    if found.measure is None:
        return found.problem
    total = found.measure.total
    words = ngettext("%s customer.", "%s customers.", total) % intcomma(total)
    return f"{words} {_('%s compared with just now.') % signed(change)}" if change else words


def signed(number: int) -> str:
    """Return "+300" or "−1.240"; nothing for no difference."""
    if not number:
        return ""
    return f"+{intcomma(number)}" if number > 0 else f"−{intcomma(-number)}"


def path_of(pointer: str) -> Path:
    """Return the path of the node a JSON pointer names."""
    return tuple(int(index) for index in re.findall(r"/children/(\d+)", pointer))


# --- the parts of the panel, each one statement ---


def panel_of(question: Question, name: str, purpose: Purpose | None) -> dict[str, Any]:
    """Return what one part of the panel shows. Raises Refused ``too_heavy``."""
    if name == "spread":
        return {"splits": _splits(question)}
    if name == "reach":
        rows = _reach(question, purpose)
        return {"reach": rows, "reach_of": max((row["known"] for row in rows), default=1), "purpose_chosen": purpose}
    return {"sample": figures.sample(question.rule, now=question.now, among=question.among)}


def _splits(question: Question) -> list[dict[str, Any]]:
    homes = Assignment.objects.at(question.now).filter(label__group__code="world-1")
    spread = figures.spread(
        question.rule,
        now=question.now,
        among=question.among,
        worlds=homes.order_by().values("customer_id", world=F("label__code")),
    )
    names = _world_names([code for code, _n in spread.worlds if code])
    return [
        _split(_("By branch"), spread.branches, _("No branch")),
        _split(_("By age"), spread.ages, _("Age unknown"), most=len(spread.ages)),
        _split(_("By world they are most at home in"), [(names.get(c, c), n) for c, n in spread.worlds], _("None")),
        _split(_("By kind of customer"), spread.kinds, ""),
    ]


def _world_names(codes: list[str]) -> Mapping[str, str]:
    worlds = dict(World.objects.values_list("code", "name"))
    return {code: worlds.get(code.removeprefix("world-1-"), code) for code in codes}


def _split(title: str, counts: list[tuple[str, int]], nothing: str, *, most: int = MOST_BARS) -> dict[str, Any]:
    """Return the bars of one split; what does not fit is added up in the last."""
    shown, rest = counts[:most], counts[most:]
    bars = [{"label": name or nothing, "value": n, "tone": "brand" if name else "neutral"} for name, n in shown]
    if rest:
        others = _("%d others together") % len(rest)
        bars.append({"label": others, "value": sum(n for _name, n in rest), "tone": "neutral"})
    return {"title": title, "rows": bars, "max": max([n for _name, n in counts], default=1)}


def _reach(question: Question, purpose: Purpose | None) -> list[dict[str, Any]]:
    if purpose is None:
        return []
    reached = figures.reachability(question.rule, purpose=purpose, now=question.now, among=question.among)
    return [
        {
            "label": channel.label,
            "value": allowed,
            "known": known,
            "sub": _("of %s with an address") % intcomma(known),
            "tone": "success",
        }
        for channel, known, allowed in reached
    ]
