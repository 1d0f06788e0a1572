"""Sources: where data comes from, whom we believe about what, and what each delivers."""

from __future__ import annotations

from typing import Any

from django.db.models import Count, QuerySet
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django_tables2 import RequestConfig

from customers.actions.sources import save_source
from customers.models import Source
from customers.records import ADDRESS
from workbench.base import DetailPage, FormPage, ListPage, ObjectMixin
from workbench.forms.sources import RANKED, SourceForm
from workbench.tables.sources import FeedTable, SourceTable


def crumbs(*more: tuple[str, str]) -> list[Any]:
    return [(_("Sources"), reverse("workbench:source_list")), *more]


class SourceMixin(ObjectMixin[Source]):
    def get_queryset(self) -> QuerySet[Source]:
        return Source.objects.exclude(kind=Source.Kind.PRODUCT)


class SourceList(ListPage):
    permission = "run_imports"
    page_title = gettext_lazy("Sources")
    table_class = SourceTable
    template_name = "workbench/sources_list.html"
    lead = gettext_lazy("Where data comes from, and whom we believe when sources differ: the lowest rank first.")
    create_label = gettext_lazy("New source")

    def get_queryset(self) -> QuerySet[Source]:
        return Source.objects.exclude(kind=Source.Kind.PRODUCT).annotate(feed_count=Count("feeds"))

    def get_create_url(self) -> str:
        return reverse("workbench:source_create")


class SourceDetail(SourceMixin, DetailPage[Source]):
    permission = "run_imports"
    template_name = "workbench/sources_page.html"

    def get_breadcrumb(self) -> list[Any]:
        return crumbs()

    def get_context(self, **extra: Any) -> dict[str, Any]:
        ranks = dict(self.object.field_ranks.values_list("field", "rank"))
        own = [(str(name), ranks[code]) for code, name in RANKED.items() if code in ranks]
        if parts := [ranks[part] for part in ADDRESS if part in ranks]:
            own.append((_("address"), min(parts)))
        table = FeedTable(self.object.feeds.all(), request=self.request)
        RequestConfig(self.request, paginate=False).configure(table)
        return super().get_context(ranks=own, table=table, has_feeds=bool(table.rows), **extra)


class SourceFormPage(FormPage[SourceForm]):
    abstract = True
    template_name = "workbench/sources_form.html"
    form_class = SourceForm
    submit_label = gettext_lazy("Save")

    def get_breadcrumb(self) -> list[Any]:
        return crumbs()

    def save(self, known: Source | None, form: SourceForm) -> str:
        told = save_source(
            known,
            **{name: form.cleaned_data[name] for name in ("name", "kind", "rank", "number_prefix")},
            ranks=form.ranks(),
            now=self.now,
        )
        return reverse("workbench:source_detail", args=[told.pk])


class SourceCreate(SourceFormPage):
    permission = "run_imports"
    page_title = gettext_lazy("New source")

    def get_initial(self) -> dict[str, Any]:
        return {"kind": Source.Kind.SYSTEM, "rank": 20}

    def perform(self, form: SourceForm) -> str:
        return self.save(None, form)


class SourceChange(SourceMixin, SourceFormPage):
    permission = "run_imports"
    success_message = gettext_lazy("Saved. Customers follow a new precedence within a few minutes.")

    def get_title(self) -> str:
        return _("Change “%(name)s”") % {"name": self.object}

    def get_breadcrumb(self) -> list[Any]:
        return crumbs((str(self.object), reverse("workbench:source_detail", args=[self.object.pk])))

    def get_initial(self) -> dict[str, Any]:
        ranks = dict(self.object.field_ranks.values_list("field", "rank"))
        known = {name: getattr(self.object, name) for name in ("name", "kind", "rank", "number_prefix")}
        address = min((ranks[part] for part in ADDRESS if part in ranks), default=None)
        return known | {f"rank_{code}": ranks.get(code) for code in RANKED} | {"rank_address": address}

    def perform(self, form: SourceForm) -> str:
        return self.save(self.object, form)


urlpatterns = [
    path("sources/", SourceList.as_view(), name="source_list"),
    path("sources/new/", SourceCreate.as_view(), name="source_create"),
    path("sources/<int:pk>/", SourceDetail.as_view(), name="source_detail"),
    path("sources/<int:pk>/change/", SourceChange.as_view(), name="source_change"),
]
