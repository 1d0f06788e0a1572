"""The editor itself: the subject, and the list of blocks beside the mail as it looks."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import ObjectDoesNotExist
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import path
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django_htmx.http import reswap, retarget

from common.blocks import Block, blocks
from mailings import actions
from mailings.content import COLUMNS, audience_key, fingerprint
from mailings.fields import merge_fields
from mailings.models import Content, Draft, SavedBlock
from workbench.base import FormPage, Text
from workbench.forms.content import HeadForm, audience_choices
from workbench.views.content.base import Contents, DraftMixin, again_after_conflict
from workbench.views.content.drafts import form_address


class ContentPage(DraftMixin, Contents, FormPage[HeadForm]):
    permission = "manage_mailings"
    template_name = "workbench/content.html"
    partial_name = "workbench/_content_body.html"
    form_class = HeadForm
    submit_label = _("Save")
    success_message = _("Saved.")
    changed = ""

    @property
    def place(self) -> str:
        return "head"

    def get_title(self) -> Text:
        return gettext("Content of “%(name)s”") % {"name": self.object.name}

    def get_initial(self) -> dict[str, Any]:
        saved = {"subject": self.object.subject, "preheader": self.object.preheader}
        return self.with_draft({**saved, "was": fingerprint(*saved.values())})

    def get_context(self, **extra: Any) -> dict[str, Any]:
        return super().get_context(
            object=self.object,
            items=listed(self.object, typed_by=self.user),
            unsaved=self.unsaved_new(),
            saved_blocks=[(one, block) for one in SavedBlock.objects.all() if (block := blocks.get(one.type))],
            may_redo=self.object.records.filter(version__gt=0, parent=self.object.version).exists(),
            types=block_types(),
            simple_types=[block for block in block_types() if block.is_simple],
            changed=self.changed,
            version=int(self.object.updated_at.timestamp() * 1000),
            merge_fields=list(merge_fields),
            **self.draft_context(),
            **extra,
        )

    def mark_now(self) -> str:
        now = Content.objects.get(pk=self.object.pk)
        return fingerprint(now.subject, now.preheader)

    def unsaved_new(self) -> list[tuple[Draft, Block, str]]:
        """Return the blocks that this person was adding: draft, type, address of its form."""
        drafts = self.object.drafts.filter(user=self.user, place__startswith="add:").order_by("saved_at")
        known = [(draft, blocks.get(draft.place.split(":")[1])) for draft in drafts]
        return [(draft, block, form_address(self.object, draft.place)) for draft, block in known if block]

    def perform(self, form: HeadForm) -> str:
        with again_after_conflict(form, self.mark_now):
            actions.save_content(self.object, name=self.object.name, **form.cleaned_data, by=self.user, now=self.now)
        self.drop_draft()
        return self.page_url


def block_types() -> list[Block]:
    """Return the types of blocks to choose from, those of mailings first."""
    return sorted(blocks, key=lambda block: not block.__class__.__module__.startswith("mailings."))


def listed(content: Content, *, typed_by: User | None = None) -> list[dict[str, Any]]:
    """Return the blocks for the list: id, block type (None when it is not installed), summary, name of the audience,
    whether ``typed_by`` has unsaved work in it, and for columns what stands in each.
    """
    names = {key: name for choice in audience_choices() if choice[0] for key, name in choice[1]}
    places = content.drafts.filter(user=typed_by).values_list("place", flat=True) if typed_by else ()
    return [_row(one, names, set(places)) for one in content.blocks]


def _row(one: dict[str, Any], names: dict[str, Any], places: set[str]) -> dict[str, Any]:
    key = audience_key(one.get("audience"))
    row: dict[str, Any] = {
        "id": one["id"],
        "block": blocks.get(one["type"]),
        "summary": one["type"],
        "audience": names.get(key, key),
        "is_unsaved": f"block:{one['id']}" in places,
    }
    if row["block"]:
        try:
            row["summary"] = row["block"].summary(one["data"])
        except ObjectDoesNotExist:
            row["summary"] = gettext("What this block shows does not exist any more.")
    if one["type"] == COLUMNS:
        row["columns"] = [
            {"into": f"{one['id']}:{number}", "items": [_row(inner, names, places) for inner in column]}
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
