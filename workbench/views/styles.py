"""The house style of mails and letters: the organisation's, and that of branches with their own."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import path, reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.clickjacking import xframe_options_sameorigin

from common.errors import Refused
from customers.models import Branch, Purpose
from mailings import actions
from mailings.models import Content, HouseStyle
from mailings.previewing import preview_content
from mailings.styles import NETWORKS
from workbench.base import ActionView, FormPage, ObjectMixin, TemplatePage, Text, WorkbenchView
from workbench.changes import changes_of
from workbench.forms.styles import BranchStyleForm, StyleForm
from workbench.views.content.base import offered_pictures
from workbench.views.content.previews import FRAME_POLICY


class StyleList(TemplatePage):
    permission = "manage_users"
    template_name = "workbench/styles.html"
    page_title = _("House style")

    def get_context(self, **extra: Any) -> dict[str, Any]:
        styles = {style.branch_id: style for style in HouseStyle.objects.select_related("logo")}
        branches = [(branch, styles.get(branch.pk)) for branch in Branch.objects.all()]
        return super().get_context(house=styles.get(None), branches=branches, **extra)


class _StyleForm(FormPage[Any]):
    abstract = True
    template_name = "workbench/styles_page.html"
    submit_label = _("Save")
    success_message = _("Saved. It holds for mailings that start from now on.")

    @cached_property
    def branch(self) -> Branch | None:
        return None

    @cached_property
    def style(self) -> HouseStyle | None:
        return HouseStyle.objects.filter(branch=self.branch).select_related("logo").first()

    def get_breadcrumb(self) -> list[Any]:
        return [(_("House style"), reverse("workbench:style_list"))]

    def get_initial(self) -> dict[str, Any]:
        style = self.style
        if style is None:
            return {}
        names = ("accent", "font", "sender_name", "sender_email")
        filled = {name: value for name in names if (value := getattr(style, name))}
        social = {f"social_{code}": style.social.get(code, "") for code in NETWORKS}
        return {**filled, "picture": style.logo_id, **social}

    def get_context(self, **extra: Any) -> dict[str, Any]:
        context = super().get_context(
            branch=self.branch, style=self.style, history=changes_of(self.style) if self.style else [], **extra
        )
        form = context["form"]
        chosen = str(form["picture"].value() or "")
        form.fields["picture"].shown = offered_pictures(chosen)
        form.fields["picture"].is_empty = not chosen
        return context

    def perform(self, form: StyleForm) -> str:
        fields = form.chosen()
        if file := form.cleaned_data["upload"]:
            try:
                fields["logo"] = actions.add_picture(
                    file=file, alt=str(self.branch or gettext("Logo")), by=self.user, now=self.now
                )
            except Refused as refused:
                raise Refused(refused.code, refused.message, field="upload") from refused
        actions.save_style(self.branch, **fields, by=self.user)
        return self.request.path


class HouseStylePage(_StyleForm):
    permission = "manage_users"
    form_class = StyleForm
    page_title = _("House style of the organisation")


class _Branches(ObjectMixin[Branch]):
    def get_queryset(self) -> QuerySet[Branch]:
        return Branch.objects.all()


class BranchStylePage(_Branches, _StyleForm):
    permission = "manage_users"
    form_class = BranchStyleForm

    @cached_property
    def branch(self) -> Branch | None:
        return self.object

    def get_title(self) -> Text:
        return gettext("House style of %(branch)s") % {"branch": self.object}


class BranchStyleRemove(_Branches, ActionView):
    permission = "manage_users"
    success_message = _("This branch has the style of the organisation again.")

    def perform(self) -> str:
        actions.remove_style(self.object, by=self.user)
        return reverse("workbench:style_list")


class StyleFrame(WorkbenchView):
    """A made-up mail in the style; ``?branch=<id>`` in that of a branch."""

    permission = "manage_users"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        branch = get_object_or_404(Branch, pk=self.kwargs["pk"]) if "pk" in self.kwargs else None
        content = Content(name="", subject=gettext("An example"), blocks=_example())
        purpose = Purpose.objects.get(code="marketing")
        response = HttpResponse(preview_content(content, purpose=purpose, branch=branch, now=self.now).html)
        response["Content-Security-Policy"] = FRAME_POLICY
        response["Cache-Control"] = "no-store"
        return response


def _example() -> list[dict[str, Any]]:
    """Return blocks that show each part of a style."""
    text = gettext("This is how a text looks, with <a>a link</a> in it.").replace(
        "<a>", '<a href="https://example.org">'
    )
    parts: list[tuple[str, dict[str, Any]]] = [
        ("heading", {"text": gettext("A heading")}),
        ("text", {"text": f"<p>{text}</p>"}),
        ("button", {"text": gettext("A button"), "url": "https://example.org"}),
        ("social", {"title": gettext("Follow us:")}),
    ]
    return [{"id": code, "type": code, "data": data, "audience": None} for code, data in parts]


urlpatterns = [
    path("house-styles/", StyleList.as_view(), name="style_list"),
    path("house-styles/organisation/", HouseStylePage.as_view(), name="style_house"),
    path("house-styles/organisation/frame/", xframe_options_sameorigin(StyleFrame.as_view()), name="style_frame"),
    path("house-styles/branches/<int:pk>/", BranchStylePage.as_view(), name="style_branch"),
    path("house-styles/branches/<int:pk>/frame/", xframe_options_sameorigin(StyleFrame.as_view()),
         name="style_branch_frame"),
    path("house-styles/branches/<int:pk>/remove/", BranchStyleRemove.as_view(), name="style_remove"),
]  # fmt: skip
