"""The shift matrix: how many customers went from which label of a group to which other, between any two days."""

from __future__ import annotations

import csv
import io
from typing import Any

from django.http import HttpResponse
from django.urls import path, reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common.errors import Refused
from common.spreadsheets import harmless
from common.time import end_of_day
from labels.shifts import Matrix, matrix, moves_per_week
from selections.figures import time_limit
from workbench.base import TemplatePage, WorkbenchView, wants_partial
from workbench.filters.shifts import ShiftForm
from workbench.shift_words import Way, chart_of, feet_of, lines_of, move_words, name_of

SECONDS = 30
MEMORY_MB = 128  # for each set: a place for each of a million customers fits


class ShiftMatrix(TemplatePage):
    """The matrix; the course per week follows by htmx (or by ``?course=1`` without scripts)."""

    permission = "manage_labels"
    page_title = gettext_lazy("Shifts")
    template_name = "workbench/shifts.html"

    @property
    def partial_name(self) -> str:  # type: ignore[override]
        return "workbench/_shifts_course.html" if "course" in self.request.GET else "workbench/_shifts_matrix.html"

    @cached_property
    def form(self) -> ShiftForm:
        return ShiftForm(self.request.GET, now=self.now)

    def get_context(self, **extra: Any) -> dict[str, Any]:
        is_course = "course" in self.request.GET
        shown: dict[str, Any] = {"form": self.form, "has_groups": bool(self.form.groups)}
        if self.form.groups and self.form.is_valid():
            shown |= {"scale": self.form.scale, "query": self.form.query, "first": self.form.first_day}
            shown |= {"last": self.form.last_day, "course_shown": is_course}
            if not (is_course and wants_partial(self.request)):
                shown |= self._matrix()
            if is_course:
                shown |= self._course()
        return super().get_context(**shown, **extra)

    def _matrix(self) -> dict[str, Any]:
        try:
            found = matrix_of(self.form)
        except Refused as refused:
            return {"refusal": str(refused)}
        return {
            "found": found,
            "columns": [{"name": name_of(found.scale, place)} for place in found.columns],
            "lines": lines_of(found),
            "feet": feet_of(found),
            "ways": [(Way(way), found.going(way)) for way in ("up", "down", "in", "out")],
            "aside": found.going("aside"),
            "legend": [Way(way) for way in ("up", "down", "aside", "in", "out")],
            "may_see": self.user.has_perm("common.view_customers"),
        }

    def _course(self) -> dict[str, Any]:
        form = self.form
        try:
            with time_limit(SECONDS, memory_mb=MEMORY_MB):
                course = moves_per_week(
                    form.scale, start=end_of_day(form.first_day), end=end_of_day(form.last_day), among=form.among
                )
        except Refused as refused:
            return {"refusal": str(refused)}
        many = {cell: sum(weeks.values()) for cell, weeks in course.items()}
        most = sorted(many, key=lambda cell: (-many[cell], cell))
        return {
            "chart": chart_of(form.scale, course, first=form.first_day, last=form.last_day) if course else None,
            "moves": [
                {"words": move_words(form.scale, cell), "many": many[cell], "way": Way(form.scale.direction(*cell))}
                for cell in most
            ],
            "move_count": sum(many.values()),
        }


class ShiftFile(WorkbenchView):
    """The matrix as a CSV file: only how many, never who."""

    permission = "manage_labels"
    http_method_names = ["get"]

    def get(self, request: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        form = ShiftForm(request.GET, now=self.now)
        if not form.groups or not form.is_valid():
            return self.go(reverse("workbench:shift_matrix"))
        response = HttpResponse("\ufeff" + _csv(matrix_of(form)), content_type="text/csv; charset=utf-8")
        name = f"verschuivingen-{form.scale.group.code}-{form.first_day:%Y%m%d}-{form.last_day:%Y%m%d}.csv"
        response["Content-Disposition"] = f'attachment; filename="{name}"'
        return response


def matrix_of(form: ShiftForm) -> Matrix:
    """Return the matrix that is asked for; raises Refused when the selection is too heavy for a page."""
    with time_limit(SECONDS, memory_mb=MEMORY_MB):
        return matrix(form.scale, first=form.first_day, last=form.last_day, among=form.among)


def _csv(found: Matrix) -> str:
    file = io.StringIO()
    writer = csv.writer(file, delimiter=";", lineterminator="\r\n")
    names = [name_of(found.scale, place) for place in found.columns]
    writer.writerow([harmless(cell) for cell in (_("From"), *names, _("Total"))])
    for was in found.rows:
        cells = [found.many(was, became) for became in found.columns]
        writer.writerow([harmless(name_of(found.scale, was)), *cells, found.of_row(was)])
    writer.writerow([_("Total"), *(found.of_column(place) for place in found.columns), found.total])
    return file.getvalue()


urlpatterns = [
    path("shifts/", ShiftMatrix.as_view(), name="shift_matrix"),
    path("shifts/matrix.csv", ShiftFile.as_view(), name="shift_file"),
]
