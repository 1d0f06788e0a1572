"""What somebody types is kept while they type, and comes back until it is saved or thrown away."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import NoReverseMatch, path, reverse

from common.errors import Refused
from mailings import actions
from mailings.models import Content
from workbench.base import ActionView
from workbench.views.content.base import FORM, Contents

NOT_KEPT = {"csrfmiddlewaretoken", FORM}


def form_address(content: Content, place: str) -> str:
    """Return the address of the form that a draft belongs to: ``head``, ``block:<id>``, ``add:<type>:<column>``."""
    kind, _colon, rest = place.partition(":")
    if kind == "block":
        return reverse("workbench:block_change", args=[content.pk, rest])
    if kind == "add":
        code, _colon, into = rest.partition(":")
        return reverse("workbench:block_add", args=[content.pk, code]) + (f"?into={into}" if into else "")
    return reverse("workbench:content", args=[content.pk])


class DraftKeep(Contents, ActionView):
    """Answers 409 to what comes too late: the page must not say that it was kept."""

    permission = "manage_mailings"

    def post(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        fields = {name: request.POST.getlist(name) for name in request.POST if name not in NOT_KEPT}
        step = request.GET.get("step", "")
        try:
            actions.keep_draft(
                self.object,
                place=request.GET.get("place", ""),
                fields=fields,
                form=request.POST.get(FORM, ""),
                step=int(step[:9]) if step.isdecimal() else 0,
                by=self.user,
                now=self.now,
            )
        except Refused as refused:
            if refused.code != "draft_over":
                raise
            return HttpResponse(status=409)
        return HttpResponse(status=204)


class DraftDrop(Contents, ActionView):
    """Throw it away, and begin again with what is saved; ``?to=editor`` goes back to the list of blocks instead."""

    permission = "manage_mailings"

    def perform(self) -> str:
        place = self.request.GET.get("place", "")
        form = self.request.GET.get("form", "")
        actions.drop_draft(self.object, place=place, form=form, by=self.user, now=self.now)
        if self.request.GET.get("to") == "editor":
            return self.page_url
        try:
            return form_address(self.object, place)
        except NoReverseMatch:
            return self.page_url

    def go(self, url: str) -> HttpResponse:
        return HttpResponseRedirect(url)  # htmx follows, and gets the form anew


urlpatterns = [
    path("content/<int:pk>/drafts/", DraftKeep.as_view(), name="draft_keep"),
    path("content/<int:pk>/drafts/drop/", DraftDrop.as_view(), name="draft_drop"),
]
