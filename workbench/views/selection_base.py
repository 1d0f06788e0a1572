"""What the pages of one selection share: the tabs at the head, and a list of customers with a known count."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Page
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _

from common.errors import Refused
from customers.models import Customer
from selections.explain import describe
from selections.figures import time_limit
from selections.models import Selection
from workbench.base import DetailPage
from workbench.paging import Leafing
from workbench.views.selection_builder import SelectionMixin, crumbs, page_of

PEOPLE_PER_PAGE = 50
LIST_SECONDS = 20.0  # what somebody waits for a list he asked for


class _Counted(Leafing):
    """Pages of which somebody else has counted the rows already."""

    def __init__(self, rows: Any, per_page: int, *, count: int) -> None:
        super().__init__(rows, per_page)
        self._known = count

    @cached_property
    def count(self) -> int:
        return self._known


def people_page(request: HttpRequest, found: QuerySet[Customer], *, count: int) -> Page[Any]:
    """Return the asked page of customers, by number. Raises Refused ``too_heavy``."""
    rows = found.select_related("branch").order_by("number")
    page = _Counted(rows, PEOPLE_PER_PAGE, count=count).get_page(request.GET.get("page"))
    with time_limit(LIST_SECONDS):
        page.object_list = list(page.object_list)
    return page


def tabs_of(selection: Selection, part: str) -> list[dict[str, Any]]:
    """Return the tabs above a selection, with that of ``part`` lit."""
    names = {
        "detail": _("Overview"),
        "profile": _("What sets them apart"),
        "then": _("Looking back"),
        "why_find": _("Why or why not"),
        "compare": _("Compare"),
        "sets": _("Result sets"),
        "versions": _("Versions"),
    }
    return [{"label": name, "url": _address(selection, code), "active": code == part} for code, name in names.items()]


def _address(selection: Selection, code: str) -> str:
    if code == "compare":
        return f"{reverse('workbench:selection_compare')}?one=s{selection.pk}"
    if code == "sets":
        return f"{reverse('workbench:result_set_list')}?selection={selection.pk}"
    return reverse(f"workbench:selection_{code}", args=[selection.pk])


def sentence_of(selection: Selection) -> dict[str, str]:
    """Return the rule as a sentence, or why it can no longer be read (``unreadable``)."""
    try:
        return {"sentence": describe(selection.rule)}
    except Refused as refused:
        return {"unreadable": str(refused)}


class SelectionPage(SelectionMixin, DetailPage[Selection]):
    """A page below a selection."""

    abstract = True
    part = ""

    def get_breadcrumb(self) -> list[Any]:
        return crumbs((self.object.name, page_of(self.object)))

    def get_context(self, **extra: Any) -> dict[str, Any]:
        return super().get_context(tabs=tabs_of(self.object, self.part), **extra)
