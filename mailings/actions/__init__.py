"""What can be done with mailings: write content, start, pause, print, and take in what comes back."""

from mailings.actions.approval import approve, refuse
from mailings.actions.bounces import record_report, record_reports
from mailings.actions.clicks import Arrival, judge_hits, record_hits
from mailings.actions.confirmations import (
    ask_confirmation,
    confirm,
    forget_old_confirmations,
    send_confirmations,
)
from mailings.actions.content import (
    add_block,
    add_picture,
    change_block,
    move_block,
    order_blocks,
    remove_block,
    save_content,
)
from mailings.actions.drafts import drop_draft, forget_old_drafts, keep_draft
from mailings.actions.feedback import (
    link_target,
    record_open,
    record_own_open,
    release_suppression,
    resolve_doubt,
    suppress_address,
    unsubscribe,
)
from mailings.actions.letters import print_letters
from mailings.actions.limits import remove_cap_rule, remove_closing_day, save_cap_rule, save_closing_day
from mailings.actions.links import ask_link_checks, check_links
from mailings.actions.mailings import start_mailing
from mailings.actions.publications import (
    path_of,
    run_due_publications,
    run_publication,
    save_publication,
    send_webhooks,
)
from mailings.actions.queueing import audience_members, postpone_closed
from mailings.actions.relays import remove_domain_limit, remove_relay, save_domain_limit, save_relay
from mailings.actions.saved import keep_block, remove_saved_block, rename_saved_block, use_saved_block
from mailings.actions.settings import change_sending_settings, ensure_sending_settings
from mailings.actions.states import brake_mailings, cancel, finish_mailings, pause, resume
from mailings.actions.styles import remove_style, save_style
from mailings.actions.testing import send_tests
from mailings.actions.turns import decide_about_waiting
from mailings.actions.versions import redo, restore_version, take_over, undo

__all__ = [
    "Arrival",
    "add_block",
    "add_picture",
    "approve",
    "ask_confirmation",
    "ask_link_checks",
    "audience_members",
    "brake_mailings",
    "cancel",
    "change_block",
    "change_sending_settings",
    "check_links",
    "confirm",
    "decide_about_waiting",
    "drop_draft",
    "ensure_sending_settings",
    "finish_mailings",
    "forget_old_confirmations",
    "forget_old_drafts",
    "judge_hits",
    "keep_block",
    "keep_draft",
    "link_target",
    "move_block",
    "order_blocks",
    "path_of",
    "pause",
    "postpone_closed",
    "print_letters",
    "record_hits",
    "record_open",
    "record_own_open",
    "record_report",
    "record_reports",
    "redo",
    "refuse",
    "release_suppression",
    "remove_block",
    "remove_cap_rule",
    "remove_closing_day",
    "remove_domain_limit",
    "remove_relay",
    "remove_saved_block",
    "remove_style",
    "rename_saved_block",
    "resolve_doubt",
    "restore_version",
    "resume",
    "run_due_publications",
    "run_publication",
    "save_cap_rule",
    "save_closing_day",
    "save_content",
    "save_domain_limit",
    "save_publication",
    "save_relay",
    "save_style",
    "send_confirmations",
    "send_tests",
    "send_webhooks",
    "start_mailing",
    "suppress_address",
    "take_over",
    "undo",
    "unsubscribe",
    "use_saved_block",
]
