"""Make labels, give and take them by hand, by rule or for a whole selection, and let customers choose theirs."""

from labels.actions.backfills import ask_backfill, run_backfills, take_back
from labels.actions.choosing import choose_labels, take_off, take_profiling_labels
from labels.actions.counts import count_labels
from labels.actions.giving import customers_of, give_label, take_label
from labels.actions.groups import change_group, create_group, delete_group
from labels.actions.labels import By, change_label, create_label, delete_label, merge_labels, order_labels
from labels.actions.rules import draft_rule, drop_rule, end_labels, follow_rules, set_rule
from labels.actions.versions import end_version, take_version_back
from labels.refresh import ensure_system_labels, refresh_system_labels

__all__ = [
    "By",
    "ask_backfill",
    "change_group",
    "change_label",
    "choose_labels",
    "count_labels",
    "create_group",
    "create_label",
    "customers_of",
    "delete_group",
    "delete_label",
    "draft_rule",
    "drop_rule",
    "end_labels",
    "end_version",
    "ensure_system_labels",
    "follow_rules",
    "give_label",
    "merge_labels",
    "order_labels",
    "refresh_system_labels",
    "run_backfills",
    "set_rule",
    "take_back",
    "take_label",
    "take_off",
    "take_profiling_labels",
    "take_version_back",
]
