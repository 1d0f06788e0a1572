"""Versions of import labels: which there are, how many have them, and ending an old one for everybody."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.shortcuts import get_object_or_404
from django.urls import path, reverse
from django.utils.translation import gettext_lazy, ngettext

from labels.actions import end_version, take_version_back
from labels.actions.versions import Version, versions
from labels.models import LabelGroup, VersionEnd
from workbench.base import ActionView, TemplatePage
from workbench.views.labels import crumbs

ENDS_SHOWN = 20


class VersionList(TemplatePage):
    permission = "manage_labels"
    page_title = gettext_lazy("Versions of import labels")
    template_name = "workbench/labels_versions.html"

    def get_breadcrumb(self) -> list[Any]:
        return crumbs()

    def get_context(self, **extra: Any) -> dict[str, Any]:
        found = versions()
        newest: dict[int, Version] = {}
        for one in found:
            newest.setdefault(one.group.pk, one)
        ends = VersionEnd.objects.select_related("group", "ended_by", "undone_by")[:ENDS_SHOWN]
        return super().get_context(
            versions=[
                {"version": one, "name": f"{one.group} {one.version}", "is_newest": newest[one.group.pk] is one}
                for one in found
            ],
            ends=ends,
            **extra,
        )


class VersionFinish(ActionView):
    """End a version for everybody who has a label of it."""

    permission = "manage_labels"

    def perform(self) -> str:
        group = get_object_or_404(LabelGroup, pk=self.kwargs["pk"])
        by = self.user.get_full_name() or self.user.get_username()
        version = self.request.POST.get("version", "")[:20].replace("\0", "")
        end = end_version(group, version, by=self.user, name=by, now=self.now)
        words = ngettext(
            "%(version)s has ended for %(n)d customer.", "%(version)s has ended for %(n)d customers.", end.taken_count
        )
        messages.success(self.request, words % {"version": end, "n": end.taken_count})
        return reverse("workbench:label_versions")


class VersionBack(ActionView):
    """Take the end of a version back."""

    permission = "manage_labels"

    def perform(self) -> str:
        end = get_object_or_404(VersionEnd, pk=self.kwargs["pk"])
        given = take_version_back(end, by=self.user, now=self.now)
        words = ngettext("%(n)d label was given back.", "%(n)d labels were given back.", given)
        messages.success(self.request, words % {"n": given})
        return reverse("workbench:label_versions")


urlpatterns = [
    path("labels/versions/", VersionList.as_view(), name="label_versions"),
    path("labels/versions/<int:pk>/end/", VersionFinish.as_view(), name="label_version_end"),
    path("labels/versions/back/<int:pk>/", VersionBack.as_view(), name="label_version_back"),
]
