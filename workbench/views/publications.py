"""Publications: the daily lists of who may be reached, for mail tools that are not ours."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.http import FileResponse, Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.urls import path, reverse
from django.utils.translation import gettext_lazy as _

from mailings import actions
from mailings.models import Decision, Publication, PublicationRun
from mailings.publishing import COLUMNS
from workbench.base import ActionView, DetailPage, FormPage, ListPage, ObjectMixin, WorkbenchView
from workbench.changes import changes_of
from workbench.forms.publications import PublicationForm
from workbench.tables.publications import PublicationTable, RunTable

RUNS = 30


def crumbs(publication: Publication | None = None) -> list[Any]:
    above: list[Any] = [(_("Publications"), reverse("workbench:publication_list"))]
    return [*above, (publication.name, address_of(publication))] if publication else above


def address_of(publication: Publication) -> str:
    return reverse("workbench:publication_detail", args=[publication.pk])


class PublicationMixin(ObjectMixin[Publication]):
    def get_queryset(self) -> QuerySet[Publication]:
        return Publication.objects.select_related("purpose")


class PublicationList(ListPage):
    permission = "export_customers"
    page_title = _("Publications")
    lead = _("Each day a list of everybody who may be reached for a purpose, for mail tools beside this one.")
    table_class = PublicationTable
    create_label = _("Add publication")
    empty_icon = "share-2"
    empty_title = _("No publications yet")
    empty_text = _("Add one for each mail tool that sends on your behalf, so that it writes to nobody who said no.")

    def get_queryset(self) -> QuerySet[Publication]:
        return Publication.objects.select_related("purpose")

    def get_create_url(self) -> str:
        return reverse("workbench:publication_add")


class PublicationAdd(FormPage[PublicationForm]):
    permission = "export_customers"
    form_class = PublicationForm
    page_title = _("Add publication")
    submit_label = _("Save")
    success_message = _("Saved. The first list comes at the time you chose; or run it now.")

    def get_breadcrumb(self) -> list[Any]:
        return crumbs()

    def perform(self, form: PublicationForm) -> str:
        return address_of(actions.save_publication(None, **form.cleaned_data, by=self.user, now=self.now))


class PublicationChange(PublicationMixin, FormPage[PublicationForm]):
    permission = "export_customers"
    form_class = PublicationForm
    page_title = _("Change publication")
    submit_label = _("Save")
    success_message = _("The publication has been changed.")

    def get_breadcrumb(self) -> list[Any]:
        return crumbs(self.object)

    def get_initial(self) -> dict[str, Any]:
        return {name: getattr(self.object, name) for name in PublicationForm.base_fields}

    def perform(self, form: PublicationForm) -> str:
        return address_of(actions.save_publication(self.object, **form.cleaned_data, by=self.user, now=self.now))


class PublicationPage(PublicationMixin, DetailPage[Publication]):
    permission = "export_customers"
    template_name = "workbench/publications_page.html"

    def get_breadcrumb(self) -> list[Any]:
        return crumbs()

    def get_context(self, **extra: Any) -> dict[str, Any]:
        runs = list(self.object.runs.all()[:RUNS])
        return super().get_context(
            runs=RunTable(runs, orderable=False),
            latest=runs[0] if runs else None,
            outcomes=self.outcomes(runs[0]) if runs else [],
            total=sum(runs[0].counts.values()) if runs else 0,
            columns=[COLUMNS[code].label for code in self.object.columns if code in COLUMNS],
            api_url=f"{settings.BASE_URL}/api/v1/publications/{self.object.pk}/people/",
            folder=actions.path_of(self.object.file_name(self.now.date())).parent,
            history=changes_of(self.object),
            **extra,
        )

    def outcomes(self, run: PublicationRun) -> list[dict[str, Any]]:
        return [
            {
                "label": Decision.Outcome(code).label,
                "value": count,
                "tone": "success" if code == Decision.Outcome.ACCEPTED else "neutral",
            }
            for code, count in run.counts.items()
        ]


class PublicationRunNow(PublicationMixin, ActionView):
    permission = "export_customers"
    success_message = _("The list has been written.")

    def perform(self) -> str:
        actions.run_publication(self.object, now=self.now)
        return address_of(self.object)


class PublicationFile(WorkbenchView):
    permission = "export_customers"

    def get(self, request: HttpRequest, pk: int, run: int) -> HttpResponseBase:
        found = PublicationRun.objects.filter(pk=run, publication=pk).exclude(file_name="").first()
        path = actions.path_of(found.file_name) if found else None
        if path is None or not path.is_file():
            raise Http404
        return FileResponse(path.open("rb"), as_attachment=True, filename=path.name, content_type="text/csv")


urlpatterns = [
    path("publications/", PublicationList.as_view(), name="publication_list"),
    path("publications/add/", PublicationAdd.as_view(), name="publication_add"),
    path("publications/<int:pk>/", PublicationPage.as_view(), name="publication_detail"),
    path("publications/<int:pk>/change/", PublicationChange.as_view(), name="publication_change"),
    path("publications/<int:pk>/run/", PublicationRunNow.as_view(), name="publication_run"),
    path("publications/<int:pk>/files/<int:run>/", PublicationFile.as_view(), name="publication_file"),
]
