"""A rule read back as one sentence, in the active language.

"Klanten die lid zijn en (bij Purmerend of bij Edam horen), behalve wie de afgelopen 30 dagen iets leende."
Criteria give the clauses (they complete "Customers who …"); this module only joins them. Brackets mark nested
groups.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext as _

from common.criteria import criteria
from selections.rules import Condition, Group, Node, Op, parse_rule


def describe(rule: Group | dict[str, object]) -> str:
    """Return the rule as one sentence with a full stop; an empty rule says whom it means."""
    sentence = _root(parse_rule(rule))
    return sentence[:1].upper() + sentence[1:] + "."


def clause(node: Node) -> str:
    """Return a node as the clause that completes "customers who …"."""
    if isinstance(node, Condition):
        return criteria[node.criterion].sentence(node.params)
    if not node.children:
        return _("do not exist") if node.op == Op.ANY else _("are known to us")
    if node.op == Op.NONE:
        return _("are not among those who %s") % _joined(node.children, _("or"))
    if node.op == Op.ANY:
        return _joined(node.children, _("or"))
    return _all(node)


def _root(group: Group) -> str:
    if not group.children:
        return _("nobody") if group.op == Op.ANY else _("all customers")
    if group.op == Op.NONE:
        return _("all customers, except those who %s") % _joined(group.children, _("or"))
    if group.op == Op.ALL and all(map(_is_exception, group.children)):
        return _("all customers, %s") % _exceptions(group.children)
    return _("customers who %s") % clause(group)


def _all(group: Group) -> str:
    """Return "a, b and c, except those who d": exceptions are read last, wherever they stand."""
    wanted = [child for child in group.children if not _is_exception(child)]
    unwanted = [child for child in group.children if _is_exception(child)]
    if not unwanted or not wanted:
        return _joined(group.children, _("and"))
    return f"{_joined(wanted, _('and'))}, {_exceptions(unwanted)}"


def _is_exception(node: Node) -> bool:
    return isinstance(node, Group) and node.op == Op.NONE and bool(node.children)


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
    if isinstance(node, Condition) or not node.children:
        return 1
    return _parts(node.children[0]) if len(node.children) == 1 and node.op != Op.NONE else 2


def _bracketed(text: str, parts: int) -> str:
    return f"({text})" if parts > 1 else text
