"""Where campaigns use a selection without a foreign key: inside the settings of a trigger."""

from __future__ import annotations

from collections.abc import Iterator

from django.db.models import Model

from campaigns.models import Trigger
from selections.models import Selection
from selections.usages import Use, finders


def _in_triggers(thing: Model) -> Iterator[Use]:
    if isinstance(thing, Selection):
        for trigger in Trigger.objects.filter(kind="enters_selection", params__selection=thing.pk):
            yield Use(str(Trigger._meta.verbose_name), trigger)


finders.append(_in_triggers)
