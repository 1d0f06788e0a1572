"""One block: add, change, remove and move it; inside the editor by htmx, or on a page of its own."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.utils.functional import cached_property
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from common.blocks import Block
from common.errors import Refused
from mailings import actions
from mailings.content import audience_key, block_type, every_block, mark_of
from mailings.fields import merge_fields
from mailings.models import Content
from workbench.base import ActionView, FormPage, Text, wants_partial
from workbench.forms.content import AudienceForm, MarkForm, UploadField
from workbench.views.content.base import Contents, DraftMixin, again_after_conflict, offered_pictures
from workbench.views.content.editor import whole_editor


class _BlockForm(DraftMixin, Contents, FormPage[forms.Form]):
    """A block's own form with the audience beside it; htmx shows it inside the editor, a link on a page of its own."""

    abstract = True
    deed: Text = ""
    permission = "manage_mailings"
    template_name = "workbench/content_block.html"
    partial_name = "workbench/_content_form.html"

    @cached_property
    def block(self) -> Block:
        raise NotImplementedError

    def get_title(self) -> Text:
        return f"{self.block.label}: {self.deed}"

    def get_breadcrumb(self) -> list[Any]:
        return [*super().get_breadcrumb(), (gettext("Content"), self.page_url)]

    def get_cancel_url(self) -> str:
        return self.page_url

    @property
    def is_in_column(self) -> bool:
        """Whether the block stands in a column, where it is for some of those who see the columns."""
        raise NotImplementedError

    @property
    def pictures(self) -> list[str]:
        """The fields of the form that ask for a picture."""
        return [name for name, field in self.block.form.base_fields.items() if hasattr(field, "is_picture")]

    def make_form(self) -> forms.Form:
        parts: tuple[type[forms.Form], ...] = (MarkForm, AudienceForm, self.block.form)
        uploads = {_upload(name): UploadField() for name in self.pictures}
        self.form_class = type("BlockForm", parts, {**uploads, **dict.fromkeys(self.block.kept)})
        form = super().make_form()
        if self.is_in_column:
            form.fields["audience"].help_text = gettext("Out of those who see the columns.")
        order = [[name, _upload(name)] if name in self.pictures else [name] for name in self.block.form.base_fields]
        form.order_fields([name for names in order for name in names])
        return form

    def get_context(self, **extra: Any) -> dict[str, Any]:
        context = super().get_context(
            block_type=self.block, merge_fields=list(merge_fields), **self.draft_context(), **extra
        )
        if self.pictures:
            form = context["form"]
            for name in self.pictures:
                chosen = str(form[name].value() or "")
                form.fields[name].shown = offered_pictures(chosen)
                form.fields[name].is_empty = not chosen
        return context

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        posted = request.POST.copy()
        for name in self.pictures:
            if file := request.FILES.get(_upload(name)):
                alt = request.POST.get(name.replace("picture", "alt"), "")
                try:
                    picture = actions.add_picture(file=file, alt=alt, by=self.user, now=self.now)
                except Refused as refused:
                    form = self.make_form()
                    form.add_error(_upload(name), str(refused))
                    return self.render(status=422, form=form)
                posted[name] = str(picture.pk)
        request.POST = posted  # type: ignore[assignment]
        return super().post(request, *args, **kwargs)

    def data_of(self, form: forms.Form) -> dict[str, Any]:
        own = {name: form.cleaned_data.get(name) for name in self.block.form.base_fields}
        return self.block.to_data({name: value for name, value in own.items() if name not in self.block.kept})

    def go(self, url: str) -> HttpResponse:
        if not wants_partial(self.request) or not self.is_inside_editor:
            return super().go(url)
        return whole_editor(self.request, self.object, url.partition("#block-")[2])

    @property
    def is_inside_editor(self) -> bool:
        """Whether htmx shows this form inside the editor; on a page of its own there is no list to answer with."""
        where = self.request.htmx.current_url_abs_path  # type: ignore[attr-defined]
        return where is None or where.partition("?")[0] == self.page_url


def _upload(picture: str) -> str:
    """Return the name of the file field beside a picture field: ``upload_2`` for ``picture_2``."""
    return picture.replace("picture", "upload")


class BlockAdd(_BlockForm):
    """``?into=<id of columns>:0`` puts the block into that column."""

    permission = "manage_mailings"
    submit_label = _("Add")
    deed = _("add a block")

    @property
    def is_in_column(self) -> bool:
        return bool(self.request.GET.get("into"))

    @property
    def place(self) -> str:
        return f"add:{self.block.code}:{self.request.GET.get('into', '')}"

    def get_initial(self) -> dict[str, Any]:
        return self.with_draft({})

    @cached_property
    def block(self) -> Block:
        return block_type(self.kwargs["code"])

    def perform(self, form: forms.Form) -> str:
        block_id = actions.add_block(
            self.object,
            block=self.block.code,
            data=self.data_of(form),
            audience=form.cleaned_data.get("audience"),
            into=self.request.GET.get("into", ""),
            by=self.user,
            now=self.now,
        )
        self.drop_draft(self.now)
        return f"{self.page_url}#block-{block_id}"


class BlockChange(_BlockForm):
    permission = "manage_mailings"
    submit_label = _("Save")
    deed = _("change the block")

    @cached_property
    def stored(self) -> dict[str, Any]:
        for one in every_block(self.object.blocks):
            if one["id"] == self.kwargs["block_id"]:
                return dict(one)
        raise Refused("block_gone", gettext("This block is not there any more. Load the page again."))

    @cached_property
    def block(self) -> Block:
        return block_type(self.stored["type"])

    @property
    def is_in_column(self) -> bool:
        return all(one["id"] != self.stored["id"] for one in self.object.blocks)

    def get_initial(self) -> dict[str, Any]:
        audience = audience_key(self.stored.get("audience"))
        return self.with_draft({**self.stored["data"], "audience": audience, "was": mark_of(self.stored)})

    @property
    def place(self) -> str:
        return f"block:{self.kwargs['block_id']}"

    def mark_now(self) -> str:
        now = Content.objects.get(pk=self.object.pk)
        return next((mark_of(one) for one in every_block(now.blocks) if one["id"] == self.kwargs["block_id"]), "")

    def perform(self, form: forms.Form) -> str:
        block_id = self.kwargs["block_id"]
        with again_after_conflict(form, self.mark_now):
            actions.change_block(
                self.object,
                block_id,
                data=self.data_of(form),
                audience=form.cleaned_data.get("audience"),
                was=form.cleaned_data["was"],
                by=self.user,
                now=self.now,
            )
        self.drop_draft(self.now)
        return f"{self.page_url}#block-{block_id}"


class BlockRemove(Contents, ActionView):
    permission = "manage_mailings"
    success_message = _("The block has been removed.")

    def perform(self) -> str:
        actions.remove_block(self.object, self.kwargs["block_id"], by=self.user, now=self.now)
        return self.page_url

    def go(self, url: str) -> HttpResponse:
        return whole_editor(self.request, self.object) if wants_partial(self.request) else super().go(url)


class BlockMove(Contents, ActionView):
    """``?into=<id of columns>:0`` moves the block into that column, without it comes out of its own."""

    permission = "manage_mailings"

    def perform(self) -> str:
        block_id = self.kwargs["block_id"]
        actions.put_block(self.object, block_id, into=self.request.GET.get("into", ""), by=self.user, now=self.now)
        return f"{self.page_url}#block-{block_id}"

    def go(self, url: str) -> HttpResponse:
        if not wants_partial(self.request):
            return super().go(url)
        return whole_editor(self.request, self.object, url.partition("#block-")[2])


class BlockOrder(Contents, ActionView):
    permission = "manage_mailings"

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        order, into = request.POST.getlist("order"), request.GET.get("into", "")
        actions.order_blocks(self.object, order, into=into, by=self.user, now=self.now)
        return HttpResponse(status=204)


urlpatterns = [
    path("content/<int:pk>/blocks/add/<slug:code>/", BlockAdd.as_view(), name="block_add"),
    path("content/<int:pk>/blocks/order/", BlockOrder.as_view(), name="block_order"),
    path("content/<int:pk>/blocks/<slug:block_id>/", BlockChange.as_view(), name="block_change"),
    path("content/<int:pk>/blocks/<slug:block_id>/move/", BlockMove.as_view(), name="block_move"),
    path("content/<int:pk>/blocks/<slug:block_id>/remove/", BlockRemove.as_view(), name="block_remove"),
]
