"""Making, changing and running actions."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from campaigns.actions.history import name_of, noted
from campaigns.actions.names import check_name_free
from campaigns.models import Action, Campaign
from common.errors import Refused
from common.time import local_date
from customers.consents import check_reaches
from customers.models import Customer, Purpose
from labels.actions import give_label
from labels.models import Assignment, Label
from mailings.actions import check_text_ready, save_content, start_mailing
from mailings.actions.checked import pass_checks
from mailings.gate import HoldOut, Terms, checked_hold_out
from mailings.models import Content, Decision, Mailing

if TYPE_CHECKING:
    from django.contrib.auth.models import User

WITH_SUBJECT = (Mailing.Channels.EMAIL, Mailing.Channels.EMAIL_OR_LETTER)


@transaction.atomic
def create_action(
    *,
    name: str,
    purpose: Purpose,
    channels: str,
    letters_to: str = Mailing.LettersTo.PERSON,
    subject: str = "",
    gives_label: Label | None = None,
    priority: int = Mailing.Priority.NORMAL,
    hold_out_percent: int = 0,
    by: User | None,
    now: dt.datetime,
) -> Action:
    """Make an action with an empty content of its own, to be filled in the editor; raises Refused on a name in use
    and for a purpose for which nobody is reached.
    """
    check_name_free(Action, name)
    check_reaches(purpose)
    with noted(by):
        content = save_content(None, name=name, subject=subject, blocks=[], by=by, now=now)
        return Action.objects.create(
            name=name,
            purpose=purpose,
            channels=channels,
            letters_to=letters_to,
            content=content,
            gives_label=_label_to_give(gives_label),
            priority=priority,
            hold_out_percent=checked_hold_out(hold_out_percent),
            created_at=now,
        )


@transaction.atomic
def change_action(
    action: Action,
    *,
    name: str,
    purpose: Purpose,
    channels: str,
    letters_to: str = "",
    gives_label: Label | None = None,
    priority: int | None = None,
    hold_out_percent: int | None = None,
    by: User | None,
    now: dt.datetime,
) -> Action:
    """Change what an action is for and how it goes out; mailings that started already stay as they were."""
    check_name_free(Action, name, but=action)
    check_reaches(purpose)
    with noted(by):
        action.name, action.purpose, action.channels = name, purpose, channels
        action.letters_to = letters_to or action.letters_to
        action.priority = priority or action.priority
        if hold_out_percent is not None:
            action.hold_out_percent = checked_hold_out(hold_out_percent)
        action.gives_label = _label_to_give(gives_label)
        action.save()
    return action


@transaction.atomic
def archive_action(action: Action, *, by: User | None) -> None:
    """Put an action away: its triggers stop. Raises Refused while a campaign under way needs it."""
    needed = action.steps.in_use().filter(campaign__state__in=["running", "paused"]).select_related("campaign").first()
    if needed:
        raise Refused(
            "action_in_campaign",
            _("The campaign “%(campaign)s” still uses this action. Finish the campaign or take the step out first.")
            % {"campaign": needed.campaign},
        )
    with noted(by):
        action.triggers.update(is_active=False)
        action.is_archived = True
        action.save(update_fields=["is_archived"])


@transaction.atomic
def restore_action(action: Action, *, by: User | None) -> None:
    """Take an archived action back into use; its triggers stay off until somebody activates them."""
    with noted(by):
        action.is_archived = False
        action.save(update_fields=["is_archived"])


def check_action(action: Action) -> None:
    """Raise Refused with the remedy when the action cannot go out as it is."""
    content = Content.objects.get(pk=action.content_id)  # as it is now: the editor may have it open
    if action.is_archived:
        raise Refused(
            "action_archived", _("“%(action)s” is archived. Take it back into use first.") % {"action": action}
        )
    if action.channels == Mailing.Channels.SMS:
        _check_short_text(action)
        return
    if not content.blocks:
        raise Refused("content_empty", _("“%(action)s” has no content yet. Write it first.") % {"action": action})
    if action.channels in WITH_SUBJECT and not content.subject.strip():
        raise Refused("subject_empty", _("“%(action)s” has no subject yet. Fill it in first.") % {"action": action})
    if action.purpose.rule == Purpose.Rule.SERVICE and any(block.get("type") == "voucher" for block in content.blocks):
        raise _voucher_in_service(action)


def _check_short_text(action: Action) -> None:
    short = check_text_ready(action.content)
    if action.purpose.rule == Purpose.Rule.SERVICE and short.voucher_id:
        raise _voucher_in_service(action)


def _voucher_in_service(action: Action) -> Refused:
    words = _("“%(action)s” holds a voucher, so it is a commercial message. Choose a purpose that asks for permission.")
    return Refused("voucher_in_service_message", words % {"action": action})


def pass_action(
    action: Action,
    *,
    about: str,
    candidates: QuerySet[Customer] | None = None,
    with_test: bool = False,
    confirmed: str | None,
    by: User | None,
    now: dt.datetime,
) -> None:
    """Raise Refused when the checks find an error in what the action says, or warnings that were not confirmed."""
    pass_checks(
        Content.objects.get(pk=action.content_id), about=about, purpose=action.purpose, channels=action.channels,
        candidates=candidates, with_test=with_test, confirmed=confirmed, by=by, now=now,
    )  # fmt: skip


@transaction.atomic
def run_action(
    action: Action,
    customers: QuerySet[Customer],
    *,
    due_key: str,
    by: User | None,
    now: dt.datetime,
    origin: str = "",
    name: str = "",
    campaign: Campaign | None = None,
    planned_by: User | None = None,
    confirmed: str | None = None,
) -> Mailing:
    """Hand the customers to the gate as one mailing; the same ``due_key`` gives the same mailing, not a second one.

    Whoever the gate lets through also gets the action's label, on days on which that is valid; when the mailing awaits
    approval, with that. ``campaign``: of which this is a step; its control group goes before that of the action.
    A test of versions that is set up is held when it is run for itself, so without an ``origin``: a trigger reaches too
    few at a time, and a step has its day.
    ``planned_by``: who had it run by itself. ``confirmed``: by hand, the warnings that were seen (``pass_checks``);
    None when it runs by itself: then an error of the checks stops it, and warnings do not.
    Raises Refused when the action is not ready.
    """
    check_action(action)
    if not Mailing.objects.filter(due_key=due_key).exists():
        pass_action(
            action, about=due_key, candidates=customers, with_test=not origin, confirmed=confirmed, by=by, now=now
        )
    terms = terms_of(action, campaign=campaign)
    mailing = start_mailing(
        name=name or action.name,
        origin=origin or f"action:{action.pk}",
        due_key=due_key,
        purpose=action.purpose,
        channels=action.channels,
        letters_to=action.letters_to,
        content=action.content,
        candidates=customers,
        priority=terms.priority,
        hold_out=terms.hold_out,
        with_test=not origin,
        by=by,
        planned_by=planned_by,
        now=now,
    )
    if mailing.state != Mailing.State.AWAITS:
        _label_accepted(action, mailing, by=by, now=now)
    return mailing


def terms_of(action: Action, *, campaign: Campaign | None = None) -> Terms:
    """Return what the gate is asked for an action, run by itself or as a step of a campaign."""
    hold_out = HoldOut(action.hold_out_percent, f"action:{action.pk}")
    if campaign and campaign.hold_out_percent:
        hold_out = HoldOut(campaign.hold_out_percent, f"campaign:{campaign.pk}")
    return Terms(
        action.purpose, action.channels, priority=action.priority, hold_out=hold_out, letters_to=action.letters_to
    )


def label_accepted(mailing: Mailing, now: dt.datetime) -> None:
    """Give the label of the action that a mailing is of to all whom the gate let through, also who had to wait."""
    if action := Action.objects.filter(content=mailing.content_id).select_related("gives_label").first():
        _label_accepted(action, mailing, by=None, now=now)


def _label_accepted(action: Action, mailing: Mailing, *, by: User | None, now: dt.datetime) -> None:
    if not action.gives_label or not action.gives_label.is_valid_on(local_date(now)):
        return
    accepted = Decision.objects.filter(mailing=mailing, outcome=Decision.Outcome.ACCEPTED)
    give_label(
        action.gives_label,
        Customer.objects.filter(pk__in=accepted.values("customer")),
        by=name_of(by),
        reason=action.name,
        how=Assignment.How.ACTION,
        through=action.pk,
        now=now,
    )


def _label_to_give(label: Label | None) -> Label | None:
    if label and (label.kind != Label.Kind.OWN or label.is_by_rule):
        raise Refused("no_own_label", _("Only own labels are given by hand: choose one."), field="gives_label")
    return label
