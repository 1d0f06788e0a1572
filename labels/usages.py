"""Which selections ask for a label."""

from __future__ import annotations

from collections.abc import Iterator

from django.db.models import Model

from labels.criteria import HadLabel, HasLabel, HasNotLabel
from labels.models import Label
from selections.models import Selection
from selections.usages import Use, finders, selections_with


def _in_rules(thing: Model) -> Iterator[Use]:
    if not isinstance(thing, Label):
        return
    found = {
        selection
        for criterion in (HasLabel, HasNotLabel, HadLabel)
        for selection in selections_with(criterion.code, "@.params.labels[*] == $code", code=thing.code)
    }
    for selection in sorted(found, key=lambda selection: selection.name):
        yield Use(str(Selection._meta.verbose_name), selection)


finders.append(_in_rules)
