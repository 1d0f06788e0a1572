"""Where somebody comes from: the sources that know him, or know him no longer, and no branch."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from django import forms
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from pydantic import Field

from common.criteria import Criterion, Params
from customers.criteria import wording
from customers.criteria.quality import QUALITY, Nothing, NothingForm, living
from customers.models import Absence, Source, SourceRecord


def source_choices() -> wording.Choices:
    """Return the sources that brought people, by code."""
    return list(Source.objects.exclude(kind=Source.Kind.PRODUCT).values_list("code", "name"))


def _said(sources: Sequence[str]) -> str:
    """Return the names of these sources, as one of which it is."""
    return wording.one_of(wording.named(sources, list(Source.objects.values_list("code", "name"))))


def _require_known(sources: Sequence[str]) -> None:
    wording.require_known(sources, Source.objects.values_list("code", flat=True), field="sources")


class SourceParams(Params):
    sources: list[str] = Field(min_length=1)


class SourceForm(forms.Form):
    sources = forms.MultipleChoiceField(
        label=gettext_lazy("Sources"), choices=source_choices, widget=forms.CheckboxSelectMultiple
    )


class KnownBy(Criterion):
    """Of whom a source has a record."""

    code = "customer.source"
    group = QUALITY
    label = gettext_lazy("Known by a source")
    params = SourceParams
    form = SourceForm

    def to_q(self, params: SourceParams, *, now: dt.datetime) -> Q:
        sources = Source.objects.filter(code__in=params.sources).values_list("pk", flat=True)
        return Q(Exists(SourceRecord.objects.filter(customer=OuterRef("pk"), source__in=list(sources))))

    def sentence(self, params: SourceParams) -> str:
        return _("are known by %(sources)s") % {"sources": _said(params.sources)}

    def check(self, params: SourceParams) -> None:
        _require_known(params.sources)


class AbsentParams(Params):
    sources: list[str] = []  # none: any


class AbsentForm(forms.Form):
    sources = forms.MultipleChoiceField(
        label=gettext_lazy("Sources"),
        choices=source_choices,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("None chosen: any of them."),
    )


class Absent(Criterion):
    """Who is no longer in the newest delivery of a source that delivers everybody it knows."""

    code = "quality.absent"
    group = QUALITY
    label = gettext_lazy("No longer delivered by a source")
    params = AbsentParams
    form = AbsentForm

    def to_q(self, params: AbsentParams, *, now: dt.datetime) -> Q:
        gone = Absence.objects.filter(since__lte=now)
        if params.sources:
            gone = gone.filter(record__source__code__in=params.sources)
        return living(Q(pk__in=gone.values("record__customer_id")))

    def sentence(self, params: AbsentParams) -> str:
        if not params.sources:
            return _("are no longer delivered by a source")
        return _("are no longer delivered by %(sources)s") % {"sources": _said(params.sources)}

    def check(self, params: AbsentParams) -> None:
        _require_known(params.sources)


class Branchless(Criterion):
    """Who belongs to no branch, living or not."""

    code = "customer.no_branch"
    group = QUALITY
    label = gettext_lazy("Belongs to no branch")
    params = Nothing
    form = NothingForm

    def to_q(self, params: Nothing, *, now: dt.datetime) -> Q:
        return Q(branch__isnull=True)

    def sentence(self, params: Nothing) -> str:
        return _("belong to no branch")


CRITERIA: tuple[Criterion, ...] = (Absent(), KnownBy(), Branchless())
