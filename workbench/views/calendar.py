"""The calendar: what goes out when, from campaigns, triggers and newsletters together."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

from django.db.models import Count
from django.urls import path, reverse
from django.utils.timezone import localtime
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from campaigns.models import Campaign, Enrolment, StepRun, TriggerRun
from common.time import local_date, start_of_day
from newsletter.models import Edition
from workbench.base import TemplatePage, chosen_month

MOST_YEARS_AWAY = 20

Event = dict[str, Any]


class CampaignCalendar(TemplatePage):
    permission = "manage_campaigns"
    template_name = "workbench/campaigns_calendar.html"
    page_title = _("Calendar")

    def get_breadcrumb(self) -> list[Any]:
        return [(_("Campaigns"), reverse("workbench:campaign_list"))]

    def get_context(self, **extra: Any) -> dict[str, Any]:
        today = local_date(self.now)
        month = chosen_month(self.request, today)
        if abs(month.year - today.year) > MOST_YEARS_AWAY:
            month = today.replace(day=1)
        # The weeks shown reach into the months beside it.
        first, last = month - dt.timedelta(days=6), month + dt.timedelta(days=37)
        events = [*_steps(first, last, today), *_triggers(first, last), *_editions(first, last), *_bounds(first, last)]
        return super().get_context(month=month, events=events, **extra)


def _steps(first: dt.date, last: dt.date, today: dt.date) -> Iterator[Event]:
    """Steps taken in the past, and those that are next for somebody."""
    runs = StepRun.objects.filter(due_on__range=(first, last), error="")
    for run in runs.select_related("step__action", "step__campaign"):
        url = _mailing_url(run.mailing_id) or _campaign_url(run.step.campaign_id)
        sub = f"{run.step.campaign}, {_people(run.candidate_count)}"
        yield {"date": run.due_on, "title": str(run.step.action), "sub": sub, "url": url, "tone": "success"}
    coming = (
        Enrolment.objects.filter(
            state=Enrolment.State.ACTIVE,
            campaign__state=Campaign.State.RUNNING,
            next_on__range=(max(first, today), last),
        )
        .order_by("next_on")
        .values("next_on", "campaign", "campaign__name", "next_step__action__name")
        .annotate(people=Count("pk"))
    )
    for row in coming:
        title, sub = row["next_step__action__name"], f"{row['campaign__name']}, {_people(row['people'])}"
        url = _campaign_url(row["campaign"])
        yield {"date": row["next_on"], "title": title, "sub": sub, "url": url, "tone": "brand"}


def _triggers(first: dt.date, last: dt.date) -> Iterator[Event]:
    """Days on which a trigger concerned somebody, or failed."""
    runs = TriggerRun.objects.filter(due_on__range=(first, last)).select_related("trigger")
    for run in runs:
        if run.candidate_count or run.error:
            tone, sub = ("danger", _("Failed")) if run.error else ("accent", _people(run.candidate_count))
            url = reverse("workbench:trigger_detail", args=[run.trigger_id])
            yield {"date": run.due_on, "title": str(run.trigger), "sub": sub, "url": url, "tone": tone}


def _editions(first: dt.date, last: dt.date) -> Iterator[Event]:
    """Editions planned or sent."""
    moments = (start_of_day(first), start_of_day(last))
    for edition in Edition.objects.filter(send_at__range=moments).select_related("newsletter"):
        when = localtime(edition.send_at)
        yield {
            "date": when.date(),
            "title": str(edition.newsletter),
            "sub": f"{when:%H:%M}",
            "url": reverse("workbench:edition_detail", args=[edition.pk]),
            "tone": "success" if edition.state == Edition.State.SENT else "brand",
        }


def _bounds(first: dt.date, last: dt.date) -> Iterator[Event]:
    """Days on which a campaign begins or ends."""
    for campaign in Campaign.objects.exclude(state=Campaign.State.DRAFT):
        for day, title in ((campaign.starts_on, _("Start of %(name)s")), (campaign.ends_on, _("End of %(name)s"))):
            if day and first <= day <= last:
                words = str(title) % {"name": campaign}
                yield {"date": day, "title": words, "url": _campaign_url(campaign.pk), "tone": "neutral"}


def _campaign_url(pk: int) -> str:
    return reverse("workbench:campaign_detail", args=[pk])


def _mailing_url(pk: int | None) -> str:
    return reverse("workbench:mailing_detail", args=[pk]) if pk else ""


def _people(count: int) -> str:
    return ngettext("%(count)d customer", "%(count)d customers", count) % {"count": count}


urlpatterns = [path("calendar/", CampaignCalendar.as_view(), name="calendar")]
