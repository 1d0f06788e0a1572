"""Making triggers, and turning them on and off."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from campaigns.actions.actions import check_action, pass_action
from campaigns.actions.history import noted
from campaigns.actions.names import check_name_free
from campaigns.models import Action, Campaign, Trigger
from campaigns.triggers import TriggerKind, trigger_kinds
from common.errors import Refused
from common.time import local_date
from selections.actions import refresh_memberships, watch_selection
from selections.models import Selection

if TYPE_CHECKING:
    from django.contrib.auth.models import User


def kind_of(trigger: Trigger) -> TriggerKind:
    """Return the kind of a trigger; raises Refused when no app knows it any more."""
    kind = trigger_kinds.get(trigger.kind)
    if kind is None:
        raise Refused("unknown_kind", _("This kind of trigger does not exist (any more). Make a new trigger."))
    return kind


@transaction.atomic
def create_trigger(
    *,
    name: str,
    kind: str,
    params: Mapping[str, Any],
    selection: Selection | None = None,
    action: Action | None = None,
    campaign: Campaign | None = None,
    by: User | None,
    now: dt.datetime,
) -> Trigger:
    """Make a trigger, still off, for exactly one of ``action`` and ``campaign``; raises Refused on wrong params."""
    if (action is None) == (campaign is None):
        raise Refused("one_effect", _("A trigger either runs an action or enrols in a campaign."))
    check_name_free(Trigger, name)
    trigger = Trigger(name=name, kind=kind, selection=selection, action=action, campaign=campaign, created_at=now)
    trigger.params = kind_of(trigger).clean(params)
    with noted(by):
        trigger.save()
    return trigger


@transaction.atomic
def change_trigger(
    trigger: Trigger,
    *,
    name: str,
    params: Mapping[str, Any],
    selection: Selection | None = None,
    by: User | None,
    now: dt.datetime,
) -> Trigger:
    """Change name, settings or audience. An active trigger counts as activated anew: it looks ahead, not back."""
    check_name_free(Trigger, name, but=trigger)
    trigger.name, trigger.selection = name, selection
    trigger.params = kind_of(trigger).clean(params)
    with noted(by):
        trigger.save()
    return _turn_on(trigger, by=by, now=now) if trigger.is_active else trigger


@transaction.atomic
def activate_trigger(trigger: Trigger, *, confirmed: str | None = None, by: User | None, now: dt.datetime) -> Trigger:
    """Turn a trigger on from today. Raises Refused when its action is not ready to go out, when a check finds an error
    in it, or warnings that are not ``confirmed`` (None: a program asks).

    A trigger that waits for entrances takes note of who is in the selection already: they do not enter it any more.
    One that is on already stays as it is: to begin anew would pass over who came since its last run.
    """
    if Trigger.objects.select_for_update(of=("self",)).get(pk=trigger.pk).is_active:
        trigger.refresh_from_db(fields=["is_active", "activated_at", "active_since"])
        return trigger
    return _turn_on(trigger, confirmed=confirmed, by=by, now=now)


def _turn_on(trigger: Trigger, *, confirmed: str | None = None, by: User | None, now: dt.datetime) -> Trigger:
    if trigger.action:
        check_action(trigger.action)
        pass_action(trigger.action, about=f"trigger:{trigger.pk}", confirmed=confirmed, by=by, now=now)
    watched = kind_of(trigger).watched_selection(trigger.params)
    if watched:
        watch_selection(Selection.objects.get(pk=watched), now=now)
        refresh_memberships(now=now)
    trigger.is_active, trigger.activated_at, trigger.activated_by = True, now, by
    trigger.active_since = local_date(now)
    with noted(by):
        trigger.save(update_fields=["is_active", "activated_at", "activated_by", "active_since"])
    return trigger


@transaction.atomic
def deactivate_trigger(trigger: Trigger, *, by: User | None, now: dt.datetime) -> Trigger:
    """Turn a trigger off; days that pass meanwhile are not made up for."""
    trigger.is_active = False
    with noted(by):
        trigger.save(update_fields=["is_active"])
    return trigger


@transaction.atomic
def delete_trigger(trigger: Trigger, *, by: User | None) -> None:
    """Delete a trigger that never ran. Raises Refused otherwise: its runs are part of the story."""
    if trigger.runs.exists():
        raise Refused("trigger_has_run", _("This trigger has run already and stays visible. Turn it off instead."))
    with noted(by):
        trigger.delete()
