"""What customers do in MijnMenu: choose what they receive, get in, change their address."""

from mijnmenu.actions.addresses import ask_for_address, confirm_address, send_confirmations, tell_old_addresses
from mijnmenu.actions.choices import object_to_everything, save_preferences, save_subscriptions, wards_of
from mijnmenu.actions.links import answer_requests, ask_for_link, forget_old_requests

__all__ = [
    "answer_requests",
    "ask_for_address",
    "ask_for_link",
    "confirm_address",
    "forget_old_requests",
    "object_to_everything",
    "save_preferences",
    "save_subscriptions",
    "send_confirmations",
    "tell_old_addresses",
    "wards_of",
]
