"""A rule read back as one sentence, in the active language.

"Klanten die lid zijn en (bij Purmerend of bij Edam horen), behalve wie de afgelopen 30 dagen iets leende."
Criteria give the clauses (they complete "Customers who …"); this module only joins them. Brackets mark nested
groups; what thins a group out follows it: "Klanten die lid zijn, van wie er 500 zijn geloot."
"""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.formats import localize
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from common.criteria import criteria
from common.errors import Refused
from common.values import values
from selections.rules import Condition, Group, Node, Op, Pick, Sample, Share, Top, parse_rule


def describe(rule: Group | dict[str, object]) -> str:
    """Return the rule as one sentence with a full stop; an empty rule says whom it means."""
    sentence = _root(parse_rule(rule))
    return sentence[:1].upper() + sentence[1:] + "."


def describe_stored(rule: dict[str, object]) -> str:
    """Return a stored rule as a sentence, or why it can no longer be read: what it asks about may be gone."""
    try:
        return describe(rule)
    except Refused as refused:
        return _("This rule can no longer be read: %s") % refused


def clause(node: Node) -> str:
    """Return a node as the clause that completes "customers who …"."""
    if isinstance(node, Condition):
        return criteria[node.criterion].sentence(node.params)
    return ", ".join([_of_children(node), *map(pick_clause, node.picks)])


def pick_clause(pick: Pick) -> str:
    """Return a pick as the clause that follows those it is taken from: "of whom 500 at random"."""
    if isinstance(pick, Sample):
        return ngettext("of whom %d at random", "of whom %d at random", pick.size) % pick.size
    if isinstance(pick, Share):
        shown = {"percent": _number(pick.percent), "start": _number(pick.start)}
        if pick.start:
            return _("of whom a fixed share of %(percent)s%% from %(start)s%% on") % shown
        return _("of whom a fixed share of %(percent)s%%") % shown
    if isinstance(pick, Top):
        shown = {"size": str(pick.size), "value": str(values[pick.by].label)}
        if pick.lowest:
            return _("of whom the %(size)s with the lowest “%(value)s”") % shown
        return _("of whom the %(size)s with the highest “%(value)s”") % shown
    return {
        "oldest": _("of whom one per household: the oldest"),
        "youngest": _("of whom one per household: the youngest"),
        "longest": _("of whom one per household: who is a customer longest"),
    }[pick.keep]


def _number(value: float) -> str:
    return localize(int(value) if value == int(value) else value)


def _of_children(node: Group) -> str:
    if not node.children:
        return _("do not exist") if node.op.is_of_some else _("are known to us")
    if node.op == Op.NONE:
        return _("are not among those who %s") % _joined(node.children, _("or"))
    if node.op == Op.ONE and len(node.children) > 1:
        return _("meet exactly one of these: %s") % _joined(node.children, _("or"))
    if node.op.is_of_some:
        return _joined(node.children, _("or"))
    return _all(node)


def _root(group: Group) -> str:
    return ", ".join([_whole(group), *map(pick_clause, group.picks)])


def _whole(group: Group) -> str:
    if not group.children:
        return _("nobody") if group.op.is_of_some else _("all customers")
    if group.op == Op.NONE:
        return _("all customers, except those who %s") % _joined(group.children, _("or"))
    if group.op == Op.ALL and all(map(_is_exception, group.children)):
        return _("all customers, %s") % _exceptions(group.children)
    return _("customers who %s") % _of_children(group)


def _all(group: Group) -> str:
    """Return "a, b and c, except those who d": exceptions are read last, wherever they stand."""
    wanted = [child for child in group.children if not _is_exception(child)]
    unwanted = [child for child in group.children if _is_exception(child)]
    if not unwanted or not wanted:
        return _joined(group.children, _("and"))
    return f"{_joined(wanted, _('and'))}, {_exceptions(unwanted)}"


def _is_exception(node: Node) -> bool:
    return isinstance(node, Group) and node.op == Op.NONE and bool(node.children) and not node.picks


def _exceptions(nodes: Sequence[Node]) -> str:
    excluded = [child for node in nodes if isinstance(node, Group) for child in node.children]
    return _("except those who %s") % _joined(excluded, _("or"))


def _joined(nodes: Sequence[Node], word: str) -> str:
    """Join clauses as people do: "a", "a or b", "a, b or c"; groups of more than one part in brackets."""
    clauses = [_bracketed(clause(node), _parts(node) if len(nodes) > 1 else 1) for node in nodes]
    if len(clauses) == 1:
        return clauses[0]
    return f"{', '.join(clauses[:-1])} {word} {clauses[-1]}"


def _parts(node: Node) -> int:
    """Return how many clauses a node puts next to each other, so whether it needs brackets."""
    if isinstance(node, Group) and node.picks:
        return 2
    if isinstance(node, Condition) or not node.children:
        return 1
    return _parts(node.children[0]) if len(node.children) == 1 and node.op != Op.NONE else 2


def _bracketed(text: str, parts: int) -> str:
    return f"({text})" if parts > 1 else text
