"""What people changed here, to take over in the system from which the customers came."""

from __future__ import annotations

import csv
import datetime as dt
import io
import logging
from collections.abc import Iterator
from typing import Any

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common.time import local_date, start_of_day
from customers.handover import changes_after
from customers.models import Branch, Source
from labels.exports import cell
from workbench.base import TemplatePage, WorkbenchView
from workbench.customer_words import shown
from workbench.forms.customers import field_names
from workbench.forms.handover import HandoverForm

log = logging.getLogger("wise.exports")

SHOWN = 100
PER_PAGE = 1000
DAYS = 7


def asked(request: HttpRequest, now: dt.datetime) -> tuple[HandoverForm, dt.datetime, list[str]]:
    """Return the form, from which moment on, and through which sources (none: all of people)."""
    usual = {"since": local_date(now) - dt.timedelta(days=DAYS)}
    form = HandoverForm(request.GET if "since" in request.GET else usual)
    said = form.cleaned_data if form.is_valid() else {}
    since = start_of_day(said.get("since") or usual["since"])
    return form, since, [said["source"].code] if said.get("source") else []


class Handover(TemplatePage):
    permission = "export_customers"
    template_name = "workbench/handover.html"
    page_title = gettext_lazy("Changes to take over")

    def get_context(self, **extra: Any) -> dict[str, Any]:
        form, since, sources = asked(self.request, self.now)
        found, _after = changes_after(0, limit=SHOWN, since=since, sources=sources, now=self.now)
        is_cut = len({row["id"] for row in found}) == SHOWN
        query = self.request.GET.urlencode()
        return super().get_context(form=form, rows=in_words(found), is_cut=is_cut, query=query, **extra)


def in_words(changes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the changes as people read them; the file and the API keep the codes, for systems."""
    names, through = field_names(), dict(Source.objects.values_list("code", "name"))
    branches = dict(Branch.objects.values_list("code", "name"))
    return [
        {
            **row,
            "field": names.get(row["field"], row["field"]),
            "old": shown(row["field"], row["old"] or "", branches),
            "new": shown(row["field"], row["new"] or "", branches),
            "source": through[row["source"]],
        }
        for row in changes
    ]


class HandoverFile(WorkbenchView):
    permission = "export_customers"

    def get(self, request: HttpRequest) -> HttpResponse | StreamingHttpResponse:
        _form, since, sources = asked(request, self.now)
        name = f"wijzigingen-{local_date(self.now):%Y-%m-%d}.csv"
        log.info("handover user=%s since=%s sources=%s", self.user.pk, since.isoformat(), ",".join(sources) or "people")
        return StreamingHttpResponse(
            self.lines(since, sources),
            content_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )

    def lines(self, since: dt.datetime, sources: list[str]) -> Iterator[str]:
        """Yield the file, a thousand changes at a time; a byte order mark first, so that Excel reads UTF-8."""
        yield "\ufeff" + line([_("Customer number"), _("Field"), _("Old"), _("New"), _("When"), _("Source")])
        after, is_more = 0, True
        while is_more:
            found, after = changes_after(after, limit=PER_PAGE, since=since, sources=sources, now=self.now)
            is_more = bool(found)
            for row in found:
                at = timezone.localtime(row["at"]).strftime("%Y-%m-%d %H:%M:%S")
                yield line([row["number"], row["field"], row["old"], row["new"], at, row["source"]])


def line(cells: list[str]) -> str:
    echo = io.StringIO()
    csv.writer(echo, delimiter=";").writerow([cell(value) for value in cells])
    return echo.getvalue()


urlpatterns = [
    path("handover/", Handover.as_view(), name="handover"),
    path("handover/file/", HandoverFile.as_view(), name="handover_file"),
]
