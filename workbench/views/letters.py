"""Piles of printed letters: download, address labels, posted, undone, printed again."""

from __future__ import annotations

import logging
from typing import Any

from django.contrib import messages
from django.db.models import Count, QuerySet
from django.http import FileResponse, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import path, reverse
from django.utils.timezone import localtime
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from common.errors import Refused
from mailings import actions
from mailings.actions.batches import can_undo
from mailings.address_labels import print_address_labels
from mailings.models import LetterBatch, Mailing, Message, PostReturn, SendingSettings
from mailings.piles import LETTERS_PER_PDF, addresses_of, count_waiting, places_of
from workbench.base import ActionView, DetailPage, ObjectMixin, WorkbenchView
from workbench.changes import changes_of
from workbench.forms.letters import LabelsForm, ReprintForm

log = logging.getLogger("wise.exports")


def letters_of(mailing: Mailing) -> dict[str, Any]:
    """Return what the page of a mailing shows of its letters."""
    waiting = mailing.messages.filter(channel=Message.Channel.POST, state=Message.State.QUEUED).count()
    envelopes = count_waiting(mailing) if waiting else 0
    batches = list(mailing.letter_batches.all())
    return {
        "waiting": waiting,
        "envelopes": envelopes,
        "waiting_cents": envelopes * SendingSettings.load().letter_cents,
        "batches": batches,
        "cents": sum(batch.cents for batch in batches),
        "returned": PostReturn.objects.filter(message__mailing=mailing).count() if batches else 0,
    }


class _Batches(ObjectMixin[LetterBatch]):
    def get_queryset(self) -> QuerySet[LetterBatch]:
        found = LetterBatch.objects.select_related("mailing__purpose", "created_by")
        return found.annotate(reader_count=Count("printed"))

    @property
    def page_url(self) -> str:
        return reverse("workbench:letter_batch", args=[self.object.pk])

    def name(self, what: str) -> str:
        """Return the name of a file about this pile."""
        return f"{what}-{self.object.mailing_id}-{localtime(self.object.created_at):%Y-%m-%d}.pdf"


class LetterBatchPage(_Batches, DetailPage[LetterBatch]):
    permission = "manage_mailings"
    template_name = "workbench/letters_page.html"

    def get_title(self) -> str:
        words = ngettext("Pile of %(count)d letter", "Pile of %(count)d letters", self.object.letter_count)
        return words % {"count": self.object.letter_count}

    def get_breadcrumb(self) -> list[Any]:
        mailing = self.object.mailing
        return [
            (_("Mailings"), reverse("workbench:mailing_list")),
            (mailing.name, reverse("workbench:mailing_detail", args=[mailing.pk])),
        ]

    def get_context(self, **extra: Any) -> dict[str, Any]:
        count = self.object.letter_count
        return super().get_context(
            returned=PostReturn.objects.filter(message__printed_letter__batch=self.object).count(),
            can_undo=can_undo(self.object, now=self.now),
            reprint_form=ReprintForm(initial={"first": 1, "last": min(count, LETTERS_PER_PDF)}),
            labels_form=LabelsForm(),
            history=changes_of(self.object),
            **extra,
        )


class LetterFile(WorkbenchView):
    permission = "manage_mailings"

    def get(self, request: HttpRequest, pk: int) -> FileResponse:
        batch = get_object_or_404(LetterBatch.objects.exclude(file=""), pk=pk)
        ending = batch.file_type.partition("/")[2]
        name = f"brieven-{batch.mailing_id}-{localtime(batch.created_at):%Y-%m-%d}.{ending}"
        return FileResponse(batch.file.open("rb"), as_attachment=True, filename=name, content_type=batch.file_type)


class LetterPosted(_Batches, ActionView):
    permission = "manage_mailings"
    success_message = _("Noted: these letters have been posted.")

    def perform(self) -> str:
        actions.post_batch(self.object, by=self.user, now=self.now)
        return self.page_url


class LetterUndo(_Batches, ActionView):
    permission = "manage_mailings"

    def perform(self) -> str:
        count = actions.undo_batch(self.object, by=self.user, now=self.now)
        words = ngettext(
            "Undone. The letter of %(count)d reader waits again; throw away what was printed.",
            "Undone. The letters of %(count)d readers wait again; throw away what was printed.",
            count,
        )
        messages.success(self.request, words % {"count": count})
        return reverse("workbench:mailing_detail", args=[self.object.mailing_id])


class LetterReprint(_Batches, ActionView):
    permission = "manage_mailings"

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        form = ReprintForm(request.POST)
        if not form.is_valid():
            raise Refused("range", gettext("Choose from which letter up to and including which one."))
        first, last = form.cleaned_data["first"], form.cleaned_data["last"]
        pdf = actions.reprint(self.object, first=first, last=last, by=self.user, now=self.now)
        log.info("reprint letter_batch=%d user=%d first=%d last=%d", self.object.pk, self.user.pk, first, last)
        return _download(pdf, self.name(f"brieven-{first}-{last}"))


class LetterLabels(_Batches, ActionView):
    permission = "manage_mailings"

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        form = LabelsForm(request.POST)
        if not form.is_valid():
            raise Refused("skip", gettext("Choose how many labels of the first sheet are gone: 0 to 23."))
        found = addresses_of(self.object, places_of(self.object, now=self.now))
        if not found:
            raise Refused("nobody", gettext("None of these people may be written any more."))
        log.info("address labels letter_batch=%d user=%d rows=%d", self.object.pk, self.user.pk, len(found))
        return _download(print_address_labels(found, skip=form.cleaned_data["skip"] or 0), self.name("etiketten"))


def _download(pdf: bytes, name: str) -> HttpResponse:
    response = HttpResponse(pdf, content_type="application/pdf")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


urlpatterns = [
    path("mailings/letters/<int:pk>/", LetterBatchPage.as_view(), name="letter_batch"),
    path("mailings/letters/<int:pk>/file/", LetterFile.as_view(), name="letter_file"),
    path("mailings/letters/<int:pk>/posted/", LetterPosted.as_view(), name="letter_posted"),
    path("mailings/letters/<int:pk>/undo/", LetterUndo.as_view(), name="letter_undo"),
    path("mailings/letters/<int:pk>/reprint/", LetterReprint.as_view(), name="letter_reprint"),
    path("mailings/letters/<int:pk>/address-labels/", LetterLabels.as_view(), name="letter_labels"),
]
