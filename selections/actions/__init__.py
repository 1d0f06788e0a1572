"""Make, change, count, watch and keep selections, and remark upon them."""

from selections.actions.comments import delete_comment, write_comment
from selections.actions.counting import count_all_selections, count_selection
from selections.actions.exporting import record_export
from selections.actions.folders import delete_folder, save_folder
from selections.actions.selections import (
    Rule,
    archive_selection,
    change_selection,
    checked,
    create_selection,
    delete_selection,
    hand_over,
    move_selection,
    restore_version,
    unarchive_selection,
)
from selections.actions.sets import delete_result_set, fill_result_set, keep_rule, keep_selection, rename_result_set
from selections.actions.watching import refresh_memberships, unwatch_selection, watch_selection
from selections.actions.who import By

__all__ = [
    "By",
    "Rule",
    "archive_selection",
    "change_selection",
    "checked",
    "count_all_selections",
    "count_selection",
    "create_selection",
    "delete_comment",
    "delete_folder",
    "delete_result_set",
    "delete_selection",
    "fill_result_set",
    "hand_over",
    "keep_rule",
    "keep_selection",
    "move_selection",
    "record_export",
    "refresh_memberships",
    "rename_result_set",
    "restore_version",
    "save_folder",
    "unarchive_selection",
    "unwatch_selection",
    "watch_selection",
    "write_comment",
]
