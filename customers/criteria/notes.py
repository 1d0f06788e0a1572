"""Contacts that staff wrote down: a call, a visit, a complaint."""

from __future__ import annotations

import datetime as dt

from django import forms
from django.db.models import Exists, OuterRef, Q
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from pydantic import field_validator

from common.criteria import Criterion
from common.time import local_date
from customers.criteria.keeping import gap_of
from customers.criteria.windows import WindowForm, WindowParams
from customers.models import Customer, Note


class NoteParams(WindowParams):
    """A kind of note, or "" for any, in a window of time."""

    kind: str = ""

    @field_validator("kind")
    @classmethod
    def _known(cls, value: str) -> str:
        if value and value not in Note.Kind:
            raise ValueError(_("The kind “%s” does not exist.") % value)
        return value


class NoteForm(WindowForm):
    kind = forms.ChoiceField(
        label=gettext_lazy("Kind"), required=False, choices=[("", gettext_lazy("any kind")), *Note.Kind.choices]
    )
    field_order = ("kind", *WindowForm.WINDOW)


class HasNote(Criterion):
    """Has a note of a kind in a window of time; when the contact was decides, not when it was written down."""

    code = "customer.note"
    label = gettext_lazy("Note or contact")
    group = gettext_lazy("What they did")
    params = NoteParams
    form = NoteForm

    def to_q(self, params: NoteParams, *, now: dt.datetime) -> Q:
        notes = Note.objects.filter(params.at("happened_at", now=now), customer=OuterRef("pk")).order_by()
        return Q(Exists(notes.filter(kind=params.kind) if params.kind else notes))

    def sentence(self, params: NoteParams) -> str:
        kind = str(Note.Kind(params.kind).label) if params.kind else _("any kind")
        if params.is_ever:
            return _("have a note or contact (%(kind)s)") % {"kind": kind.lower()}
        return _("have a note or contact (%(kind)s) %(when)s") % {"kind": kind.lower(), "when": params.words()}

    def gap(self, params: NoteParams, *, now: dt.datetime, present: dt.datetime) -> str:
        """Return why the answer would be a guess: notes are kept for a time."""
        words = _("Notes and contacts are only kept since %(day)s.")
        return gap_of("notes", words, params, now=now, present=present)

    def seen(self, params: NoteParams, customer: Customer, *, now: dt.datetime) -> str:
        notes = Note.objects.filter(customer=customer, happened_at__lt=now).order_by("-happened_at")
        moments = list((notes.filter(kind=params.kind) if params.kind else notes).values_list("happened_at", flat=True))
        if not moments:
            return _("no note or contact")
        words = ngettext(
            "%(many)d note or contact, last on %(day)s", "%(many)d notes or contacts, last on %(day)s", len(moments)
        )
        return words % {"many": len(moments), "day": date_format(local_date(moments[0]))}
