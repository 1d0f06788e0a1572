"""What one can do with newsletters and their editions."""

from newsletter.actions.editions import (
    change_edition,
    copy_edition,
    create_edition,
    delete_edition,
    draft_content,
    order_items,
    plan_edition,
    remove_item,
    save_item,
    send_due_editions,
    send_edition,
    unplan_edition,
    write_content,
)
from newsletter.actions.newsletters import (
    change_newsletter,
    create_newsletter,
    sign_up,
    subscribe,
    subscribe_contact,
    unsubscribe,
)

__all__ = [
    "change_edition",
    "change_newsletter",
    "copy_edition",
    "create_edition",
    "create_newsletter",
    "delete_edition",
    "draft_content",
    "order_items",
    "plan_edition",
    "remove_item",
    "save_item",
    "send_due_editions",
    "send_edition",
    "sign_up",
    "subscribe",
    "subscribe_contact",
    "unplan_edition",
    "unsubscribe",
    "write_content",
]
