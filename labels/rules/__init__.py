"""Labels that follow a rule: who should have them, in which order they are worked out, what changing one would do."""

from labels.rules.behaviour import is_behaviour
from labels.rules.following import follow, wanted_sql
from labels.rules.order import asked_labels, refuse_cycle, refuse_cycle_through, units

__all__ = [
    "asked_labels", "follow", "is_behaviour", "refuse_cycle", "refuse_cycle_through", "units", "wanted_sql",
]  # fmt: skip
