"""Audience criteria over labels: has, has not, has had."""

from __future__ import annotations

import datetime as dt
from typing import Any, Literal

from django import forms
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from pydantic import Field

from common.criteria import Criterion, Params, criteria
from common.errors import Refused
from labels.models import Assignment, AssignmentQuerySet, Label

GROUP = gettext_lazy("Labels")


class LabelsParams(Params):
    """Codes of labels."""

    labels: tuple[str, ...] = Field(min_length=1, max_length=100)


class HasParams(LabelsParams):
    """``match``: one of them is enough, or all of them."""

    match: Literal["any", "all"] = "any"


class HadParams(LabelsParams):
    """In the last ``within_days`` days, today included."""

    within_days: int = Field(ge=1, le=36500)


def _label_choices() -> list[tuple[str, list[tuple[str, str]]]]:
    """Return active labels by group, for a select; labels without a group stand last."""
    by_group: dict[str, list[tuple[str, str]]] = {}
    labels = Label.objects.filter(is_active=True).select_related("group")
    for label in sorted(labels, key=lambda label: (label.group is None, str(label.group or ""), label.code)):
        by_group.setdefault(str(label.group or _("Other labels")), []).append((label.code, str(label)))
    return list(by_group.items())


class LabelsForm(forms.Form):
    labels = forms.MultipleChoiceField(label=gettext_lazy("Labels"), choices=_label_choices)


class HasForm(LabelsForm):
    match = forms.ChoiceField(
        label=gettext_lazy("How many of them"),
        choices=[("any", gettext_lazy("at least one")), ("all", gettext_lazy("all of them"))],
        initial="any",
        required=False,
    )


class HadForm(LabelsForm):
    within_days = forms.IntegerField(
        label=gettext_lazy("In the last … days"), min_value=1, max_value=36500, initial=365
    )


class _LabelCriterion(Criterion):
    """What the three have in common: labels by code, and their names in a sentence."""

    group = GROUP

    def check(self, params: Any) -> None:
        known = set(Label.objects.filter(code__in=params.labels).values_list("code", flat=True))
        if missing := [code for code in params.labels if code not in known]:
            message = _("There is no label “%s”.") % missing[0]
            raise Refused("unknown_label", message, field="labels")

    def names(self, codes: tuple[str, ...], word: str) -> str:
        """Return the labels by name: “A”, “B” or “C”."""
        known = {label.code: str(label) for label in Label.objects.filter(code__in=codes)}
        quoted = [f"“{known.get(code, code)}”" for code in codes]
        return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} {word} {quoted[-1]}"


def _with(assignments: AssignmentQuerySet, codes: tuple[str, ...]) -> Q:
    labels = Label.objects.filter(code__in=codes).values("pk")
    return Q(Exists(assignments.filter(label__in=labels, customer=OuterRef("pk"))))


class HasLabel(_LabelCriterion):
    """Has one of these labels now, or all of them."""

    code = "labels.has"
    label = gettext_lazy("Has a label")
    params = HasParams
    form = HasForm

    def to_q(self, params: HasParams, *, now: dt.datetime) -> Q:
        holding = Assignment.objects.at(now)
        if params.match == "any":
            return _with(holding, params.labels)
        together = Q()
        for code in dict.fromkeys(params.labels):
            together &= _with(holding, (code,))
        return together

    def sentence(self, params: HasParams) -> str:
        word = _("or") if params.match == "any" else _("and")
        template = ngettext("have the label %s", "have the labels %s", len(params.labels))
        return template % self.names(params.labels, word)


class HasNotLabel(_LabelCriterion):
    """Has none of these labels now."""

    code = "labels.not_has"
    label = gettext_lazy("Does not have a label")
    params = LabelsParams
    form = LabelsForm

    def to_q(self, params: LabelsParams, *, now: dt.datetime) -> Q:
        return ~_with(Assignment.objects.at(now), params.labels)

    def sentence(self, params: LabelsParams) -> str:
        template = ngettext("do not have the label %s", "have none of the labels %s", len(params.labels))
        return template % self.names(params.labels, _("and"))


class HadLabel(_LabelCriterion):
    """Had one of these labels at some moment of the last days, whether or not it is gone now."""

    code = "labels.had_since"
    label = gettext_lazy("Has had a label lately")
    params = HadParams
    form = HadForm

    def to_q(self, params: HadParams, *, now: dt.datetime) -> Q:
        start = now - dt.timedelta(days=params.within_days)
        return _with(Assignment.objects.between(start, now), params.labels)

    def sentence(self, params: HadParams) -> str:
        template = ngettext(
            "had the label %(labels)s in the last %(n)d day",
            "had the label %(labels)s in the last %(n)d days",
            params.within_days,
        )
        return template % {"labels": self.names(params.labels, _("or")), "n": params.within_days}


for _criterion in (HasLabel(), HasNotLabel(), HadLabel()):
    criteria.register(_criterion)
