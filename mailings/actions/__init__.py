"""What can be done with mailings: write content, start, pause, print, and take in what comes back."""

from mailings.actions.approval import approve, may_need_approval, refuse
from mailings.actions.batches import post_batch, reprint, undo_batch
from mailings.actions.bounces import record_reports
from mailings.actions.calls import change_call_settings, put_back_call, record_call, take_call
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
    change_content,
    copy_content,
    move_block,
    order_blocks,
    put_block,
    remove_block,
    save_content,
)
from mailings.actions.doubts import settle_doubts
from mailings.actions.drafts import drop_draft, forget_old_drafts, keep_draft
from mailings.actions.experiments import (
    add_arm,
    change_arm,
    change_experiment,
    check_experiment,
    decide_due,
    decide_experiment,
    plan_experiment,
    remove_arm,
    remove_experiment,
    set_arms,
    unwrite_arm,
    write_arm,
)
from mailings.actions.feedback import (
    link_target,
    record_open,
    record_own_open,
    release_suppression,
    suppress_address,
    unsubscribe,
)
from mailings.actions.letters import check_printable, is_large_pile, print_letters
from mailings.actions.limits import remove_cap_rule, remove_closing_day, save_cap_rule, save_closing_day
from mailings.actions.links import ask_link_checks, check_links
from mailings.actions.mailings import start_mailing
from mailings.actions.notices import send_notices, tell_stopped
from mailings.actions.publications import (
    path_of,
    run_due_publications,
    run_publication,
    save_publication,
    send_webhooks,
)
from mailings.actions.queueing import audience_members, postpone_closed
from mailings.actions.relays import remove_domain_limit, remove_relay, save_domain_limit, save_relay
from mailings.actions.returns import record_return, undo_return
from mailings.actions.saved import keep_block, remove_saved_block, rename_saved_block, use_saved_block
from mailings.actions.settings import change_sending_settings, ensure_sending_settings
from mailings.actions.states import (
    brake_mailings,
    cancel,
    finish_mailings,
    pause,
    resume,
    withdraw_cancelled,
    withdraw_of,
)
from mailings.actions.styles import remove_style, save_style
from mailings.actions.tallies import keep_tallies
from mailings.actions.testing import send_tests, send_text_test
from mailings.actions.texts import (
    change_text_settings,
    check_text_ready,
    record_text_events,
    save_short_text,
)
from mailings.actions.turns import decide_about_waiting
from mailings.actions.versions import redo, restore_version, take_over, undo

__all__ = [
    "Arrival",
    "add_arm",
    "add_block",
    "add_picture",
    "approve",
    "ask_confirmation",
    "ask_link_checks",
    "audience_members",
    "brake_mailings",
    "cancel",
    "change_arm",
    "change_block",
    "change_call_settings",
    "change_content",
    "change_experiment",
    "change_sending_settings",
    "change_text_settings",
    "check_experiment",
    "check_links",
    "check_printable",
    "check_text_ready",
    "confirm",
    "copy_content",
    "decide_about_waiting",
    "decide_due",
    "decide_experiment",
    "drop_draft",
    "ensure_sending_settings",
    "finish_mailings",
    "forget_old_confirmations",
    "forget_old_drafts",
    "is_large_pile",
    "judge_hits",
    "keep_block",
    "keep_draft",
    "keep_tallies",
    "link_target",
    "may_need_approval",
    "move_block",
    "order_blocks",
    "path_of",
    "pause",
    "plan_experiment",
    "post_batch",
    "postpone_closed",
    "print_letters",
    "put_back_call",
    "put_block",
    "record_call",
    "record_hits",
    "record_open",
    "record_own_open",
    "record_reports",
    "record_return",
    "record_text_events",
    "redo",
    "refuse",
    "release_suppression",
    "remove_arm",
    "remove_block",
    "remove_cap_rule",
    "remove_closing_day",
    "remove_domain_limit",
    "remove_experiment",
    "remove_relay",
    "remove_saved_block",
    "remove_style",
    "rename_saved_block",
    "reprint",
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
    "save_short_text",
    "save_style",
    "send_confirmations",
    "send_notices",
    "send_tests",
    "send_text_test",
    "send_webhooks",
    "set_arms",
    "settle_doubts",
    "start_mailing",
    "suppress_address",
    "take_call",
    "take_over",
    "tell_stopped",
    "undo",
    "undo_batch",
    "undo_return",
    "unsubscribe",
    "unwrite_arm",
    "use_saved_block",
    "withdraw_cancelled",
    "withdraw_of",
    "write_arm",
]
