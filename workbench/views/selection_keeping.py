"""Where a selection lies and whose it is: folders, owners, the archive, and what colleagues remark."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db.models import Count, Q, QuerySet
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from common.errors import Refused
from selections.actions import (
    archive_selection,
    delete_comment,
    delete_folder,
    hand_over,
    move_selection,
    save_folder,
    unarchive_selection,
    write_comment,
)
from selections.models import Comment, Folder
from workbench.base import ActionView, FormPage, ObjectMixin
from workbench.forms.selection_pages import CommentForm, FolderForm, MoveForm, OwnerForm
from workbench.views.selection_builder import SelectionMixin, crumbs, page_of


class SelectionMove(SelectionMixin, ActionView):
    permission = "manage_selections"

    def perform(self) -> str:
        form = MoveForm(self.request.POST)
        if not form.is_valid():
            raise Refused("folder", _("This folder is not there any more."))
        folder = form.cleaned_data["folder"]
        move_selection(self.object, folder=folder, by=self.user, now=self.now)
        words = _("The selection now lies in “%s”.") % folder if folder else _("The selection now lies in no folder.")
        messages.success(self.request, words)
        return page_of(self.object)


class SelectionHandOver(SelectionMixin, ActionView):
    permission = "manage_selections"

    def perform(self) -> str:
        form = OwnerForm(self.request.POST)
        if not form.is_valid():
            raise Refused("owner", _("Choose the colleague who gets the selection."))
        owner = form.cleaned_data["owner"]
        hand_over(self.object, to=owner, by=self.user, now=self.now)
        messages.success(self.request, _("The selection is now of %s.") % (owner.get_full_name() or owner))
        return page_of(self.object)


class SelectionArchive(SelectionMixin, ActionView):
    permission = "manage_selections"
    success_message = gettext_lazy("The selection has been archived. Find it in the list with “Archived”.")

    def perform(self) -> str:
        archive_selection(self.object, by=self.user, now=self.now)
        return reverse("workbench:selection_list")


class SelectionUnarchive(SelectionMixin, ActionView):
    permission = "manage_selections"
    success_message = gettext_lazy("The selection stands in the list again.")

    def perform(self) -> str:
        unarchive_selection(self.object, by=self.user)
        return page_of(self.object)


class CommentWrite(SelectionMixin, ActionView):
    permission = "manage_selections"
    success_message = gettext_lazy("Your comment has been added.")

    def perform(self) -> str:
        form = CommentForm(self.request.POST)
        if not form.is_valid():
            raise Refused("text_missing", _("Write something first."))
        write_comment(self.object, text=form.cleaned_data["text"], by=self.user, now=self.now)
        return f"{page_of(self.object)}#comments"


class CommentDelete(ObjectMixin[Comment], ActionView):
    permission = "manage_selections"
    success_message = gettext_lazy("Your comment has been deleted.")

    def get_queryset(self) -> QuerySet[Comment]:
        return Comment.objects.select_related("selection")

    def perform(self) -> str:
        delete_comment(self.object, by=self.user)
        return f"{page_of(self.object.selection)}#comments"


class FolderMixin(ObjectMixin[Folder]):
    def get_queryset(self) -> QuerySet[Folder]:
        return Folder.objects.all()


class FolderList(FormPage[FolderForm]):
    """All folders, with a form for one more."""

    permission = "manage_selections"
    page_title = gettext_lazy("Folders")
    template_name = "workbench/selections_folders.html"
    form_class = FolderForm
    submit_label = gettext_lazy("Add folder")
    success_message = gettext_lazy("The folder has been added.")

    def get_breadcrumb(self) -> list[Any]:
        return crumbs()

    def get_context(self, **extra: Any) -> dict[str, Any]:
        living = Count("selections", filter=Q(selections__archived_at=None))
        return super().get_context(folders=Folder.objects.annotate(many=living), **extra)

    def perform(self, form: FolderForm) -> str:
        save_folder(None, name=form.cleaned_data["name"], now=self.now)
        return reverse("workbench:selection_folders")


class FolderChange(FolderMixin, FormPage[FolderForm]):
    permission = "manage_selections"
    form_class = FolderForm
    submit_label = gettext_lazy("Save")
    success_message = gettext_lazy("The folder has another name.")

    def get_title(self) -> str:
        return _("Rename “%s”") % self.object

    def get_breadcrumb(self) -> list[Any]:
        return crumbs((_("Folders"), reverse("workbench:selection_folders")))

    def get_initial(self) -> dict[str, Any]:
        return {"name": self.object.name}

    def perform(self, form: FolderForm) -> str:
        save_folder(self.object, name=form.cleaned_data["name"], now=self.now)
        return reverse("workbench:selection_folders")


class FolderDelete(FolderMixin, ActionView):
    permission = "manage_selections"

    def perform(self) -> str:
        count = delete_folder(self.object)
        words = ngettext(
            "The folder is gone; %d selection now lies in no folder.",
            "The folder is gone; %d selections now lie in no folder.",
            count,
        )
        messages.success(self.request, words % count)
        return reverse("workbench:selection_folders")


urlpatterns = [
    path("selections/<int:pk>/move/", SelectionMove.as_view(), name="selection_move"),
    path("selections/<int:pk>/owner/", SelectionHandOver.as_view(), name="selection_owner"),
    path("selections/<int:pk>/archive/", SelectionArchive.as_view(), name="selection_archive"),
    path("selections/<int:pk>/unarchive/", SelectionUnarchive.as_view(), name="selection_unarchive"),
    path("selections/<int:pk>/comments/", CommentWrite.as_view(), name="selection_comment"),
    path("selections/comments/<int:pk>/delete/", CommentDelete.as_view(), name="selection_comment_delete"),
    path("selections/folders/", FolderList.as_view(), name="selection_folders"),
    path("selections/folders/<int:pk>/", FolderChange.as_view(), name="selection_folder"),
    path("selections/folders/<int:pk>/delete/", FolderDelete.as_view(), name="selection_folder_delete"),
]
