"""What uses a selection or a label: asked before it is deleted, shown on its page.

Rows that point at it with PROTECT are found by themselves. For uses inside JSON an app adds a finder to ``finders``,
in its own module ``usages`` (autodiscovered).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import PROTECT, BooleanField, F, Func, Model, Value

from customers.facts import kind_users
from selections.models import ResultSet, Selection


@dataclass(frozen=True)
class Use:
    """One thing that uses it: ``kind`` in words ("newsletter edition"), and the thing itself."""

    kind: str
    thing: Model

    def __str__(self) -> str:
        return f"{self.kind} “{self.thing}”"


Finder = Callable[[Model], Iterable[Use]]
finders: list[Finder] = []
#: Where in a rule a kind of fact stands, in a criterion or in a step of one.
KIND = "$.** ? (@.kind == $code)"
#: Models ("labels.assignment") whose rows point at something with PROTECT but are no use of it: a row per customer.
not_uses: set[str] = set()
#: What may forbid the rule that a selection was just given, by raising Refused; apps add theirs as they add finders.
guards: list[Callable[[Selection], None]] = []


def uses_of(thing: Model) -> list[Use]:
    """Return everything that uses ``thing``; one query per kind of user."""
    return [use for finder in (_relations, *finders) for use in finder(thing)]


def json_has(field: str, path: str, **values: Any) -> Func:
    """Return the condition that a JSON field holds something at a JSON path; ``path`` is code, ``values`` are bound.

    ``json_has("params", "$ ? (@.selection == $id)", id=3)``
    """
    return Func(
        F(field),
        Func(Value(path), function="", template="(%(expressions)s)::jsonpath"),
        Func(Value(json.dumps(values)), function="", template="(%(expressions)s)::jsonb"),
        function="jsonb_path_exists",
        output_field=BooleanField(),
    )


def selections_with(criterion: str, condition: str, **values: Any) -> Iterable[Selection]:
    """Return selections in whose rule a criterion stands that meets a condition over ``@.params``.

    ``selections_with("selections.in", "@.params.selection == $id", id=3)``
    """
    path = f"$.** ? (@.criterion == $criterion && {condition})"
    return Selection.objects.filter(json_has("rule", path, criterion=criterion, **values))


def _relations(thing: Model) -> Iterator[Use]:
    for relation in thing._meta.get_fields(include_hidden=True):
        if getattr(relation, "on_delete", None) is not PROTECT or not relation.auto_created:
            continue
        model = relation.related_model
        if model._meta.label_lower in not_uses:  # type: ignore[union-attr]
            continue
        for user in model._default_manager.filter(**{relation.field.name: thing}):  # type: ignore[union-attr]
            yield Use(str(model._meta.verbose_name), user)  # type: ignore[union-attr]


def _in_rules(thing: Model) -> Iterator[Use]:
    if isinstance(thing, Selection):
        for user in selections_with("selections.in", "@.params.selection == $id", id=thing.pk):
            yield Use(str(Selection._meta.verbose_name), user)
    if isinstance(thing, ResultSet):
        for user in selections_with("selections.in_set", "@.params.result_set == $id", id=thing.pk):
            yield Use(str(Selection._meta.verbose_name), user)


def _with_kind(code: str) -> Iterator[Use]:
    for user in Selection.objects.filter(json_has("rule", KIND, code=code)):
        yield Use(str(Selection._meta.verbose_name), user)


finders.append(_in_rules)
kind_users.append(_with_kind)
