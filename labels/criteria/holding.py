"""Who has a label, does not, had one in a stretch of time, or has had it for so long."""

from __future__ import annotations

import datetime as dt
from typing import Any, Literal

from django import forms
from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from pydantic import Field, model_validator

from common.time import local_date, start_of_day
from customers.criteria.windows import WindowForm, WindowParams
from labels.criteria.base import LabelCriterion, LabelsForm, LabelsParams, ids_of, intervals, told, with_any
from labels.models import Assignment


class HasParams(LabelsParams):
    """``match``: one of them is enough, or all of them."""

    match: Literal["any", "all"] = "any"


class HasForm(LabelsForm):
    match = forms.ChoiceField(
        label=gettext_lazy("How many of them"),
        choices=[("any", gettext_lazy("at least one")), ("all", gettext_lazy("all of them"))],
        initial="any",
        required=False,
    )


class _Holding(LabelCriterion):
    """What those about the moment itself saw: the labels somebody has then."""

    def seen(self, params: Any, customer: Any, *, now: dt.datetime) -> str:
        found = [one for one in intervals(customer, ids_of(params.labels), now=now) if not one.until or one.until > now]
        return told(found, now=now) or _("has none of these labels")


class HasLabel(_Holding):
    """Has one of these labels now, or all of them."""

    code = "labels.has"
    label = gettext_lazy("Has a label")
    params = HasParams
    form = HasForm

    def to_q(self, params: HasParams, *, now: dt.datetime) -> Q:
        holding = Assignment.objects.at(now)
        if params.match == "any":
            return with_any(holding, ids_of(params.labels))
        together = Q()
        for code in dict.fromkeys(params.labels):
            together &= with_any(holding, ids_of([code]))
        return together

    def sentence(self, params: HasParams) -> str:
        word = _("or") if params.match == "any" else _("and")
        template = ngettext("have the label %s", "have the labels %s", len(params.labels))
        return template % self.names(params.labels, word)


class HasNotLabel(_Holding):
    """Has none of these labels now."""

    code = "labels.not_has"
    label = gettext_lazy("Does not have a label")
    params = LabelsParams
    form = LabelsForm

    def to_q(self, params: LabelsParams, *, now: dt.datetime) -> Q:
        return ~with_any(Assignment.objects.at(now), ids_of(params.labels))

    def sentence(self, params: LabelsParams) -> str:
        template = ngettext("do not have the label %s", "have none of the labels %s", len(params.labels))
        return template % self.names(params.labels, _("and"))


class HadParams(LabelsParams, WindowParams):
    """One of these labels, at some moment of the window."""


class HadForm(LabelsForm, WindowForm):
    pass


class HadLabel(LabelCriterion):
    """Had one of these labels at some moment of a stretch of time, whether or not it is gone now."""

    code = "labels.had_since"
    label = gettext_lazy("Has had a label")
    params = HadParams
    form = HadForm

    def to_q(self, params: HadParams, *, now: dt.datetime) -> Q:
        start, end = params.happened(now=now)
        if start is not None and start > end:  # a stretch that has not begun yet
            return with_any(Assignment.objects.none(), [])
        held = Assignment.objects.filter(since__lte=now) if end == now else Assignment.objects.filter(since__lt=end)
        if start is not None:
            held = held.filter(Q(until__isnull=True) | Q(until__gt=start))
        return with_any(held, ids_of(params.labels))

    def sentence(self, params: HadParams) -> str:
        names = self.names(params.labels, _("or"))
        if params.is_ever:
            return _("ever had the label %s") % names
        return _("had the label %(labels)s %(when)s") % {"labels": names, "when": params.words()}

    def seen(self, params: HadParams, customer: Any, *, now: dt.datetime) -> str:
        return told(intervals(customer, ids_of(params.labels), now=now), now=now) or _("never had these labels")


class DaysParams(LabelsParams):
    """For so many whole days at least, or at most."""

    at_least: int | None = Field(default=None, ge=0, le=36500)
    at_most: int | None = Field(default=None, ge=0, le=36500)

    @model_validator(mode="after")
    def _bounded(self) -> DaysParams:
        if self.at_least is None and self.at_most is None:
            raise ValueError(_("Fill in at least one of the two numbers."))
        if self.at_least is not None and self.at_most is not None and self.at_least > self.at_most:
            raise ValueError(_("Fill in two numbers, the lowest first."))
        return self


class DaysForm(LabelsForm):
    at_least = forms.IntegerField(
        label=gettext_lazy("For at least … days"), required=False, min_value=0, max_value=36500
    )
    at_most = forms.IntegerField(label=gettext_lazy("For at most … days"), required=False, min_value=0, max_value=36500)


class HeldFor(_Holding):
    """Has one of these labels, and has had it for longer or shorter than so many days."""

    code = "labels.held_for"
    label = gettext_lazy("Has had a label for some time")
    params = DaysParams
    form = DaysForm

    def to_q(self, params: DaysParams, *, now: dt.datetime) -> Q:
        held, today = Assignment.objects.at(now), local_date(now)
        if params.at_least is not None:
            held = held.filter(since__lt=start_of_day(today - dt.timedelta(days=params.at_least - 1)))
        if params.at_most is not None:
            held = held.filter(since__gte=start_of_day(today - dt.timedelta(days=params.at_most)))
        return with_any(held, ids_of(params.labels))

    def sentence(self, params: DaysParams) -> str:
        names = self.names(params.labels, _("or"))
        if params.at_least is not None and params.at_most is not None:
            values = {"labels": names, "low": params.at_least, "high": params.at_most}
            return _("have had the label %(labels)s for %(low)d to %(high)d days") % values
        if params.at_least is not None:
            template = ngettext(
                "have had the label %(labels)s for at least %(n)d day",
                "have had the label %(labels)s for at least %(n)d days",
                params.at_least,
            )
            return template % {"labels": names, "n": params.at_least}
        most = params.at_most or 0
        template = ngettext(
            "have had the label %(labels)s for at most %(n)d day",
            "have had the label %(labels)s for at most %(n)d days",
            most,
        )
        return template % {"labels": names, "n": most}
