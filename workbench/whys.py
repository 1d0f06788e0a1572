"""Why somebody is in a selection or out of it, for pages: what is asked, what was seen, what tips the scale."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User
from django.db.models import Exists
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from common.criteria import criteria
from common.errors import Refused
from customers.criteria.moments import known_at
from customers.models import Customer
from selections.compiler import compile_rule
from selections.explain import describe, pick_clause
from selections.figures import time_limit
from selections.models import Selection
from selections.past import gap_of_picks, gaps
from selections.rules import Condition, Group, Op, Path, parse_rule, walk
from selections.verdicts import Verdict
from workbench.forms.builder.picks import KINDS

TONES = {True: "success", False: "danger"}


@dataclass(frozen=True)
class Line:
    """One part of the rule on the page. ``is_fine``: it is as its group wants it; ``decides``: the outcome hangs on it;
    ``picked`` is how it went at the draw, in words.
    """

    verdict: Verdict
    is_fine: bool
    decides: bool
    words: str
    title: str
    picked: str
    link: str
    children: tuple[Line, ...]

    @property
    def is_group(self) -> bool:
        """Whether it holds other parts."""
        return isinstance(self.verdict.node, Group)

    @property
    def icon(self) -> str:
        """A tick, a cross, or a question mark when the answer is a guess."""
        if self.verdict.gap:
            return "circle-question-mark"
        return "circle-check" if self.is_fine else "circle-x"

    @property
    def tone(self) -> str:
        """The colour that goes with it."""
        return "warning" if self.verdict.gap else TONES[self.is_fine]


def deciding(verdict: Verdict) -> set[Path]:
    """Return the conditions and draws on which the outcome hangs: all that hold when one would do, the failing ones
    when all are needed.
    """
    node = verdict.node
    if isinstance(node, Condition):
        return {verdict.path}
    if verdict.holds_before_picks and not verdict.holds:
        return {verdict.path}
    held, children = verdict.holds_before_picks, verdict.children
    found: Iterable[Verdict] = children
    if node.op == Op.ALL and not held:
        found = [child for child in children if not child.holds]
    elif node.op == Op.ONE:
        too_many = sum(child.holds for child in children) > 1
        found = [child for child in children if child.holds] if too_many else children
    elif (node.op == Op.ANY and held) or (node.op == Op.NONE and not held):
        found = [child for child in children if child.holds]
    return {path for child in found for path in deciding(child)}


def certainly(verdict: Verdict) -> bool | None:
    """Return the outcome, when it is sure whatever held for the parts of which a past day is not known; else None.

    Who is drawn depends on the others too, so with anything unknown below it a draw is never sure.
    """
    node = verdict.node
    if isinstance(node, Condition):
        return None if verdict.gap else verdict.holds
    told = [certainly(child) for child in verdict.children]
    if None not in told:
        return None if verdict.gap else verdict.holds
    if node.op == Op.ONE:  # two that surely hold are too many, whatever the others do
        return False if told.count(True) > 1 else None
    decisive = node.op != Op.ALL  # the answer of one part that settles the group
    if decisive not in told:
        return None
    outcome = node.op == Op.ANY
    return None if outcome and node.picks else outcome


def lines_of(verdict: Verdict, *, customer: Customer, query: str = "") -> Line:
    """Return the tree of a verdict as the page shows it."""
    return _line(verdict, wanted=True, decisive=deciding(verdict), customer=customer, query=query)


def reasons_of(line: Line) -> Iterator[Line]:
    """Yield the parts that tip the scale, in the order of the rule."""
    if line.decides:
        yield line
    for child in line.children:
        yield from reasons_of(child)


def unknown_of(line: Line) -> Iterator[Line]:
    """Yield the parts of which a past day is not known any more."""
    if line.verdict.gap:
        yield line
    for child in line.children:
        yield from unknown_of(child)


def _line(verdict: Verdict, *, wanted: bool, decisive: set[Path], customer: Customer, query: str) -> Line:
    node = verdict.node
    inner = not (isinstance(node, Group) and node.op == Op.NONE)
    children = tuple(
        _line(child, wanted=inner, decisive=decisive, customer=customer, query=query) for child in verdict.children
    )
    return Line(
        verdict=verdict,
        is_fine=verdict.holds == wanted,
        decides=verdict.path in decisive,
        words=_words(verdict, wanted=wanted),
        title=_title(verdict),
        picked=_picked(verdict),
        link=_link(verdict, customer, query),
        children=children,
    )


def _words(verdict: Verdict, *, wanted: bool) -> str:
    if verdict.gap:
        return _("Not certain")
    if wanted:
        return _("Holds") if verdict.holds else _("Does not hold")
    return _("Holds, and must not") if verdict.holds else _("Does not hold, as it should be")


def _title(verdict: Verdict) -> str:
    """Return the name of a criterion, or what a group asks of its parts and how many of them hold."""
    node = verdict.node
    if isinstance(node, Condition):
        return str(criteria[node.criterion].label)
    held = sum(child.holds for child in verdict.children)
    of = ngettext("%(held)d of %(n)d holds", "%(held)d of %(n)d hold", held) % {
        "held": held,
        "n": len(verdict.children),
    }
    title = str(Op(node.op).label)
    return f"{title[:1].upper()}{title[1:]} · {of}" if verdict.children else f"{title[:1].upper()}{title[1:]}"


def _picked(verdict: Verdict) -> str:
    node = verdict.node
    if isinstance(node, Condition) or not node.picks:
        return ""
    asked = ", ".join(map(pick_clause, node.picks))
    if not verdict.holds_before_picks:
        return _("Did not qualify, so did not take part in what thins out: %s.") % asked
    if verdict.holds:
        return _("Qualified, and is among those who are left: %s.") % asked
    return _("Qualified, but was not drawn: %s.") % asked


def _link(verdict: Verdict, customer: Customer, query: str) -> str:
    """Return the same page about a selection that the rule refers to."""
    node = verdict.node
    pk = getattr(node.params, "selection", None) if isinstance(node, Condition) else None
    if not isinstance(pk, int) or not isinstance(node, Condition) or node.criterion != "selections.in":
        return ""
    return reverse("workbench:selection_why", args=[pk, customer.pk]) + query


def unknown_parts(rule: Group, found: Mapping[Path, str]) -> list[dict[str, str]]:
    """Return which parts are not known of a past day any more, and why; of a group what thins it out is such a part."""
    nodes, told = dict(walk(rule)), list[dict[str, str]]()
    for at, reason in found.items():
        node = nodes[at]
        if isinstance(node, Condition):
            told.append({"label": str(criteria[node.criterion].label), "reason": reason})
            continue
        for pick in node.picks:
            if why := gap_of_picks(Group(op=node.op, picks=(pick,))):
                told.append({"label": str(KINDS[pick.pick][0]), "reason": why})
    return told


# --- in which selections somebody is, and who of several is in one ---


def are_in(selection: Selection, people: list[Customer], *, now: dt.datetime, is_past: bool) -> set[int]:
    """Return the keys of those who are in, in one statement."""
    rule = parse_rule(selection.rule)
    found = compile_rule(rule, now=now).filter(pk__in=[person.pk for person in people])
    with time_limit(rule=rule, now=now):
        return set((found.filter(known_at(now)) if is_past else found).values_list("pk", flat=True))


def selections_of(
    customer: Customer, selections: list[Selection], *, now: dt.datetime, present: dt.datetime
) -> list[dict[str, Any]]:
    """Return of each selection whether the customer is in it, in one statement; ``problem`` of one whose rule fails."""
    himself = Customer.objects.filter(pk=customer.pk).order_by()
    told: list[dict[str, Any]] = []
    asked: dict[str, Exists] = {}
    for place, selection in enumerate(selections):
        row: dict[str, Any] = {"selection": selection, "holds": False, "problem": "", "is_guess": False}
        try:
            found = compile_rule(selection.rule, now=now).filter(pk=customer.pk)
            asked[f"s{place}"] = Exists(found.filter(known_at(now)) if now < present else found)
            row["sentence"] = describe(selection.rule)
            row["is_guess"] = bool(gaps(parse_rule(selection.rule), now=now, present=present))
        except Refused as refused:
            row["problem"] = str(refused)
        told.append(row)
    with time_limit():
        answers = himself.annotate(**asked).values(*asked).first() if asked else None
    for place, row in enumerate(told):
        row["holds"] = bool((answers or {}).get(f"s{place}"))
    return told


def owner_name(user: User | None) -> str:
    """Return how an owner is called on pages; empty for nobody."""
    return (user.get_full_name() or user.get_username()) if user is not None else ""
