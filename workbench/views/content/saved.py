"""Saved blocks: keep one under a name, put copies into other messages, rename and remove them."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import path, reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from mailings import actions
from mailings.models import SavedBlock
from workbench.base import ActionView, FormPage, ListPage, ObjectMixin, wants_partial
from workbench.changes import changes_of
from workbench.forms.content import SavedForm
from workbench.tables.content import SavedTable
from workbench.views.content.base import Contents
from workbench.views.content.editor import whole_editor


class SavedList(ListPage):
    permission = "manage_mailings"
    table_class = SavedTable
    page_title = _("Saved blocks")
    lead = _("Blocks to use again. Each use is a copy: changing it there changes nothing here.")
    empty_title = _("No blocks were saved yet")
    empty_text = _("Choose “Save for later” at a block of a message.")

    def get_queryset(self) -> QuerySet[SavedBlock]:
        return SavedBlock.objects.select_related("created_by")


class _Saved(ObjectMixin[SavedBlock]):
    def get_queryset(self) -> QuerySet[SavedBlock]:
        return SavedBlock.objects.all()


class SavedPage(_Saved, FormPage[SavedForm]):
    permission = "manage_mailings"
    template_name = "workbench/content_saved.html"
    form_class = SavedForm
    submit_label = _("Save")
    success_message = _("Saved.")

    def get_title(self) -> str:
        return str(self.object)

    def get_breadcrumb(self) -> list[Any]:
        return [(_("Saved blocks"), reverse("workbench:saved_list"))]

    def get_initial(self) -> dict[str, Any]:
        return {"name": self.object.name}

    def get_context(self, **extra: Any) -> dict[str, Any]:
        return super().get_context(object=self.object, history=changes_of(self.object), **extra)

    def perform(self, form: SavedForm) -> str:
        actions.rename_saved_block(self.object, name=form.cleaned_data["name"], by=self.user)
        return reverse("workbench:saved_list")


class SavedRemove(_Saved, ActionView):
    permission = "manage_mailings"
    success_message = _("The saved block has been removed. Messages it was used in keep their copy.")

    def perform(self) -> str:
        actions.remove_saved_block(self.object, by=self.user)
        return reverse("workbench:saved_list")


class BlockKeep(Contents, FormPage[SavedForm]):
    permission = "manage_mailings"
    form_class = SavedForm
    page_title = _("Save the block for later")
    submit_label = _("Save")
    success_message = _("Saved. You find it under “Add a block”.")

    def get_breadcrumb(self) -> list[Any]:
        return [*super().get_breadcrumb(), (gettext("Content"), self.page_url)]

    def perform(self, form: SavedForm) -> str:
        block_id = self.kwargs["block_id"]
        actions.keep_block(self.object, block_id, name=form.cleaned_data["name"], by=self.user, now=self.now)
        return f"{self.page_url}#block-{block_id}"


class SavedUse(Contents, ActionView):
    """``?into=<id of columns>:0`` puts the copy into that column."""

    permission = "manage_mailings"

    def perform(self) -> str:
        saved = get_object_or_404(SavedBlock, pk=self.kwargs["saved"])
        into = self.request.GET.get("into", "")
        block_id = actions.use_saved_block(self.object, saved, into=into, by=self.user, now=self.now)
        return f"{self.page_url}#block-{block_id}"

    def go(self, url: str) -> HttpResponse:
        if not wants_partial(self.request):
            return super().go(url)
        return whole_editor(self.request, self.object, url.partition("#block-")[2])


urlpatterns = [
    path("saved-blocks/", SavedList.as_view(), name="saved_list"),
    path("saved-blocks/<int:pk>/", SavedPage.as_view(), name="saved_detail"),
    path("saved-blocks/<int:pk>/remove/", SavedRemove.as_view(), name="saved_remove"),
    path("content/<int:pk>/blocks/<slug:block_id>/keep/", BlockKeep.as_view(), name="block_keep"),
    path("content/<int:pk>/saved/<int:saved>/use/", SavedUse.as_view(), name="saved_use"),
]
