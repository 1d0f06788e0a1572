"""Contacts that staff wrote down: a call, a visit, a complaint."""

from __future__ import annotations

import datetime as dt

from django import forms
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from pydantic import Field, field_validator

from common.criteria import Criterion, Params
from common.time import local_date, start_of_day
from customers.models import Note


class NoteParams(Params):
    """A kind of note, or "" for any; ``within_days`` counts back from today, which counts too; empty means ever."""

    kind: str = ""
    within_days: int | None = Field(default=None, ge=0, le=36500)

    @field_validator("kind")
    @classmethod
    def _known(cls, value: str) -> str:
        if value and value not in Note.Kind:
            raise ValueError(_("The kind “%s” does not exist.") % value)
        return value


class NoteForm(forms.Form):
    kind = forms.ChoiceField(
        label=gettext_lazy("Kind"), required=False, choices=[("", gettext_lazy("any kind")), *Note.Kind.choices]
    )
    within_days = forms.IntegerField(
        label=gettext_lazy("In the past … days (empty: ever)"), required=False, min_value=0, max_value=36500
    )


class HasNote(Criterion):
    """Has a note of a kind from the past so many days; when the contact was decides, not when it was written down."""

    code = "customer.note"
    label = gettext_lazy("Note or contact")
    group = gettext_lazy("What they did")
    params = NoteParams
    form = NoteForm

    def to_q(self, params: NoteParams, *, now: dt.datetime) -> Q:
        notes = Note.objects.filter(customer=OuterRef("pk"), happened_at__lte=now).order_by()
        if params.kind:
            notes = notes.filter(kind=params.kind)
        if params.within_days is not None:
            since = start_of_day(local_date(now) - dt.timedelta(days=params.within_days))
            notes = notes.filter(happened_at__gte=since)
        return Q(Exists(notes))

    def sentence(self, params: NoteParams) -> str:
        kind = str(Note.Kind(params.kind).label) if params.kind else _("any kind")
        if params.within_days is None:
            return _("have a note or contact (%(kind)s)") % {"kind": kind.lower()}
        if params.within_days == 0:
            return _("have a note or contact (%(kind)s) %(when)s") % {"kind": kind.lower(), "when": _("today")}
        when = ngettext("in the past %d day", "in the past %d days", params.within_days) % params.within_days
        return _("have a note or contact (%(kind)s) %(when)s") % {"kind": kind.lower(), "when": when}
