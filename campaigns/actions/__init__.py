"""What one can do with actions, triggers and campaigns, and the tick that works off what is due."""

from campaigns.actions.actions import (
    archive_action,
    change_action,
    check_action,
    create_action,
    label_accepted,
    restore_action,
    run_action,
    terms_of,
)
from campaigns.actions.advance import Summary, advance, due_triggers, run_trigger_today
from campaigns.actions.campaigns import (
    LEAST_OWN_CAMPAIGNS,
    MOST_OWN_CAMPAIGNS,
    add_step,
    change_campaign,
    create_campaign,
    delete_campaign,
    finish_campaign,
    pause_campaign,
    remove_step,
    start_campaign,
)
from campaigns.actions.enrolments import LeaveReason, enrol, leave, would_enter
from campaigns.actions.runs import candidates_of, run_trigger, take_step
from campaigns.actions.triggers import (
    activate_trigger,
    change_trigger,
    create_trigger,
    deactivate_trigger,
    delete_trigger,
    kind_of,
)

__all__ = [
    "LEAST_OWN_CAMPAIGNS",
    "MOST_OWN_CAMPAIGNS",
    "LeaveReason",
    "Summary",
    "activate_trigger",
    "add_step",
    "advance",
    "archive_action",
    "candidates_of",
    "change_action",
    "change_campaign",
    "change_trigger",
    "check_action",
    "create_action",
    "create_campaign",
    "create_trigger",
    "deactivate_trigger",
    "delete_campaign",
    "delete_trigger",
    "due_triggers",
    "enrol",
    "finish_campaign",
    "kind_of",
    "label_accepted",
    "leave",
    "pause_campaign",
    "remove_step",
    "restore_action",
    "run_action",
    "run_trigger",
    "run_trigger_today",
    "start_campaign",
    "take_step",
    "terms_of",
    "would_enter",
]
