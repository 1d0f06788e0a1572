"""The report of a mailing, or of all mailings of an action, a campaign or a newsletter."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponseBase, StreamingHttpResponse
from django.urls import reverse
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common.errors import Refused
from common.spreadsheets import harmless
from common.time import local_date
from common.workbooks import workbook_chunks
from labels.exports import WORKBOOK
from mailings.models import Mailing
from mailings.reports import course
from mailings.reports.gone import gone_of
from workbench.base import TemplatePage, WorkbenchView, wants_partial
from workbench.forms.audiences import XLSX
from workbench.report_words import course_chart, days_words, gone_rows, group_rows, kind_name
from workbench.reports import activity_rows, figure_rows, step_rows, verdict_of
from workbench.views.reports.base import Reported
from workbench.views.reports.tabs import mailing_tabs

GROUPS_SHOWN = 25
LINKS_SHOWN = 10


class ReportPage(Reported, TemplatePage):
    permission = "manage_mailings"
    template_name = "workbench/mailings_report.html"
    partial_name = "workbench/_mailings_report.html"

    def get_title(self) -> str:
        return _("Report of “%(name)s”") % {"name": self.about[0]}

    def get_context(self, **extra: Any) -> dict[str, Any]:
        thing, mailings, _crumbs = self.about
        shown: dict[str, Any] = {"form": self.form, "mailing_count": len(mailings), "object": thing}
        shown |= {"tabs": mailing_tabs(thing, "report") if isinstance(thing, Mailing) else []}
        if mailings:
            shown |= {"csv_url": self.address("report_csv"), "xlsx_url": self.address("report_xlsx")}
        if mailings and self.is_large and not wants_partial(self.request) and "now" not in self.request.GET:
            shown["follows"] = True
        elif mailings:
            try:
                shown |= self._figures()
            except Refused as refused:
                shown["refusal"] = str(refused)
        return super().get_context(**shown, **extra)

    def _figures(self) -> dict[str, Any]:
        report, scope = self.read(), self.scope
        found = course(scope, unit=self.form.unit, now=self.now, hours=report.hours)
        by = group_rows(report.groups)
        return {
            "report": report,
            "steps": step_rows(report, self.people_address),
            "most": max(report.funnel.candidates, report.funnel.sent.sent, 1),
            "activities": activity_rows(report, self._kind_address),
            "verdict": verdict_of(report),
            "held_url": self.people_address("held"),
            "activity": kind_name(scope.kind),
            "within": days_words(scope.days),
            "is_open": bool(scope.until and scope.until > self.now),
            "chart": course_chart(found) if found else None,
            "course": found,
            # Another name each time: htmx would write the style of the chart before on it, which the policy refuses.
            "chart_id": f"course-{self.now.timestamp():.6f}".replace(".", "-"),
            "groups": [(name, title, self._linked(dimension, by.get(dimension, [])[:GROUPS_SHOWN]), more)
                       for dimension, name, title in GROUPS
                       if (more := len(by.get(dimension, []))) > (dimension == "channel")],
            "links": report.links[:LINKS_SHOWN],
            "gone": gone_of(scope, now=self.now),
        }  # fmt: skip

    def _kind_address(self, kind: str) -> str:
        url = reverse(f"workbench:{self.kwargs['what']}_report_people", args=[self.kwargs["pk"]])
        return f"{url}?{urlencode({'days': self.scope.days, 'kind': kind, 'step': 'did'})}"

    def _linked(self, dimension: str, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        for row in rows:
            place = {dimension: row["group"].key}
            row["urls"] = {step: self.people_address(step, **place) for step in ("sent", "bounced", "clicked", "did")}
        return rows


#: Dimension, its column, its title.
GROUPS = (
    ("version", gettext_lazy("Version"), gettext_lazy("Per version of the test")),
    ("audience", gettext_lazy("Audience"), gettext_lazy("Per audience")),
    ("branch", gettext_lazy("Branch"), gettext_lazy("Per branch")),
    ("domain", gettext_lazy("Mail domain"), gettext_lazy("Per mail domain")),
    ("channel", gettext_lazy("Channel"), gettext_lazy("Per channel")),
)


class ReportFile(Reported, WorkbenchView):
    """The figures as a file: only how many, never who."""

    permission = "manage_mailings"
    http_method_names = ["get"]

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        thing, suffix = self.about[0], kwargs["suffix"]
        told = [*figure_rows(self.read()), *gone_rows(gone_of(self.scope, now=self.now))]
        body = workbook_chunks(_harmless(told), sheet=_("Report")) if suffix == XLSX else _lines(told)
        return file_of(body, name=f"rapport-{slugify(str(thing))[:60]}-{local_date(self.now):%Y%m%d}", suffix=suffix)


def file_of(body: Iterable[str] | Iterable[bytes], *, name: str, suffix: str) -> HttpResponseBase:
    kind = WORKBOOK if suffix == XLSX else "text/csv; charset=utf-8"
    response = StreamingHttpResponse(body, content_type=kind)
    response["Content-Disposition"] = f'attachment; filename="{name}.{suffix}"'
    return response


def _harmless(told: Iterable[Sequence[object]]) -> Iterator[list[object]]:
    return ([harmless(cell) if isinstance(cell, str) else cell for cell in row] for row in told)


def _lines(told: Iterable[Sequence[object]]) -> Iterator[str]:
    """A CSV file for a spreadsheet that reads Dutch."""
    file = io.StringIO()
    writer = csv.writer(file, delimiter=";", lineterminator="\r\n")
    for row in _harmless(told):
        writer.writerow([f"{cell:.2f}".replace(".", ",") if isinstance(cell, float) else cell for cell in row])
    yield f"\ufeff{file.getvalue()}"
