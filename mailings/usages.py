"""Which tests of versions use a selection or a label in a text of a version, where no key can tell."""

from __future__ import annotations

from collections.abc import Iterator

from django.db.models import Model

from labels.models import Label
from mailings.models import Experiment
from selections.models import Selection
from selections.usages import Use, finders, json_has

_AUDIENCE = "$.**.audience ? (@.kind == $kind && @.id == $id)"


def _as_audience(thing: Model) -> Iterator[Use]:
    """Yield tests that have yet to start, with a version of which only this selection or label sees a block."""
    kind = {Selection: "selection", Label: "label"}.get(type(thing))
    if kind is not None:
        has = json_has("arms__content__blocks", _AUDIENCE, kind=kind, id=thing.pk)
        found = Experiment.objects.planned().filter(has).select_related("content").distinct()
        yield from (Use(str(Experiment._meta.verbose_name), one) for one in found)


finders.append(_as_audience)
