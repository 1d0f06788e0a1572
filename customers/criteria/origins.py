"""Where somebody comes from: the sources that know him, or know him no longer, and no branch."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from django import forms
from django.db.models import Exists, OuterRef, Q
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from pydantic import Field

from common.criteria import Criterion, Params
from common.time import local_date
from customers.criteria import forgetting, wording
from customers.criteria.people import OneOfForm, OneOfParams
from customers.criteria.quality import QUALITY, Nothing, NothingForm, living
from customers.models import Absence, Customer, Source, SourceRecord


def source_choices() -> wording.Choices:
    """Return the sources that brought people, by code."""
    return list(Source.objects.exclude(kind=Source.Kind.PRODUCT).values_list("code", "name"))


def _said(sources: Sequence[str]) -> str:
    """Return the names of these sources, as one of which it is."""
    return wording.one_of(wording.named(sources, list(Source.objects.values_list("code", "name"))))


def known_by(customer: Customer, *, now: dt.datetime) -> str:
    """Return the sources that had a record of somebody by then."""
    records = SourceRecord.objects.filter(customer=customer, created_at__lte=now).order_by("source__name")
    names = dict.fromkeys(records.values_list("source__name", flat=True))
    return _("known by %(sources)s") % {"sources": ", ".join(names)} if names else _("known by no source")


def _require_known(sources: Sequence[str]) -> None:
    wording.require_known(sources, Source.objects.values_list("code", flat=True), field="sources")


class SourceParams(OneOfParams):
    sources: list[str] = Field(min_length=1)


class SourceForm(OneOfForm):
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
        sources = list(Source.objects.filter(code__in=params.sources).values_list("pk", flat=True))
        records = SourceRecord.objects.filter(customer=OuterRef("pk"), source__in=sources, created_at__lte=now)
        return ~Q(Exists(records)) if params.op == "none" else Q(Exists(records))

    def sentence(self, params: SourceParams) -> str:
        sources = {"sources": _said(params.sources)}
        return (_("are not known by %(sources)s") if params.op == "none" else _("are known by %(sources)s")) % sources

    def seen(self, params: SourceParams, customer: Customer, *, now: dt.datetime) -> str:
        return known_by(customer, now=now)

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

    forgets = gettext_lazy("Who was back in a later delivery is no longer noted as absent.")

    def to_q(self, params: AbsentParams, *, now: dt.datetime) -> Q:
        gone = Absence.objects.filter(since__lte=now)
        if params.sources:
            gone = gone.filter(record__source__code__in=params.sources)
        return living(Q(pk__in=gone.values("record__customer_id")), now=now)

    def sentence(self, params: AbsentParams) -> str:
        if not params.sources:
            return _("are no longer delivered by a source")
        return _("are no longer delivered by %(sources)s") % {"sources": _said(params.sources)}

    def seen(self, params: AbsentParams, customer: Customer, *, now: dt.datetime) -> str:
        gone = Absence.objects.filter(record__customer=customer, since__lte=now).select_related("record__source")
        texts = [
            _("not delivered by %(source)s since %(day)s")
            % {"source": one.record.source, "day": date_format(local_date(one.since))}
            for one in gone.order_by("since")
        ]
        return ", ".join(texts) or known_by(customer, now=now)

    def check(self, params: AbsentParams) -> None:
        _require_known(params.sources)


class Branchless(Criterion):
    """Who belongs to no branch, living or not."""

    code = "customer.no_branch"
    group = QUALITY
    label = gettext_lazy("Belongs to no branch")
    forgets = forgetting.OF_CUSTOMERS
    params = Nothing
    form = NothingForm

    def to_q(self, params: Nothing, *, now: dt.datetime) -> Q:
        return Q(branch__isnull=True)

    def sentence(self, params: Nothing) -> str:
        return _("belong to no branch")

    def seen(self, params: Nothing, customer: Customer, *, now: dt.datetime) -> str:
        return str(customer.branch) if customer.branch else _("no branch")


CRITERIA: tuple[Criterion, ...] = (Absent(), KnownBy(), Branchless())
