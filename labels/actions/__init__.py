"""Make labels, give and take them by hand or for a whole selection, and let customers choose theirs."""

from labels.actions.choosing import choose_labels, take_profiling_labels
from labels.actions.giving import give_label, take_label
from labels.actions.groups import change_group, create_group
from labels.actions.labels import By, change_label, create_label
from labels.refresh import ensure_system_labels, refresh_system_labels

__all__ = [
    "By",
    "change_group",
    "change_label",
    "choose_labels",
    "create_group",
    "create_label",
    "ensure_system_labels",
    "give_label",
    "refresh_system_labels",
    "take_label",
    "take_profiling_labels",
]
