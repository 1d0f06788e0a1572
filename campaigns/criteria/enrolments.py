"""Who takes part in a campaign, took part, completed it or left it.

Somebody takes part from the day he enters on (the whole day counts) until the moment he leaves or has completed it.
"""

from __future__ import annotations

import datetime as dt
from abc import abstractmethod
from typing import Any

from django import forms
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from campaigns.criteria.common import (
    CampaignCriterion,
    CampaignForm,
    CampaignParams,
    CampaignWindowForm,
    CampaignWindowParams,
    campaign_words,
)
from campaigns.models import Enrolment
from common.time import local_date
from customers.criteria import wording
from customers.criteria.moments import day_of, said, until_now
from customers.models import Customer

INSTANT = dt.timedelta(microseconds=1)


def stays(params: CampaignParams) -> QuerySet[Enrolment]:
    """Return the stays in the campaigns that are meant."""
    found = Enrolment.objects.order_by()
    return found.filter(campaign__in=params.campaign) if params.campaign else found


def _stays_seen(found: QuerySet[Enrolment], now: dt.datetime) -> str:
    """Return the last stay of one customer: since when, and until when."""
    last = (
        found.filter(entered_on__lte=local_date(now)).select_related("campaign").order_by("-entered_on", "-pk").first()
    )
    if last is None:
        return _("never took part")
    values = {"name": last.campaign.name, "since": date_format(last.entered_on)}
    if last.left_at is None or last.left_at > now:
        return _("“%(name)s”, since %(since)s") % values
    values["until"] = day_of(last.left_at)
    if last.state == Enrolment.State.COMPLETED:
        return _("“%(name)s”, from %(since)s, completed on %(until)s") % values
    return _("“%(name)s”, from %(since)s, left on %(until)s") % values


class StayCriterion(CampaignCriterion):
    """What the criteria about stays share."""

    @abstractmethod
    def found(self, params: Any, now: dt.datetime) -> QuerySet[Enrolment]:
        """Return the stays that meet the criterion."""

    def to_q(self, params: Any, *, now: dt.datetime) -> Q:
        return Q(Exists(self.found(params, now).filter(customer=OuterRef("pk"))))

    def seen(self, params: Any, customer: Customer, *, now: dt.datetime) -> str:
        return _stays_seen(stays(params).filter(customer=customer), now)


class TakesPart(StayCriterion):
    """Takes part in a campaign at the moment asked about."""

    code = "campaigns.takes_part"
    label = gettext_lazy("Takes part in a campaign")
    params = CampaignParams
    form = CampaignForm

    def found(self, params: CampaignParams, now: dt.datetime) -> QuerySet[Enrolment]:
        """Return the stays that go on."""
        goes_on = Q(left_at__isnull=True, state=Enrolment.State.ACTIVE) | Q(left_at__gt=now)
        return stays(params).filter(goes_on, entered_on__lte=local_date(now))

    def sentence(self, params: CampaignParams) -> str:
        return _("take part in %s") % campaign_words(params)


class TookPart(StayCriterion):
    """Took part on some day of the window, whether or not he still does."""

    code = "campaigns.took_part"
    label = gettext_lazy("Took part in a campaign")
    params = CampaignWindowParams
    form = CampaignWindowForm

    def found(self, params: CampaignWindowParams, now: dt.datetime) -> QuerySet[Enrolment]:
        """Return the stays that began before the end of the window and did not end before its beginning."""
        start, end = params.happened(now=now)
        if start is not None and start >= end:
            return stays(params).none()
        found = stays(params).filter(entered_on__lte=local_date(end if end == now else end - INSTANT))
        return found.filter(Q(left_at__isnull=True) | Q(left_at__gt=start)) if start else found

    def sentence(self, params: CampaignWindowParams) -> str:
        return said(_("took part in %(campaign)s %(when)s"), params, campaign=campaign_words(params))


class HasCompleted(StayCriterion):
    """Had all steps of a campaign in the window."""

    code = "campaigns.completed"
    label = gettext_lazy("Has completed a campaign")
    params = CampaignWindowParams
    form = CampaignWindowForm

    def found(self, params: CampaignWindowParams, now: dt.datetime) -> QuerySet[Enrolment]:
        """Return the stays that were completed."""
        return stays(params).filter(until_now(params, "left_at", now=now), state=Enrolment.State.COMPLETED)

    def sentence(self, params: CampaignWindowParams) -> str:
        return said(_("have completed %(campaign)s %(when)s"), params, campaign=campaign_words(params))


class LeftParams(CampaignWindowParams):
    """Why; none chosen means for any reason."""

    reasons: tuple[Enrolment.LeaveReason, ...] = ()


class LeftForm(CampaignWindowForm):
    reasons = forms.MultipleChoiceField(
        label=gettext_lazy("Why (none: any reason)"),
        required=False,
        choices=Enrolment.LeaveReason.choices,
        widget=forms.CheckboxSelectMultiple,
    )


class HasLeft(StayCriterion):
    """Left a campaign in the window before it was completed."""

    code = "campaigns.left"
    label = gettext_lazy("Left a campaign")
    params = LeftParams
    form = LeftForm

    def found(self, params: LeftParams, now: dt.datetime) -> QuerySet[Enrolment]:
        """Return the stays that were broken off."""
        left = stays(params).filter(until_now(params, "left_at", now=now), state=Enrolment.State.LEFT)
        return left.filter(left_reason__in=params.reasons) if params.reasons else left

    def sentence(self, params: LeftParams) -> str:
        sentence = said(_("left %(campaign)s %(when)s"), params, campaign=campaign_words(params))
        if not params.reasons:
            return sentence
        reasons = wording.one_of(str(reason.label).lower() for reason in params.reasons)
        return f"{sentence} ({reasons})"


CRITERIA = (TakesPart(), TookPart(), HasCompleted(), HasLeft())
