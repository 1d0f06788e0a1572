"""The versions of a selection: who changed what, and back to an earlier one."""

from __future__ import annotations

from typing import Any

from django.urls import path
from django.utils.translation import gettext_lazy

from selections.actions import restore_version
from selections.versions import versions_of
from workbench.base import ActionView
from workbench.changes import user_names
from workbench.views.selection_base import SelectionPage
from workbench.views.selection_builder import SelectionMixin, page_of


class SelectionVersions(SelectionPage):
    permission = "manage_selections"
    template_name = "workbench/selections_versions.html"
    part = "versions"

    def get_title(self) -> str:
        return self.object.name

    def get_context(self, **extra: Any) -> dict[str, Any]:
        asked = self.request.GET.get("before", "")
        found = versions_of(self.object, before=int(asked) if asked.isdecimal() and len(asked) < 10 else None)
        names = user_names(version.user for version in found)
        versions = [{"version": version, "who": names.get(version.user or 0, "")} for version in found]
        older = found[-1].number if found and found[-1].number > 1 else None
        return super().get_context(versions=versions, older=older, is_older=bool(asked), **extra)


class SelectionRestore(SelectionMixin, ActionView):
    permission = "manage_selections"
    success_message = gettext_lazy("The earlier version is the present one again.")

    def perform(self) -> str:
        restore_version(self.object, key=self.kwargs["key"], by=self.user, now=self.now)
        return page_of(self.object)


urlpatterns = [
    path("selections/<int:pk>/versions/", SelectionVersions.as_view(), name="selection_versions"),
    path("selections/<int:pk>/versions/<int:key>/restore/", SelectionRestore.as_view(), name="selection_restore"),
]
