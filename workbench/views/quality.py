"""How good the data is: what is missing, wrong, double and old, per branch or per source; each figure leads to a
selection of those customers.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.urls import path, reverse
from django.utils.formats import date_format
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from customers.models import Branch, QualityCount, Source
from customers.quality import Issue, issues
from customers.tasks import count_quality
from selections.issues import rule_of
from workbench.base import ActionView, TemplatePage

TREND_DAYS = 90
SHOWN_IN_TREND = ("missing_email", "blocked_bounce", "double_pair", "stale", "wordless")

Counts = Mapping[tuple[str, int | None, str], int]  # code of an issue, id of a branch or source, scope


class QualityPage(TemplatePage):
    """A matrix of what was counted last night: issues down, branches or sources across."""

    permission = "view_customers"
    page_title = gettext_lazy("Quality of the data")
    template_name = "workbench/quality.html"

    @cached_property
    def scope(self) -> str:
        asked = self.request.GET.get("per", "")
        return asked if asked == QualityCount.Scope.SOURCE else QualityCount.Scope.BRANCH

    @cached_property
    def last(self) -> QualityCount | None:
        return QualityCount.objects.order_by("-day").first()

    def get_context(self, **extra: Any) -> dict[str, Any]:
        if self.last is None:
            return super().get_context(last=None, **extra)
        counts = self._counts(self.last.day)
        columns = self._columns(counts)
        return super().get_context(
            last=self.last,
            tabs=self._tabs(),
            columns=columns,
            everybody=counts.get(("", None, "all"), 0),
            groups=self._groups(counts, columns, self._before(self.last.day)),
            trend=self._trend(self.last.day),
            may_select=self.user.has_perm("common.manage_selections"),
            **extra,
        )

    def _tabs(self) -> list[dict[str, Any]]:
        return [
            {"label": label, "url": f"?per={scope}", "active": self.scope == scope}
            for scope, label in (
                (QualityCount.Scope.BRANCH, _("Per branch")),
                (QualityCount.Scope.SOURCE, _("Per source")),
            )
        ]

    def _counts(self, day: dt.date) -> Counts:
        rows = QualityCount.objects.filter(day=day, scope__in=[QualityCount.Scope.ALL, self.scope])
        return {(row.issue, row.branch_id or row.source_id, row.scope): row.count for row in rows}

    def _columns(self, counts: Counts) -> list[dict[str, Any]]:
        """Return the branches or sources that have customers, with how many; those without a branch come last."""
        model: Any = Branch if self.scope == QualityCount.Scope.BRANCH else Source
        known = {row.pk: row for row in model.objects.all()}
        present = {key: many for (issue, key, scope), many in counts.items() if not issue and scope == self.scope}
        columns = [
            {"id": pk, "code": row.code, "name": row.name, "many": present[pk]}
            for pk, row in known.items()
            if pk in present
        ]
        if None in present:
            columns.append({"id": None, "code": "", "name": _("No branch"), "many": present[None]})
        return columns

    def _groups(
        self,
        counts: Counts,
        columns: list[dict[str, Any]],
        before: Mapping[str, int],
    ) -> list[tuple[str, list[dict[str, Any]]]]:
        groups: dict[str, list[dict[str, Any]]] = {}
        everybody = counts.get(("", None, "all"), 0)
        for issue in issues:
            many = counts.get((issue.code, None, "all"), 0)
            row = {
                "issue": issue,
                "many": many,
                "share": round(100 * many / everybody) if everybody else 0,
                "change": many - before[issue.code] if issue.code in before else None,
                "url": selection_url(issue),
                "cells": [
                    {
                        "column": column,
                        "many": (cell := counts.get((issue.code, column["id"], self.scope), 0)),
                        "url": selection_url(issue, self.scope, column) if cell else "",
                    }
                    for column in columns
                ],
            }
            groups.setdefault(str(issue.group), []).append(row)
        return list(groups.items())

    def _before(self, last: dt.date) -> dict[str, int]:
        """Return the totals of a week ago, or of the first day there is since."""
        since = last - dt.timedelta(days=7)
        earlier = QualityCount.objects.filter(day__gte=since, day__lt=last, scope=QualityCount.Scope.ALL)
        first = earlier.order_by("day").values_list("day", flat=True).first()
        return dict(earlier.filter(day=first).values_list("issue", "count")) if first else {}

    def _trend(self, last: dt.date) -> dict[str, Any] | None:
        """Return the totals of a few issues per day, when there is more than one day."""
        rows = QualityCount.objects.filter(
            scope=QualityCount.Scope.ALL, issue__in=SHOWN_IN_TREND, day__gt=last - dt.timedelta(days=TREND_DAYS)
        )
        counts = {(row.day, row.issue): row.count for row in rows}
        days = sorted({day for day, _issue in counts})
        if len(days) < 2:
            return None
        return {
            "labels": [date_format(day, "j b") for day in days],
            "datasets": [
                {"label": str(issues[code].name), "data": [counts.get((day, code), 0) for day in days]}
                for code in SHOWN_IN_TREND
            ],
        }


def selection_url(issue: Issue, scope: str = "", column: Mapping[str, Any] | None = None) -> str:
    """Return the address of the builder with a rule that finds these customers, and a name for it."""
    name, apart = str(issue.name), {}
    if column:
        name = f"{name}, {column['name']}"
        apart = {"source": column["code"]} if scope == QualityCount.Scope.SOURCE else {"branch": column["code"]}
    rule = rule_of(issue, **apart)
    query = urlencode({"rule": json.dumps(rule, separators=(",", ":")), "name": name})
    return f"{reverse('workbench:selection_create')}?{query}"


class QualityCountNow(ActionView):
    """Count now and not only at night."""

    permission = "view_customers"

    def perform(self) -> str:
        count_quality.delay_on_commit()  # type: ignore[attr-defined]
        messages.success(self.request, _("Counting. With many customers this takes a minute; look again then."))
        return reverse("workbench:quality")


urlpatterns = [
    path("quality/", QualityPage.as_view(), name="quality"),
    path("quality/count/", QualityCountNow.as_view(), name="quality_count"),
]
