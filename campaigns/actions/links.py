"""Have the links looked up of what triggers and campaigns send by themselves, so that a page that is gone stops it."""

from __future__ import annotations

import datetime as dt

from django.db.models import Exists, OuterRef

from campaigns.models import Action, Campaign, Step, Trigger
from mailings.actions.checked import ask_links


def ask_links_ahead(*, now: dt.datetime) -> int:
    """Have the links of the actions looked up that triggers which are on and campaigns under way send; return how many
    links that were.
    """
    of_triggers = Trigger.objects.working().filter(action=OuterRef("pk"))
    of_steps = Step.objects.in_use().filter(action=OuterRef("pk"), campaign__state=Campaign.State.RUNNING)
    found = Action.objects.in_use().filter(Exists(of_triggers) | Exists(of_steps)).select_related("content", "purpose")
    return sum(ask_links(one.content, purpose=one.purpose, channels=one.channels, now=now) for one in found)
