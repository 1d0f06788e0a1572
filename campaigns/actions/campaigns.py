"""Making campaigns and their steps, starting, pausing and finishing them."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models.functions import Greatest
from django.utils.translation import gettext_lazy as _

from campaigns.actions.actions import check_action, pass_action
from campaigns.actions.enrolments import LeaveReason, leave_all, plan_steps
from campaigns.actions.history import noted
from campaigns.actions.names import check_name_free
from campaigns.models import Action, Campaign, Step, Trigger
from common.errors import Refused
from common.time import local_date
from mailings.gate import checked_hold_out
from selections.models import Selection

if TYPE_CHECKING:
    from django.contrib.auth.models import User

#: How many own campaigns may be under way at once, beside one base campaign of each kind; more tires the customers.
MOST_OWN_CAMPAIGNS = 8
#: With fewer than this the organisation is hardly heard; a hint, not a rule.
LEAST_OWN_CAMPAIGNS = 3


@transaction.atomic
def create_campaign(
    *,
    name: str,
    kind: str = Campaign.Kind.FREE,
    goal: str = "",
    starts_on: dt.date | None = None,
    ends_on: dt.date | None = None,
    leave_when: Selection | None = None,
    may_reenter: bool = False,
    hold_out_percent: int = 0,
    by: User | None,
    now: dt.datetime,
) -> Campaign:
    """Make a campaign as a draft, without steps; raises Refused on a name in use or dates in the wrong order."""
    check_name_free(Campaign, name)
    _check_dates(starts_on, ends_on)
    with noted(by):
        return Campaign.objects.create(
            name=name, kind=kind, goal=goal, starts_on=starts_on, ends_on=ends_on, leave_when=leave_when,
            may_reenter=may_reenter, hold_out_percent=checked_hold_out(hold_out_percent), created_at=now,
        )  # fmt: skip


@transaction.atomic
def change_campaign(
    campaign: Campaign,
    *,
    name: str,
    goal: str,
    starts_on: dt.date | None,
    ends_on: dt.date | None,
    leave_when: Selection | None,
    may_reenter: bool,
    hold_out_percent: int | None = None,
    by: User | None,
    now: dt.datetime,
) -> Campaign:
    """Change a campaign; its kind is fixed. Raises Refused for a finished one, or a start moved after it has begun."""
    campaign = _locked(campaign)
    check_name_free(Campaign, name, but=campaign)
    _check_dates(starts_on, ends_on)
    if campaign.state == Campaign.State.FINISHED:
        raise Refused("campaign_finished", _("A finished campaign stays as it was."))
    if campaign.is_current and starts_on != campaign.starts_on:
        raise Refused("campaign_started", _("The campaign has started: its start date is fixed."), field="starts_on")
    campaign.name, campaign.goal = name, goal
    campaign.starts_on, campaign.ends_on = starts_on, ends_on
    campaign.leave_when, campaign.may_reenter = leave_when, may_reenter
    if hold_out_percent is not None:
        campaign.hold_out_percent = checked_hold_out(hold_out_percent)
    with noted(by):
        campaign.save()
    return campaign


@transaction.atomic
def add_step(
    campaign: Campaign, *, action: Action, day: int, confirmed: str | None = None, by: User | None, now: dt.datetime
) -> Step:
    """Add an action on a day after enrolment; in a running campaign for those whose day has yet to come.

    Raises Refused in a running campaign when the action is not ready, a check finds an error in it, or warnings that
    are not ``confirmed`` (None: a program asks).
    """
    campaign = _locked(campaign)
    if campaign.state == Campaign.State.FINISHED:
        raise Refused("campaign_finished", _("A finished campaign stays as it was."))
    step = Step(campaign=campaign, action=action, day=day, added_on=local_date(now))
    if campaign.is_current:
        check_action(action)
        step.activated_by = by
    with noted(by):
        step.save()
        plan_steps(campaign, now=now)
    if campaign.is_current:
        pass_action(action, about=f"step:{step.pk}", confirmed=confirmed, by=by, now=now)
    return step


@transaction.atomic
def remove_step(step: Step, *, by: User | None, now: dt.datetime) -> None:
    """Take a step out: nobody gets it any more. What was sent stays visible."""
    campaign = _locked(step.campaign)
    with noted(by):
        if step.runs.exists():
            step.removed_on = local_date(now)
            step.save(update_fields=["removed_on"])
        else:
            step.delete()
        plan_steps(campaign, now=now)


@transaction.atomic
def start_campaign(campaign: Campaign, *, confirmed: str | None = None, by: User | None, now: dt.datetime) -> Campaign:
    """Start a draft, or go on with a paused campaign.

    Raises Refused when there are no steps, a step cannot go out, the end has passed, too many campaigns are under way,
    or checks find in a draft an error, or warnings that are not ``confirmed`` (None: a program asks). The triggers that
    are on count from the start; after a pause the missed days are made up for.
    """
    campaign = _locked(campaign)
    if campaign.state not in {Campaign.State.DRAFT, Campaign.State.PAUSED}:
        raise Refused("campaign_state", _("Only a draft or a paused campaign can be started."))
    today = local_date(now)
    if campaign.ends_on and campaign.ends_on < today:
        raise Refused("campaign_over", _("The end date has passed. Choose a later one first."), field="ends_on")
    _check_steps(campaign)
    with noted(by):
        if campaign.state == Campaign.State.DRAFT:
            _check_limits(campaign)
            _begin_steps(campaign, confirmed=confirmed, by=by, now=now)
            campaign.started_at = now
            first_day = max(today, campaign.starts_on or today)
            Trigger.objects.filter(campaign=campaign, is_active=True).update(
                active_since=Greatest("active_since", first_day), activated_at=now
            )
        campaign.state = Campaign.State.RUNNING
        campaign.save(update_fields=["state", "started_at"])
    return campaign


@transaction.atomic
def pause_campaign(campaign: Campaign, *, by: User | None, now: dt.datetime) -> Campaign:
    """Hold a running campaign: no step goes out and no trigger enrols until it is started again."""
    campaign = _locked(campaign)
    if campaign.state != Campaign.State.RUNNING:
        raise Refused("campaign_state", _("Only a running campaign can be paused."))
    campaign.state = Campaign.State.PAUSED
    with noted(by):
        campaign.save(update_fields=["state"])
    return campaign


@transaction.atomic
def finish_campaign(campaign: Campaign, *, by: User | None, now: dt.datetime) -> Campaign:
    """End a campaign for good: whoever still takes part leaves, its triggers are turned off."""
    campaign = _locked(campaign)
    if not campaign.is_current:
        raise Refused("campaign_state", _("Only a campaign that is under way can be finished."))
    campaign.state, campaign.finished_at = Campaign.State.FINISHED, now
    with noted(by):
        campaign.save(update_fields=["state", "finished_at"])
        campaign.triggers.update(is_active=False)
        leave_all(campaign, reason=LeaveReason.FINISHED, now=now)
    return campaign


@transaction.atomic
def delete_campaign(campaign: Campaign, *, by: User | None) -> None:
    """Delete a draft with its steps and triggers. Raises Refused for a campaign that ever started."""
    campaign = _locked(campaign)
    if campaign.state != Campaign.State.DRAFT:
        raise Refused("campaign_state", _("Only a draft can be deleted. Finish this campaign instead."))
    with noted(by):
        campaign.delete()


def _locked(campaign: Campaign) -> Campaign:
    """Return the campaign as it is now, held until the end of the transaction."""
    return Campaign.objects.select_for_update(of=("self",)).get(pk=campaign.pk)


def _check_dates(starts_on: dt.date | None, ends_on: dt.date | None) -> None:
    if starts_on and ends_on and ends_on < starts_on:
        raise Refused("dates", _("The end date lies before the start date."), field="ends_on")


def _check_steps(campaign: Campaign) -> None:
    steps = list(campaign.steps.in_use().select_related("action__purpose"))
    if not steps:
        raise Refused("no_steps", _("This campaign has no steps yet. Add at least one."))
    for step in steps:
        check_action(step.action)


def _begin_steps(campaign: Campaign, *, confirmed: str | None, by: User | None, now: dt.datetime) -> None:
    for step in campaign.steps.in_use().select_related("action__purpose"):
        pass_action(step.action, about=f"step:{step.pk}", confirmed=confirmed, by=by, now=now)
    campaign.steps.in_use().update(activated_by=by)


def _check_limits(campaign: Campaign) -> None:
    # Two people who start a draft at the same moment wait for each other here, so both see the true number.
    list(Campaign.objects.current().select_for_update().values_list("pk", flat=True))
    current = Campaign.objects.current()
    if campaign.is_base and current.filter(kind=campaign.kind).exists():
        raise Refused(
            "base_campaign_running",
            _("A base campaign “%(kind)s” is under way already. Finish that one before you start a new one.")
            % {"kind": campaign.get_kind_display()},
        )
    if not campaign.is_base and current.filter(kind=Campaign.Kind.FREE).count() >= MOST_OWN_CAMPAIGNS:
        raise Refused(
            "too_many_campaigns",
            _("%(most)d own campaigns are under way already. Finish one before you start a new one.")
            % {"most": MOST_OWN_CAMPAIGNS},
        )
