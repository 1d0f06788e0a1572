"""What was saved of a content: look at it, go back and forth, put it back, take over another message."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import path
from django.utils.functional import cached_property
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.clickjacking import xframe_options_sameorigin

from mailings import actions
from mailings.models import Content
from mailings.previewing import preview_content
from mailings.versions import Version, version_of, versions_of
from workbench.base import ActionView, DetailPage, FormPage, Text, WorkbenchView
from workbench.changes import user_names
from workbench.forms.content import TakeOverForm
from workbench.views.content.base import Contents
from workbench.views.content.editor import listed
from workbench.views.content.previews import FRAME_POLICY

SOURCES_SHOWN = 300


class VersionList(Contents, DetailPage[Content]):
    permission = "manage_mailings"
    template_name = "workbench/content_versions.html"

    def get_title(self) -> Text:
        return gettext("Versions of “%(name)s”") % {"name": self.object}

    def get_breadcrumb(self) -> list[Any]:
        return [*super().get_breadcrumb(), (gettext("Content"), self.page_url)]

    def get_context(self, **extra: Any) -> dict[str, Any]:
        versions = versions_of(self.object)
        names = user_names(version.user_id for version in versions)
        rows = [(version, names.get(version.user_id or 0, "")) for version in versions]
        return super().get_context(versions=rows, **extra)


class _OneVersion(Contents):
    @cached_property
    def version(self) -> Version:
        if found := version_of(self.object, self.kwargs["number"]):
            return found
        raise Http404


class VersionPage(_OneVersion, DetailPage[Content]):
    permission = "manage_mailings"
    template_name = "workbench/content_version.html"

    def get_title(self) -> Text:
        return gettext("Version %(number)d") % {"number": self.version.number}

    def get_breadcrumb(self) -> list[Any]:
        versions = (gettext("Versions"), f"{self.page_url}versions/")
        return [*super().get_breadcrumb(), (gettext("Content"), self.page_url), versions]

    def get_context(self, **extra: Any) -> dict[str, Any]:
        who = user_names([self.version.user_id]).get(self.version.user_id or 0, "")
        return super().get_context(version=self.version, who=who, items=listed(self.version.content), **extra)


class VersionFrame(_OneVersion, WorkbenchView):
    permission = "manage_mailings"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        preview = preview_content(self.version.content, purpose=self.purpose, now=self.now)
        response = HttpResponse(preview.html)
        response["Content-Security-Policy"] = FRAME_POLICY
        response["Cache-Control"] = "no-store"
        return response


class VersionRestore(Contents, ActionView):
    permission = "manage_mailings"
    success_message = _("The version has been put back. What stood here is the version before it.")

    def perform(self) -> str:
        actions.restore_version(self.object, self.kwargs["number"], by=self.user, now=self.now)
        return self.page_url


class Undo(Contents, ActionView):
    permission = "manage_mailings"

    def perform(self) -> str:
        actions.undo(self.object, by=self.user, now=self.now)
        return self.page_url


class Redo(Contents, ActionView):
    permission = "manage_mailings"

    def perform(self) -> str:
        actions.redo(self.object, by=self.user, now=self.now)
        return self.page_url


class TakeOver(Contents, FormPage[TakeOverForm]):
    permission = "manage_mailings"
    template_name = "workbench/content_take_over.html"
    form_class = TakeOverForm
    page_title = _("Copy from another message")
    submit_label = _("Copy")
    success_message = _("The blocks have been copied.")

    def get_breadcrumb(self) -> list[Any]:
        return [*super().get_breadcrumb(), (gettext("Content"), self.page_url)]

    @cached_property
    def sources(self) -> QuerySet[Content]:
        newest = Content.objects.exclude(blocks=[]).exclude(pk=self.object.pk).order_by("-updated_at")
        keys = list(newest.values_list("pk", flat=True)[:SOURCES_SHOWN])
        return Content.objects.filter(pk__in=keys).defer("blocks").order_by("-updated_at")

    def get_form_kwargs(self) -> dict[str, Any]:
        return {"sources": self.sources}

    def perform(self, form: TakeOverForm) -> str:
        actions.take_over(self.object, by=self.user, now=self.now, **form.cleaned_data)
        return self.page_url


urlpatterns = [
    path("content/<int:pk>/versions/", VersionList.as_view(), name="version_list"),
    path("content/<int:pk>/versions/<int:number>/", VersionPage.as_view(), name="version_detail"),
    path("content/<int:pk>/versions/<int:number>/frame/", xframe_options_sameorigin(VersionFrame.as_view()),
         name="version_frame"),
    path("content/<int:pk>/versions/<int:number>/restore/", VersionRestore.as_view(), name="version_restore"),
    path("content/<int:pk>/undo/", Undo.as_view(), name="content_undo"),
    path("content/<int:pk>/redo/", Redo.as_view(), name="content_redo"),
    path("content/<int:pk>/take-over/", TakeOver.as_view(), name="content_take_over"),
]  # fmt: skip
