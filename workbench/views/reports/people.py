"""Who is behind a figure of a report, as a page and as a file."""

from __future__ import annotations

import logging
from typing import Any

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.text import slugify
from django.utils.translation import gettext as _

from common.errors import Refused
from customers.models import Customer
from labels.exports import NOTHING_MORE, csv_lines, workbook
from mailings.models import Link
from mailings.reports import Group, people
from selections.figures import time_limit
from selections.models import Export
from workbench.base import ROWS_PER_PAGE, ActionView, TemplatePage
from workbench.forms.audiences import XLSX
from workbench.forms.reports import PeopleForm
from workbench.forms.selections import ExportForm
from workbench.report_words import STEP_NAMES, days_words, group_rows, kind_name
from workbench.views.reports.base import MEMORY_MB, SECONDS, Crumbs, Reported
from workbench.views.reports.report import file_of

log = logging.getLogger("wise.exports")


class _People(Reported):
    """A step of the report, and of whom."""

    form_class = PeopleForm

    def get_title(self) -> str:
        words = kind_name(self.scope.kind) if self.step == "did" and self.scope.kind else STEP_NAMES[self.step]
        return f"{words}: {self.about[0]}"

    @property
    def step(self) -> str:
        return self.asked["step"] or "sent"

    @property
    def asked(self) -> dict[str, Any]:
        """What the address asks for; nobody gets other people than he asked for, so nonsense is not found."""
        if not self.form.is_valid():
            raise Http404
        asked: dict[str, Any] = self.form.cleaned_data
        return asked

    @property
    def where(self) -> dict[str, str | int]:
        found: dict[str, str | int] = self.form.where if self.asked else {}
        return found

    def found(self) -> QuerySet[Customer]:
        where = self.where
        if "link" in where:
            get_object_or_404(Link, pk=where["link"], mailing__in=self.about[1])
        return people(self.scope, self.step, **where)


class ReportPeople(_People, TemplatePage):
    """A page of them at a time."""

    permission = "manage_mailings"
    template_name = "workbench/mailings_report_people.html"

    def get_breadcrumb(self) -> Crumbs:
        return [*super().get_breadcrumb(), (_("Report"), self.address("report"))]

    def get_context(self, **extra: Any) -> dict[str, Any]:
        with time_limit(SECONDS, memory_mb=MEMORY_MB):
            found = self.found()
            page = Paginator(found.select_related("branch").order_by("pk"), ROWS_PER_PAGE).get_page(
                self.request.GET.get("page")
            )
            shown = list(page.object_list)
        may = self.user.has_perm("common.export_customers")
        export = reverse(f"workbench:{self.kwargs['what']}_report_export", args=[self.kwargs["pk"]])
        return super().get_context(
            people=page,
            shown=shown,
            total=page.paginator.count,
            lead=self._lead(),
            export_form=ExportForm() if may else None,
            export_url=f"{export}?{self.request.GET.urlencode()}",
            **extra,
        )

    def _lead(self) -> str:
        """Of which group, and within how long."""
        where = self.where
        told = []
        if "link" in where:
            told.append(str(Link.objects.get(pk=where.pop("link"))))
        told += [str(value) for name, value in self._names(where)]
        if self.step in {"clicked", "not_clicked", "did", "not_did"}:
            told.append(days_words(self.scope.days))
        return ", ".join(told)

    def _names(self, where: dict[str, Any]) -> list[tuple[str, Any]]:
        asked = [Group(name, str(key)) for name, key in where.items()]
        return [(name, rows[0]["name"]) for name, rows in group_rows(asked).items()]


class ReportExport(_People, ActionView):
    """Those people as a file. That they were taken, by whom and how many, is recorded; never whom."""

    permission = "export_customers"

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:  # type: ignore[override]
        asked = ExportForm(request.POST)
        if not asked.is_valid():
            raise Refused("columns_missing", _("Choose at least one column."))
        columns, is_workbook = asked.cleaned_data["columns"], request.POST.get("format") == XLSX
        found = self.found().filter(pk__in=Customer.objects.usable().values("pk"))
        count = found.count()
        name = self.get_title()
        body: Any = (
            workbook(found, columns, NOTHING_MORE, sheet=name, count=count)
            if is_workbook
            else csv_lines(found, columns)
        )
        Export.objects.create(
            selection_name=name[:120], user=self.user, columns=columns, row_count=count, exported_at=self.now
        )
        told = (kwargs["what"], kwargs["pk"], self.user.pk, count, ",".join(columns))
        log.info("export report %s=%d user=%d rows=%d columns=%s", *told)
        return file_of(body, name=slugify(name)[:80] or "klanten", suffix=XLSX if is_workbook else "csv")
