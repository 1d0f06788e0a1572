"""The editor itself: the subject, and the list of blocks beside the mail as it looks."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ObjectDoesNotExist
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import path
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django_htmx.http import reswap, retarget

from common.blocks import Block, blocks
from mailings import actions
from mailings.content import COLUMNS, audience_key
from mailings.fields import merge_fields
from mailings.models import Content
from workbench.base import FormPage, Text
from workbench.forms.content import HeadForm, audience_choices
from workbench.views.content.base import Contents


class ContentPage(Contents, FormPage[HeadForm]):
    permission = "manage_mailings"
    template_name = "workbench/content.html"
    partial_name = "workbench/_content_body.html"
    form_class = HeadForm
    submit_label = _("Save")
    success_message = _("Saved.")
    changed = ""

    def get_title(self) -> Text:
        return gettext("Content of “%(name)s”") % {"name": self.object.name}

    def get_initial(self) -> dict[str, Any]:
        return {"subject": self.object.subject, "preheader": self.object.preheader}

    def get_context(self, **extra: Any) -> dict[str, Any]:
        return super().get_context(
            object=self.object,
            items=listed(self.object),
            types=block_types(),
            simple_types=[block for block in block_types() if block.is_simple],
            changed=self.changed,
            version=int(self.object.updated_at.timestamp() * 1000),
            merge_fields=list(merge_fields),
            **extra,
        )

    def perform(self, form: HeadForm) -> str:
        actions.save_content(self.object, name=self.object.name, **form.cleaned_data, by=self.user, now=self.now)
        return self.page_url


def block_types() -> list[Block]:
    """Return the types of blocks to choose from, those of mailings first."""
    return sorted(blocks, key=lambda block: not block.__class__.__module__.startswith("mailings."))


def listed(content: Content) -> list[dict[str, Any]]:
    """Return the blocks for the list: id, block type (None when it is not installed), summary, name of the audience,
    and for columns what stands in each.
    """
    names = {key: name for choice in audience_choices() if choice[0] for key, name in choice[1]}
    return [_row(one, names) for one in content.blocks]


def _row(one: dict[str, Any], names: dict[str, Any]) -> dict[str, Any]:
    key = audience_key(one.get("audience"))
    row: dict[str, Any] = {
        "id": one["id"],
        "block": blocks.get(one["type"]),
        "summary": one["type"],
        "audience": names.get(key, key),
    }
    if row["block"]:
        try:
            row["summary"] = row["block"].summary(one["data"])
        except ObjectDoesNotExist:
            row["summary"] = gettext("What this block shows does not exist any more.")
    if one["type"] == COLUMNS:
        row["columns"] = [
            {"into": f"{one['id']}:{number}", "items": [_row(inner, names) for inner in column]}
            for number, column in enumerate(one["data"]["columns"])
        ]
    return row


def whole_editor(request: HttpRequest, content: Content, changed: str = "") -> HttpResponse:
    """Answer htmx with the list and the preview as they are now; ``changed`` is the block to put the focus on."""
    page = ContentPage()
    page.setup(request, pk=content.pk)
    page.changed = changed
    context = page.get_context(form=HeadForm(initial=page.get_initial()))
    response = TemplateResponse(request, ContentPage.partial_name, context)
    return reswap(retarget(response, "#content-body"), "outerHTML")


urlpatterns = [path("content/<int:pk>/", ContentPage.as_view(), name="content")]
