"""What persons leave behind in rules of labels."""

from __future__ import annotations

from functools import partial

from django.utils.translation import gettext_lazy as _

from common.traces import Trace, traces
from selections.traces import forget_in_rules

traces.register(
    Trace(
        "label_rules",
        _("Rules of labels that ask for this person"),
        partial(forget_in_rules, places=[("labels_label", "rule"), ("labels_labelevent", "rule")]),
    )
)
