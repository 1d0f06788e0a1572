"""Imports: the files that came in, taking one in, following it, and what was refused and why."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.urls import path, reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django_htmx.http import HttpResponseClientRefresh
from django_tables2 import RequestConfig

from customers.actions import approve_import, cancel_import, retry_import, undo_import, upload_import
from customers.actions.imports import UNDER_WAY, can_retry, can_undo
from customers.imports import FORMATS
from customers.imports.applying import READ_PERCENT
from customers.imports.remedies import REMARKS
from customers.imports.report import refused_lines, refused_name
from customers.models import Feed, ImportRun
from customers.tasks import run_waiting_imports
from workbench.base import ActionView, DetailPage, FormPage, ListPage, ObjectMixin, TemplatePage, WorkbenchView
from workbench.filters.imports import ImportFilter
from workbench.forms.imports import UploadForm
from workbench.import_samples import samples_of
from workbench.tables.imports import STATE_TONES, ErrorTable, ImportTable, format_name


def crumbs() -> list[Any]:
    return [(_("Imports"), reverse("workbench:import_list"))]


class RunMixin(ObjectMixin[ImportRun]):
    def get_queryset(self) -> QuerySet[ImportRun]:
        return ImportRun.objects.select_related("source", "feed", "started_by")


class ImportList(ListPage):
    permission = "run_imports"
    template_name = "workbench/imports_list.html"
    page_title = gettext_lazy("Imports")
    table_class = ImportTable
    filterset_class = ImportFilter
    lead = gettext_lazy("Files of the library system, the theatre and others. The same file twice changes nothing.")
    empty_title = gettext_lazy("No imports yet")
    empty_text = gettext_lazy("Begin with the branches, then the customers, then what they have and do.")
    empty_icon = "file-up"
    create_label = gettext_lazy("Import a file")

    def get_queryset(self) -> QuerySet[ImportRun]:
        return ImportRun.objects.select_related("source")

    def get_create_url(self) -> str:
        return reverse("workbench:import_upload")


class ImportUpload(FormPage[UploadForm]):
    permission = "run_imports"
    template_name = "workbench/imports_upload.html"
    form_class = UploadForm
    page_title = gettext_lazy("Import a file")
    submit_label = gettext_lazy("Import")

    def get_breadcrumb(self) -> list[Any]:
        return crumbs()

    def get_initial(self) -> dict[str, Any]:
        chosen = self.request.GET.get("format", "")
        initial = {"format": chosen if chosen in FORMATS else "customers", "source": "library", "needs_approval": True}
        return initial | ({"feed": self.feed} if self.feed else {})

    @cached_property
    def feed(self) -> Feed | None:
        number = self.request.GET.get("feed", "")
        return Feed.objects.filter(pk=number).first() if number.isdigit() else None

    def get_cancel_url(self) -> str:
        return reverse("workbench:import_list")

    def perform(self, form: UploadForm) -> str:
        file, feed = form.cleaned_data["file"], form.cleaned_data["feed"]
        run = upload_import(
            format=feed.delivers if feed else form.cleaned_data["format"],
            source_code=feed.source.code if feed else form.cleaned_data["source"].code,
            file=file,
            file_name=file.name,
            by=self.user,
            now=self.now,
            feed=feed,
            needs_approval=form.cleaned_data["needs_approval"],
        )
        run_waiting_imports.delay_on_commit()  # type: ignore[attr-defined]
        return reverse("workbench:import_detail", args=[run.pk])


class ImportDetail(RunMixin, DetailPage[ImportRun]):
    permission = "run_imports"
    template_name = "workbench/imports_page.html"
    partial_name = "workbench/_imports_errors.html"

    def get_breadcrumb(self) -> list[Any]:
        return crumbs()

    def get_context(self, **extra: Any) -> dict[str, Any]:
        table = ErrorTable(self.object.errors.all(), request=self.request)
        RequestConfig(self.request, paginate={"per_page": 50}).configure(table)
        return super().get_context(
            table=table,
            format_name=format_name(self.object.format),
            kept=table.paginator.count,
            tone=STATE_TONES[self.object.state],
            is_under_way=self.object.state in UNDER_WAY,
            **progress_of(self.object),
            can_undo=can_undo(self.object, now=self.now),
            can_retry=can_retry(self.object),
            samples=samples_of(self.object),
            remarks=[(REMARKS.get(code, code), count) for code, count in self.object.remarks.items()],
            kept_because=[(KEPT[why], count) for why, count in self.object.undo_counts.get("why", {}).items()],
            **extra,
        )


def progress_of(run: ImportRun) -> dict[str, Any]:
    return {"read_percent": READ_PERCENT, "is_trial": run.needs_approval and not run.approved_by}


KEPT = {
    "changed": gettext_lazy("changed since by something else"),
    "used": gettext_lazy("something else belongs to it by now"),
    "said": gettext_lazy("a refusal or objection; undoing never makes anybody reachable"),
}


class RunAction(RunMixin, ActionView):
    """A button on the page of a run; the work itself is done by a worker."""

    abstract = True

    def perform(self) -> str:
        self.act()
        run_waiting_imports.delay_on_commit()  # type: ignore[attr-defined]
        return reverse("workbench:import_detail", args=[self.object.pk])

    def act(self) -> None:
        raise NotImplementedError


class ImportApprove(RunAction):
    permission = "run_imports"

    def act(self) -> None:
        approve_import(self.object, by=self.user, now=self.now)


class ImportCancel(RunAction):
    permission = "run_imports"
    success_message = gettext_lazy("The file is not taken in.")

    def act(self) -> None:
        cancel_import(self.object, by=self.user, now=self.now)


class ImportRetry(RunAction):
    permission = "run_imports"

    def act(self) -> None:
        retry_import(self.object, by=self.user, now=self.now)


class ImportUndo(RunAction):
    permission = "run_imports"

    def act(self) -> None:
        undo_import(self.object, by=self.user, now=self.now)


class ImportProgress(RunMixin, TemplatePage):
    """The part of the page that asks for itself; once the run is over, the page is loaded again."""

    permission = "run_imports"
    template_name = "workbench/_imports_progress.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if self.object.state not in UNDER_WAY:
            return HttpResponseClientRefresh()
        return self.render(object=self.object, **progress_of(self.object))


class ImportRefused(RunMixin, WorkbenchView):
    """The refused rows as a file, to be handed to who looks after the source."""

    permission = "run_imports"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> StreamingHttpResponse:
        answer = StreamingHttpResponse(refused_lines(self.object), content_type="text/csv; charset=utf-8")
        answer["Content-Disposition"] = f'attachment; filename="{refused_name(self.object)}"'
        return answer


class FormatList(TemplatePage):
    permission = "run_imports"
    page_title = gettext_lazy("Formats of files")
    template_name = "workbench/imports_formats.html"

    def get_breadcrumb(self) -> list[Any]:
        return crumbs()

    def get_context(self, **extra: Any) -> dict[str, Any]:
        return super().get_context(formats=FORMATS, **extra)


class FormatExample(WorkbenchView):
    """A small file of the format, to look at and to fill in."""

    permission = "run_imports"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        format = FORMATS.get(self.kwargs["format"])  # noqa: A001
        if format is None:
            raise Http404
        text = f"\ufeff{format.header}\r\n{format.example}\r\n"
        answer = HttpResponse(text, content_type="text/csv; charset=utf-8")
        answer["Content-Disposition"] = f'attachment; filename="{format.code}.csv"'
        return answer


urlpatterns = [
    path("imports/", ImportList.as_view(), name="import_list"),
    path("imports/new/", ImportUpload.as_view(), name="import_upload"),
    path("imports/formats/", FormatList.as_view(), name="import_formats"),
    path("imports/formats/<slug:format>.csv", FormatExample.as_view(), name="import_example"),
    path("imports/<int:pk>/", ImportDetail.as_view(), name="import_detail"),
    path("imports/<int:pk>/approve/", ImportApprove.as_view(), name="import_approve"),
    path("imports/<int:pk>/cancel/", ImportCancel.as_view(), name="import_cancel"),
    path("imports/<int:pk>/retry/", ImportRetry.as_view(), name="import_retry"),
    path("imports/<int:pk>/undo/", ImportUndo.as_view(), name="import_undo"),
    path("imports/<int:pk>/progress/", ImportProgress.as_view(), name="import_progress"),
    path("imports/<int:pk>/refused.csv", ImportRefused.as_view(), name="import_refused"),
]
