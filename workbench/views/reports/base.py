"""What a report is about, and what its pages, files and lists of people share."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

from django.core.cache import cache
from django.db.models import QuerySet
from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _

from campaigns.models import Action, Campaign
from mailings.models import Mailing, Message
from mailings.reports import Scope, latest
from newsletter.models import Newsletter
from selections.figures import time_limit
from workbench.forms.reports import ReportForm
from workbench.reports import Report, read_report

SECONDS = 30
MEMORY_MB = 128
FRESH_SECONDS = 300
AT_ONCE = 20_000  # messages; of more the figures follow the page

Crumbs = list[tuple[Any, str]]


def _of_mailing(pk: int) -> tuple[Any, QuerySet[Mailing], Crumbs]:
    mailing = get_object_or_404(Mailing, pk=pk)
    crumbs = [(_("Mailings"), reverse("workbench:mailing_list"))]
    return mailing, Mailing.objects.filter(pk=pk), crumbs


def _of_action(pk: int) -> tuple[Any, QuerySet[Mailing], Crumbs]:
    action = get_object_or_404(Action, pk=pk)
    return action, action.mailings(), [(_("Actions"), reverse("workbench:action_list"))]


def _of_campaign(pk: int) -> tuple[Any, QuerySet[Mailing], Crumbs]:
    campaign = get_object_or_404(Campaign, pk=pk)
    return campaign, campaign.mailings(), [(_("Campaigns"), reverse("workbench:campaign_list"))]


def _of_newsletter(pk: int) -> tuple[Any, QuerySet[Mailing], Crumbs]:
    newsletter = get_object_or_404(Newsletter, pk=pk)
    crumbs = [(_("Newsletters"), reverse("workbench:newsletter_list"))]
    return newsletter, newsletter.mailings(), crumbs


ABOUT: dict[str, Callable[[int], tuple[Any, QuerySet[Mailing], Crumbs]]] = {
    "mailing": _of_mailing,
    "action": _of_action,
    "campaign": _of_campaign,
    "newsletter": _of_newsletter,
}


class Reported:
    """What a report is about: ``what`` (of ABOUT) and ``pk`` stand in the address, days and activity behind it."""

    kwargs: dict[str, Any]
    request: HttpRequest
    form_class: type[ReportForm] = ReportForm

    @cached_property
    def about(self) -> tuple[Any, list[int], Crumbs]:
        """The thing, the ids of its mailings, and where its page lies."""
        thing, mailings, crumbs = ABOUT[self.kwargs["what"]](self.kwargs["pk"])
        return thing, latest(mailings), crumbs

    @cached_property
    def form(self) -> Any:
        return self.form_class(self.request.GET)

    @cached_property
    def scope(self) -> Scope:
        scope: Scope = self.form.scope(self.about[1])
        return scope

    def address(self, name: str, **asked: Any) -> str:
        """The address of a page of this report, with what is asked."""
        url = reverse(f"workbench:{self.kwargs['what']}_{name}", args=[self.kwargs["pk"]])
        query = "&".join(filter(None, [self.form.query, urlencode(asked)]))
        return f"{url}?{query}" if query else url

    def people_address(self, step: str, **where: Any) -> str:
        """The page with who is behind a figure."""
        return self.address("report_people", step=step, **where)

    @property
    def thing_url(self) -> str:
        return reverse(f"workbench:{self.kwargs['what']}_detail", args=[self.kwargs["pk"]])

    def get_breadcrumb(self) -> Crumbs:
        thing, _mailings, crumbs = self.about
        return [*crumbs, (str(thing), self.thing_url)]

    def read(self) -> Report:
        """The figures; kept for some minutes, so that the next page or file about the same has them at once."""
        scope = self.scope
        key = f"report:{hashlib.sha256(repr((scope, scope.sent)).encode()).hexdigest()}"
        found: Report | None = cache.get(key)
        if found is None:
            with time_limit(SECONDS, memory_mb=MEMORY_MB):
                found = read_report(scope)
            cache.set(key, found, FRESH_SECONDS)
        return found

    @property
    def is_large(self) -> bool:
        """Whether there is so much to count that the page is shown first."""
        messages = Message.objects.filter(mailing__in=self.about[1]).order_by()
        return messages[: AT_ONCE + 1].count() > AT_ONCE
