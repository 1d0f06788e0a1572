"""The first page: how many customers, what they did, what we sent, what came of it, and what waits."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponseBase, HttpResponseRedirect
from django.urls import path
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _

from customers.facts import fact_kinds
from workbench import figures
from workbench.base import TemplatePage
from workbench.menu import address


class Dashboard(TemplatePage):
    permission = "view_workbench"
    page_title = _("Dashboard")
    template_name = "workbench/dashboard.html"

    def turn_away(self) -> HttpResponseBase:
        # Everybody signs in at the same door; those who work elsewhere are shown the way.
        for permission, name in (("redeem_vouchers", "counter:index"), ("use_api", "api:docs")):
            if self.user.has_perm(f"common.{permission}") and (url := address(name)):
                return HttpResponseRedirect(url)
        return super().turn_away()

    def get_context(self, **extra: Any) -> dict[str, Any]:
        sent, clicks = figures.sent_per_day(self.now), figures.clicks_per_day(self.now)
        facts = figures.facts_by_kind(self.now)
        reach = figures.reach(self.now)
        customers = figures.customers(self.now)
        return super().get_context(
            days=figures.DAYS,
            customers=customers,
            vouchers=figures.vouchers(self.now),
            fact_total=sum(facts.values()),
            fact_rows=self.fact_rows(facts),
            most_facts=max(facts.values(), default=0),
            sent_total=sum(sent.values()),
            click_total=sum(clicks.values()),
            chart=self.chart(sent, clicks),
            reach_rows=[{"label": row.channel.label, "value": row.count} for row in reach],
            campaigns=figures.running_campaigns(),
            mailings=figures.latest_mailings(),
            attention=figures.attention(self.now),
            **extra,
        )

    def chart(self, sent: dict[Any, int], clicks: dict[Any, int]) -> dict[str, Any]:
        days = figures.days(self.now)
        return {
            "labels": [date_format(day, "j b") for day in days],
            "datasets": [
                {"label": str(_("Messages sent")), "data": [sent.get(day, 0) for day in days]},
                {"label": str(_("Clicks")), "data": [clicks.get(day, 0) for day in days]},
            ],
        }

    def fact_rows(self, facts: dict[str, int]) -> list[dict[str, Any]]:
        names = {kind.code: kind.name for kind in fact_kinds}
        ordered = sorted(facts.items(), key=lambda row: -row[1])
        return [{"label": names[code], "value": count} for code, count in ordered]


urlpatterns = [path("", Dashboard.as_view(), name="dashboard")]
