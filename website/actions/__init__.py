"""Writes and decisions about websites: their settings, hits that come in, and what becomes of them."""

from website.actions.counting import roll_up
from website.actions.hits import take_hit
from website.actions.linking import identify, record_visits
from website.actions.sites import add_rule, add_site, change_site, remove_rule

__all__ = [
    "add_rule",
    "add_site",
    "change_site",
    "identify",
    "record_visits",
    "remove_rule",
    "roll_up",
    "take_hit",
]
