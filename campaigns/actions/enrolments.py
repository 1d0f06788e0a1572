"""Who enters and leaves a campaign, and which step is next for whom; each is one statement over all of them."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils.translation import gettext_lazy as _

from campaigns.models import Campaign, Enrolment, StepRun
from common.errors import Refused
from common.sql import execute, rows
from common.time import local_date
from customers.models import Customer
from mailings.actions import withdraw_of
from mailings.gate import ids_of
from mailings.models import Mailing, Message
from selections.compiler import members

LeaveReason = Enrolment.LeaveReason
_UNDER_WAY = (Mailing.State.SENDING, Mailing.State.PAUSED, Mailing.State.AWAITS)


@transaction.atomic
def enrol(campaign: Campaign, customers: QuerySet[Customer], *, by: str, now: dt.datetime) -> int:
    """Let customers in and return how many are new; who takes part already stays as he is.

    Who has left or completed it enters again only if the campaign allows that; who meets the condition for leaving
    does not enter. Raises Refused when the campaign is not under way.
    """
    campaign = Campaign.objects.select_for_update(of=("self",)).select_related("leave_when").get(pk=campaign.pk)
    if not campaign.is_current:
        raise Refused("campaign_state", _("Only a campaign that is under way takes customers in. Start it first."))
    today = local_date(now)
    entering = ids_of(would_enter(campaign, customers, now=now))
    # Sorted out of a materialised list: were rows inserted while the list is still being made, each look into the
    # growing table would take longer than the one before (minutes for a first 200,000).
    entered = execute(
        f"""
        WITH entering AS MATERIALIZED ({entering})
        INSERT INTO campaigns_enrolment (campaign_id, customer_id, entered_on, entered_by, state, left_reason)
        SELECT %(campaign)s, entering.id, %(day)s, %(by)s, 'active', '' FROM entering ORDER BY entering.id
        ON CONFLICT DO NOTHING
        """,  # noqa: S608 - ids_of binds its values
        {"campaign": campaign.pk, "day": max(today, campaign.starts_on or today), "by": by[:150]},
    )
    if entered:
        plan_steps(campaign, now=now, only="AND e.next_step_id IS NULL")
    return entered


def would_enter(campaign: Campaign, customers: QuerySet[Customer], *, now: dt.datetime) -> QuerySet[Customer]:
    """Return those of the customers who would be new in the campaign at ``now``."""
    known = Enrolment.objects.filter(campaign=campaign, customer=OuterRef("pk"))
    if campaign.may_reenter:
        known = known.filter(state=Enrolment.State.ACTIVE)
    entering = Customer.objects.filter(~Exists(known), pk__in=customers.values("pk"))
    if campaign.leave_when:
        entering = entering.exclude(pk__in=members(campaign.leave_when, now=now).values("pk"))
    return entering


@transaction.atomic
def leave(campaign: Campaign, customers: QuerySet[Customer], *, reason: str, now: dt.datetime) -> int:
    """Take customers out and return how many took part; they get no further step.

    ``reason``: an ``Enrolment.LeaveReason``, or words of the integration that asks.
    """
    taking_part = _taking_part(campaign).filter(customer__in=customers.values("pk"))
    return _take_out(taking_part, reason=reason, now=now)


def leave_all(campaign: Campaign, *, reason: str, now: dt.datetime) -> int:
    """Take out everybody who takes part and return how many."""
    return _take_out(_taking_part(campaign), reason=reason, now=now)


def leave_by_selection(campaign: Campaign, *, now: dt.datetime) -> int:
    """Take out those who have come into the selection that ends the campaign for them; return how many."""
    if campaign.leave_when is None:
        return 0
    gone = _taking_part(campaign).filter(customer__in=members(campaign.leave_when, now=now).values("pk"))
    return _take_out(gone, reason=LeaveReason.SELECTION, now=now)


def withdraw_from_leavers(campaign: Campaign, *, now: dt.datetime) -> int:
    """Withdraw messages of steps that still wait for who has come into the selection that ends the campaign: the cart
    was bought in the store. Those who take part leave too. Return how many messages.
    """
    waiting = Message.objects.filter(
        mailing=OuterRef("mailing"), state__in=(Message.State.QUEUED, Message.State.DEFERRED)
    )
    runs = StepRun.objects.filter(Exists(waiting), step__campaign=campaign, mailing__state__in=_UNDER_WAY)
    mailings = list(runs.values_list("mailing", flat=True))
    if campaign.leave_when is None or not mailings:
        return 0
    leave_by_selection(campaign, now=now)
    return withdraw_of(mailings, customers=members(campaign.leave_when, now=now), now=now)


def plan_steps(campaign: Campaign, *, now: dt.datetime, run: StepRun | None = None, only: str = "") -> int:
    """Work out the next step and its day for those who take part; return how many have completed: none is left.

    The next step is the first not taken; its day is ``entered_on + day``. Who is behind (the campaign was paused)
    catches up by one day's steps a day, in order, so that nobody finds three mails at once. ``run`` narrows it to those
    in that run, ``only`` (SQL from our own code) to some enrolments.
    """
    if run:
        only = "AND e.id IN (SELECT enrolment_id FROM campaigns_stepdone WHERE run_id = %(run)s)"
    found = rows(
        f"""
        WITH plan AS (
            SELECT e.id, following.step_id,
                   CASE WHEN following.step_id IS NOT NULL THEN GREATEST(
                       e.entered_on + following.day,
                       taken.last_on + (CASE WHEN following.day > taken.last_day THEN 1 ELSE 0 END)
                   ) END AS next_on
            FROM campaigns_enrolment AS e
            LEFT JOIN LATERAL (
                SELECT s.id AS step_id, s.day::int AS day
                FROM campaigns_step AS s
                WHERE s.campaign_id = e.campaign_id AND s.removed_on IS NULL AND e.entered_on + s.day >= s.added_on
                  AND NOT EXISTS (
                      SELECT FROM campaigns_stepdone AS d WHERE d.enrolment_id = e.id AND d.step_id = s.id
                  )
                ORDER BY s.day, s.id LIMIT 1
            ) AS following ON TRUE
            LEFT JOIN LATERAL (
                SELECT max(r.due_on) AS last_on, max(s.day) AS last_day
                FROM campaigns_stepdone AS d
                JOIN campaigns_step AS s ON s.id = d.step_id
                JOIN campaigns_steprun AS r ON r.id = d.run_id
                WHERE d.enrolment_id = e.id
            ) AS taken ON TRUE
            WHERE e.campaign_id = %(campaign)s AND e.state = 'active' {only}
        ), planned AS (
            UPDATE campaigns_enrolment AS e
            SET next_step_id = plan.step_id,
                next_on = plan.next_on,
                state = CASE WHEN plan.step_id IS NULL THEN 'completed' ELSE e.state END,
                left_at = CASE WHEN plan.step_id IS NULL THEN %(now)s ELSE e.left_at END
            FROM plan
            WHERE e.id = plan.id
            RETURNING e.state
        )
        SELECT count(*) FILTER (WHERE state = 'completed') AS completed FROM planned
        """,  # noqa: S608 - `only` comes from this module
        {"campaign": campaign.pk, "run": run.pk if run else None, "now": now},
    )
    return int(found[0]["completed"])


def _taking_part(campaign: Campaign) -> QuerySet[Enrolment]:
    return Enrolment.objects.filter(campaign=campaign, state=Enrolment.State.ACTIVE)


def _take_out(enrolments: QuerySet[Enrolment], *, reason: str, now: dt.datetime) -> int:
    return enrolments.update(
        state=Enrolment.State.LEFT, left_at=now, left_reason=reason[:200], next_step=None, next_on=None
    )
