"""Notes and contacts of one customer: reading, writing, correcting with the texts before, removing."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.urls import path, reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common.errors import Refused
from customers.actions.notes import correct_note, may_correct, remove_note, write_note
from customers.models import Customer, Note
from customers.timeline.notes import ICONS
from workbench.base import ActionView, FormPage, ObjectMixin
from workbench.changes import user_names
from workbench.forms.notes import NoteCorrectForm, NoteForm
from workbench.views.customers_base import CustomerMixin, CustomerPage, head, page_of

SHOWN = 200
EARLIER_SHOWN = 20


def notes_of(customer: Customer, user: Any) -> list[dict[str, Any]]:
    """Return the latest notes with their icon, and whether this user may correct them."""
    notes = Note.objects.filter(customer=customer).select_related("source")[:SHOWN]
    may_all = user.has_perm("common.manage_users")
    return [
        {
            "note": note,
            "icon": ICONS[note.kind],
            "is_corrected": note.updated_at > note.created_at,
            "may_correct": may_all or note.user_id == user.pk,
        }
        for note in notes
    ]


class CustomerNotes(CustomerPage):
    permission = "view_customers"
    template_name = "workbench/notes.html"
    part = "notes"

    def get_context(self, **extra: Any) -> dict[str, Any]:
        return super().get_context(form=NoteForm(), notes=notes_of(self.object, self.user), **extra)


class NoteWrite(CustomerMixin, FormPage[NoteForm]):
    """What is not in order comes back in the same page."""

    permission = "change_customers"
    template_name = "workbench/notes.html"
    form_class = NoteForm
    http_method_names = ["post"]
    success_message = gettext_lazy("The note has been saved.")

    def get_title(self) -> str:
        return str(self.object)

    def get_context(self, **extra: Any) -> dict[str, Any]:
        shown = head(self.object, "notes", self.now) | {"notes": notes_of(self.object, self.user)}
        return super().get_context(object=self.object, **shown, **extra)

    def perform(self, form: NoteForm) -> str:
        write_note(self.object, by=self.user, now=self.now, **form.cleaned_data)
        return page_of(self.object, "notes")


class NoteMixin(ObjectMixin[Note]):
    """One note of the customer in the address."""

    kwargs: dict[str, Any]

    def get_queryset(self) -> QuerySet[Note]:
        return Note.objects.filter(customer__merged_into__isnull=True).select_related("customer")

    @cached_property
    def object(self) -> Note:
        return get_object_or_404(self.get_queryset(), pk=self.kwargs["note"], customer=self.kwargs["pk"])


class NoteCorrect(NoteMixin, FormPage[NoteCorrectForm]):
    permission = "change_customers"
    template_name = "workbench/notes_form.html"
    form_class = NoteCorrectForm
    page_title = gettext_lazy("Correct note")
    submit_label = gettext_lazy("Save changes")
    success_message = gettext_lazy("The note has been corrected.")

    def get(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        if not may_correct(self.object, self.user):
            raise Refused("not_yours", _("Only %s or an administrator can change this note.") % self.object.author)
        return super().get(request, *args, **kwargs)

    def get_breadcrumb(self) -> list[Any]:
        customer = self.object.customer
        return [
            (_("Customers"), reverse("workbench:customer_list")),
            (str(customer), page_of(customer)),
            (_("Notes"), page_of(customer, "notes")),
        ]

    def get_initial(self) -> dict[str, Any]:
        note = self.object
        return {"kind": note.kind, "text": note.text, "happened_at": note.happened_at}

    def get_context(self, **extra: Any) -> dict[str, Any]:
        return super().get_context(object=self.object, earlier=self._earlier(), **extra)

    def _earlier(self) -> list[dict[str, Any]]:
        """Return what stood there before, latest first, and who wrote that."""
        events = list(self.object.events.select_related("pgh_context").order_by("-pgh_id")[1 : EARLIER_SHOWN + 1])  # type: ignore[attr-defined]
        users = [event.pgh_context.metadata.get("user") if event.pgh_context else None for event in events]
        names = user_names(users)
        return [{"event": event, "who": names.get(user or 0, "")} for event, user in zip(events, users, strict=True)]

    def perform(self, form: NoteCorrectForm) -> str:
        correct_note(self.object, by=self.user, now=self.now, **form.cleaned_data)
        return page_of(self.object.customer, "notes")


class NoteRemove(NoteMixin, ActionView):
    permission = "change_customers"
    success_message = gettext_lazy("The note has been removed.")

    def perform(self) -> str:
        customer = self.object.customer
        remove_note(self.object, by=self.user, now=self.now)
        return page_of(customer, "notes")


urlpatterns = [
    path("customers/<int:pk>/notes/", CustomerNotes.as_view(), name="customer_notes"),
    path("customers/<int:pk>/notes/write/", NoteWrite.as_view(), name="note_write"),
    path("customers/<int:pk>/notes/<int:note>/", NoteCorrect.as_view(), name="note_correct"),
    path("customers/<int:pk>/notes/<int:note>/remove/", NoteRemove.as_view(), name="note_remove"),
]
