"""The kinds of trigger: one small class each, in a table. To add one, write it here and give it a test."""

from collections.abc import Iterable

from campaigns.models import Trigger
from campaigns.triggers.base import TriggerKind, trigger_kinds
from campaigns.triggers.facts import FactDaysAgo
from campaigns.triggers.jubilees import Birthday, MembershipYears
from campaigns.triggers.moves import LabelMove
from campaigns.triggers.selections import EntersSelection
from campaigns.triggers.subscriptions import SubscriptionEnded, SubscriptionEnds, SubscriptionStarted
from selections.models import Selection

for _kind in (
    Birthday,
    MembershipYears,
    FactDaysAgo,
    EntersSelection,
    LabelMove,
    SubscriptionStarted,
    SubscriptionEnds,
    SubscriptionEnded,
):
    trigger_kinds.register(_kind())

__all__ = ["TriggerKind", "describe", "trigger_kinds"]


def describe(triggers: Iterable[Trigger]) -> dict[int, str]:
    """Return trigger id -> when it goes off, in words; one query for however many triggers."""
    triggers = list(triggers)
    watched = {trigger.pk: _watched(trigger) for trigger in triggers}
    names = dict(Selection.objects.filter(pk__in=filter(None, watched.values())).values_list("pk", "name"))
    words = {}
    for trigger in triggers:
        kind = trigger_kinds.get(trigger.kind)
        name = names.get(watched[trigger.pk] or 0)
        words[trigger.pk] = kind.sentence({**trigger.params, "selection_name": name}) if kind else trigger.kind
    return words


def _watched(trigger: Trigger) -> int | None:
    kind = trigger_kinds.get(trigger.kind)
    return kind.watched_selection(trigger.params) if kind else None
