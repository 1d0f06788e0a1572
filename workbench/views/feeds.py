"""Deliveries of a source: what is in the files, how their columns are called, and when they come."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.urls import path, reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common.errors import Refused
from customers.actions.feeds import is_absent, missing_columns, save_feed
from customers.imports import FORMATS
from customers.imports.reading import Glimpse, glimpse
from customers.imports.templates import TEMPLATES, guess
from customers.models import Feed, Source
from customers.tasks import run_waiting_imports
from workbench.base import DetailPage, FormPage, ObjectMixin
from workbench.forms.feeds import ColumnsForm, ExampleForm, FeedCreateForm, FeedForm
from workbench.tables.imports import ImportTable, format_name
from workbench.views.sources import crumbs

SHOWN_RUNS = 10


class FeedMixin(ObjectMixin[Feed]):
    request: Any

    def get_queryset(self) -> QuerySet[Feed]:
        return Feed.objects.select_related("source")

    def get_breadcrumb(self) -> list[Any]:
        return self.above((str(self.object), reverse("workbench:feed_detail", args=[self.object.pk])))

    def above(self, *more: tuple[str, str]) -> list[Any]:
        told = self.object.source
        return crumbs((str(told), reverse("workbench:source_detail", args=[told.pk])), *more)

    @cached_property
    def example(self) -> dict[str, Any]:
        """The head of the file that was looked at last, for as long as this visit lasts."""
        return dict(self.request.session.get(f"feed-{self.object.pk}", {}))


def remember(request: Any, feed: Feed, seen: Glimpse) -> None:
    request.session[f"feed-{feed.pk}"] = {"header": seen.header, "rows": seen.rows}


class FeedCreate(FormPage[FeedCreateForm]):
    permission = "run_imports"
    form_class = FeedCreateForm
    page_title = gettext_lazy("New delivery")
    submit_label = gettext_lazy("Next: the columns")

    @cached_property
    def source(self) -> Source:
        return get_object_or_404(Source, pk=self.kwargs["pk"], kind=Source.Kind.SYSTEM)

    def get_breadcrumb(self) -> list[Any]:
        return crumbs((str(self.source), reverse("workbench:source_detail", args=[self.source.pk])))

    def get_context(self, **extra: Any) -> dict[str, Any]:
        return super().get_context(source=self.source, **extra)

    def perform(self, form: FeedCreateForm) -> str:
        template = TEMPLATES.get(form.cleaned_data["template"])
        delivers = template.delivers if template else form.cleaned_data["delivers"]
        example = form.cleaned_data["example"]
        seen = glimpse(example.file) if example else None
        mapping: dict[str, Any] = dict(template.mapping) if template else {}
        if seen and delivers in FORMATS:
            mapping = fitting(mapping, seen.header) or dict(guess(FORMATS[delivers], seen.header))
        feed = save_feed(
            None,
            source=self.source, name=form.cleaned_data["name"], delivers=delivers, mapping=mapping,
            # Found out from each file: the next may come with tabs, or as a workbook.
            delimiter=template.delimiter if template and not seen else "",
            encoding=template.encoding if template and not seen else "", is_active=False, now=self.now,
        )  # fmt: skip
        if seen:
            remember(self.request, feed, seen)
        return reverse("workbench:feed_columns", args=[feed.pk])


def fitting(mapping: dict[str, Any], header: list[str]) -> dict[str, Any]:
    """Keep what a template says as far as the file has those columns; nothing when it has none of them."""
    known = {column.lower() for column in header}
    kept = {name: cell for name, cell in mapping.items() if cell.get("column", "").lower() in known}
    return kept | {name: cell for name, cell in mapping.items() if "constant" in cell} if kept else {}


class FeedDetail(FeedMixin, DetailPage[Feed]):
    permission = "run_imports"
    template_name = "workbench/feeds_page.html"

    def get_breadcrumb(self) -> list[Any]:
        return self.above()

    def get_context(self, **extra: Any) -> dict[str, Any]:
        runs = ImportTable(list(self.object.runs.select_related("source")[:SHOWN_RUNS]), orderable=False)
        format = FORMATS.get(self.object.delivers)  # noqa: A001
        cells = [
            (name, self.object.mapping[name])
            for name in (format.names if format else ())
            if name in self.object.mapping
        ]
        return super().get_context(
            format_name=format_name(self.object.delivers), cells=cells, missing=missing_columns(self.object),
            table=runs, has_runs=bool(runs.rows), is_absent=is_absent(self.object), **extra,
        )  # fmt: skip


class FeedChange(FeedMixin, FormPage[FeedForm]):
    permission = "run_imports"
    form_class = FeedForm
    page_title = gettext_lazy("Change delivery")
    submit_label = gettext_lazy("Save")
    success_message = gettext_lazy("Saved.")

    def get_form_kwargs(self) -> dict[str, Any]:
        return {"instance": Feed.objects.get(pk=self.object.pk)}

    def perform(self, form: FeedForm) -> str:
        save_feed(self.object, **form.cleaned_data, now=self.now)
        run_waiting_imports.delay_on_commit()  # type: ignore[attr-defined]
        return reverse("workbench:feed_detail", args=[self.object.pk])


class FeedColumns(FeedMixin, FormPage[ColumnsForm]):
    """The mapping: a line per column of the format, beside what an example file has there."""

    permission = "run_imports"
    template_name = "workbench/feeds_columns.html"
    form_class = ColumnsForm
    page_title = gettext_lazy("Columns")
    submit_label = gettext_lazy("Save")
    success_message = gettext_lazy("Saved.")

    def get_form_kwargs(self) -> dict[str, Any]:
        format = FORMATS[self.object.delivers]  # noqa: A001
        header = self.example.get("header", [])
        return {"format": format, "header": header, "mapping": self.object.mapping or guess(format, header)}

    def get_context(self, **extra: Any) -> dict[str, Any]:
        return super().get_context(object=self.object, example=self.example, example_form=ExampleForm(), **extra)

    def perform(self, form: ColumnsForm) -> str:
        mapping = form.mapping()
        feed = Feed(pk=self.object.pk, delivers=self.object.delivers, mapping=mapping)
        missing = missing_columns(feed) if mapping else [c.name for c in form.format.columns if c.required]
        if missing:
            message = _("First say where these come from: %s.") % ", ".join(missing)
            raise Refused("not_mapped", message, field=f"column_{missing[0]}")
        # A new delivery begins here; one that somebody turned off stays off.
        is_active = self.object.is_active or not self.object.runs.exists()
        save_feed(self.object, mapping=mapping, is_active=is_active, now=self.now)
        run_waiting_imports.delay_on_commit()  # type: ignore[attr-defined]
        return reverse("workbench:feed_detail", args=[self.object.pk])


class FeedExample(FeedMixin, FormPage[ExampleForm]):
    permission = "run_imports"
    form_class = ExampleForm
    page_title = gettext_lazy("Look at an example")
    submit_label = gettext_lazy("Look at it")

    def perform(self, form: ExampleForm) -> str:
        seen = glimpse(
            form.cleaned_data["example"].file, delimiter=self.object.delimiter, encoding=self.object.encoding
        )
        remember(self.request, self.object, seen)
        return reverse("workbench:feed_columns", args=[self.object.pk])


urlpatterns = [
    path("sources/<int:pk>/feeds/new/", FeedCreate.as_view(), name="feed_create"),
    path("feeds/<int:pk>/", FeedDetail.as_view(), name="feed_detail"),
    path("feeds/<int:pk>/change/", FeedChange.as_view(), name="feed_change"),
    path("feeds/<int:pk>/columns/", FeedColumns.as_view(), name="feed_columns"),
    path("feeds/<int:pk>/example/", FeedExample.as_view(), name="feed_example"),
]
