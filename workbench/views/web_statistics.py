"""Web statistics: what visitors of the organisation's websites did, day by day."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.urls import path
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _

from common.time import local_date
from website import statistics
from website.models import Site
from website.statistics import Day
from workbench.base import TemplatePage
from workbench.filters.web_statistics import USUAL_PERIOD, StatisticsForm


class WebStatistics(TemplatePage):
    permission = "view_workbench"
    page_title = _("Web statistics")
    template_name = "workbench/web_statistics.html"
    partial_name = "workbench/_web_statistics.html"

    def get_context(self, **extra: Any) -> dict[str, Any]:
        form = StatisticsForm(self.request.GET or {"days": USUAL_PERIOD})
        sites, number = form.chosen()
        today = local_date(self.now)
        first = today - dt.timedelta(days=number - 1)
        days = statistics.per_day(sites, first=first, last=today)
        total = self.total(days)
        return super().get_context(
            filter_form=form,
            has_sites=Site.objects.exists(),
            total=total,
            minutes=round(total.seconds / total.visits / 60, 1) if total.visits else 0,
            identified=round(100 * total.identified / total.visits) if total.visits else 0,
            visits_chart=self.chart(days, {"visits": _("Visits"), "views": _("Page views")}),
            searches_chart=self.chart(days, {"searches": _("Searches"), "without_results": _("without results")}),
            stay_chart=self.minutes_chart(days),
            viewed_sections=statistics.sections(sites, first=first),
            pages=statistics.pages(sites, first=first),
            queries=statistics.queries(sites, first=first),
            **extra,
        )

    def total(self, days: list[Day]) -> Day:
        names = ("views", "visits", "identified", "searches", "without_results", "forms", "logins", "seconds")
        return Day(days[-1].day, **{name: sum(getattr(day, name) for day in days) for name in names})

    def chart(self, days: list[Day], lines: dict[str, Any]) -> dict[str, Any]:
        return {
            "labels": [date_format(day.day, "j b") for day in days],
            "datasets": [
                {"label": str(label), "data": [getattr(day, name) for day in days]} for name, label in lines.items()
            ],
        }

    def minutes_chart(self, days: list[Day]) -> dict[str, Any]:
        stays = [round(day.seconds / day.visits / 60, 1) if day.visits else 0 for day in days]
        return {
            "labels": [date_format(day.day, "j b") for day in days],
            "datasets": [{"label": str(_("Minutes per visit")), "data": stays}],
        }


urlpatterns = [path("web-statistics/", WebStatistics.as_view(), name="web_statistics")]
