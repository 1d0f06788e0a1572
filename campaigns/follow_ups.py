"""Who is let through later than the others gets the label of the action as well."""

from __future__ import annotations

from campaigns.actions import label_accepted
from mailings.follow_ups import FollowUp, follow_ups

follow_ups.register(FollowUp("label_of_action", label_accepted))
