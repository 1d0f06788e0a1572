"""The editor itself: the subject, and the list of blocks beside the mail as it looks."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import ObjectDoesNotExist
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import path
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django_htmx.http import reswap, retarget

from common.blocks import Block, blocks
from mailings import actions
from mailings.actions.versions import is_sent_version
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

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Show what was sent instead of the text of a version of a test that has started: that stays as it is."""
        if is_sent_version(self.object):
            messages.info(request, gettext("This version was sent and stays as it was. Copy it to go on with it."))
            return redirect("workbench:arm_preview", self.object.arm.pk)
        return super().get(request, *args, **kwargs)

    def get_title(self) -> Text:
        return gettext("Content of “%(name)s”") % {"name": self.object.name}

    def get_initial(self) -> dict[str, Any]:
        saved = {"subject": self.object.subject, "preheader": self.object.preheader}
        return self.with_draft({**saved, "was": fingerprint(*saved.values())})

    def get_context(self, **extra: Any) -> dict[str, Any]:
        items = listed(self.object, typed_by=self.user)
        return super().get_context(
            object=self.object,
            items=items,
            homes=homes_in(items),
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
        mine = Draft.objects.written().filter(content=self.object, user=self.user)
        drafts = mine.filter(place__startswith="add:").order_by("saved_at")
        known = [(draft, blocks.get(draft.place.split(":")[1])) for draft in drafts]
        return [(draft, block, form_address(self.object, draft.place)) for draft, block in known if block]

    def perform(self, form: HeadForm) -> str:
        with again_after_conflict(form, self.mark_now):
            fields = {name: form.cleaned_data[name] for name in ("subject", "preheader", "was")}
            actions.save_content(self.object, name=self.object.name, **fields, by=self.user, now=self.now)
        self.drop_draft(self.now)
        return self.page_url


def block_types() -> list[Block]:
    """Return the types of blocks to choose from, those of mailings first."""
    return sorted(blocks, key=lambda block: not block.__class__.__module__.startswith("mailings."))


def listed(content: Content, *, typed_by: User | None = None) -> list[dict[str, Any]]:
    """Return the blocks for the list: id, block type (None when it is not installed), summary, name of the audience,
    whether ``typed_by`` has unsaved work in it, in which column it stands, and for columns what stands in each.
    """
    names = {key: name for choice in audience_choices() if choice[0] for key, name in choice[1]}
    drafts = Draft.objects.written().filter(content=content, user=typed_by) if typed_by else Draft.objects.none()
    places = set(drafts.values_list("place", flat=True))
    return [_row(one, names, places) for one in content.blocks]


def homes_in(items: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """Return the columns in the list as (place, name); where there are more rows of columns, the name says which."""
    found = [item["columns"] for item in items if "columns" in item]
    return [
        (
            column["into"],
            gettext("Column %(column)d") % {"column": number}
            if len(found) == 1
            else gettext("Column %(column)d of row %(row)d") % {"column": number, "row": row},
        )
        for row, columns in enumerate(found, start=1)
        for number, column in enumerate(columns, start=1)
    ]


def _row(one: dict[str, Any], names: dict[str, Any], places: set[str], home: str = "") -> dict[str, Any]:
    key = audience_key(one.get("audience"))
    row: dict[str, Any] = {
        "id": one["id"],
        "block": blocks.get(one["type"]),
        "summary": one["type"],
        "audience": names.get(key, key),
        "is_unsaved": f"block:{one['id']}" in places,
        "home": home,
    }
    if row["block"]:
        try:
            row["summary"] = row["block"].summary(one["data"])
        except ObjectDoesNotExist:
            row["summary"] = gettext("What this block shows does not exist any more.")
    if one["type"] == COLUMNS:
        row["columns"] = [
            {"into": into, "items": [_row(inner, names, places, into) for inner in column]}
            for number, column in enumerate(one["data"]["columns"])
            if (into := f"{one['id']}:{number}")
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
