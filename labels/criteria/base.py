"""What criteria over labels share: the labels and groups to choose from, names in a sentence, what was seen."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable
from typing import Any

from django import forms
from django.db.models import Exists, OuterRef, Q
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from pydantic import Field

from common.criteria import Criterion, Params
from common.errors import Refused
from common.remembering import remembered
from labels.models import Assignment, AssignmentQuerySet, Label, LabelGroup

GROUP = gettext_lazy("Labels")
SEEN = 5  # labels told by name on the page that says why

Choices = list[tuple[str, Any]]


class LabelsParams(Params):
    """Codes of labels."""

    labels: tuple[str, ...] = Field(min_length=1, max_length=100)


@remembered
def label_choices() -> Choices:
    """Return active labels by group, for a select: in their order, labels without a group last."""
    by_group: dict[str, list[tuple[str, str]]] = {}
    labels = Label.objects.filter(is_active=True).select_related("group")
    for label in sorted(labels, key=lambda one: (one.group is None, str(one.group or ""), one.rank, one.code)):
        by_group.setdefault(str(label.group or _("Other labels")), []).append((label.code, str(label)))
    return list(by_group.items())


@remembered
def group_choices() -> Choices:
    """Return the groups that have labels, by code."""
    groups = LabelGroup.objects.filter(labels__isnull=False).distinct()
    return sorted(((group.code, str(group)) for group in groups), key=lambda choice: choice[1])


class LabelsForm(forms.Form):
    labels = forms.MultipleChoiceField(label=gettext_lazy("Labels"), choices=label_choices)


class LabelCriterion(Criterion):
    """A question about labels by code; intervals answer it for any moment, but for labels that are gone."""

    group = GROUP

    def asks(self, params: Any) -> tuple[tuple[str, ...], str]:
        """Return the codes of the labels, and of the group, that the answer depends on."""
        return params.labels, ""

    def check(self, params: Any) -> None:
        codes, _group = self.asks(params)
        if missing := _missing(codes):
            message = _("There is no label “%s”.") % missing[0]
            raise Refused("unknown_label", message, field="labels")

    def gap(self, params: Any, *, now: dt.datetime, present: dt.datetime) -> str:
        codes, _group = self.asks(params)
        missing = _missing(codes)
        return _("The label “%s” has been deleted, and who had it is not kept.") % missing[0] if missing else ""

    def names(self, codes: tuple[str, ...], word: str) -> str:
        """Return the labels by name: “A”, “B” or “C”."""
        known = _names_of(tuple(codes))
        quoted = [f"“{known.get(code, code)}”" for code in codes]
        return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} {word} {quoted[-1]}"


@remembered
def _names_of(codes: tuple[str, ...]) -> dict[str, str]:
    return {label.code: str(label) for label in Label.objects.filter(code__in=codes)}


def ids_of(codes: Collection[str]) -> list[int]:
    """Return the ids of labels, so that the planner knows how many have them."""
    return list(_ids_of(tuple(codes)))


@remembered
def _ids_of(codes: tuple[str, ...]) -> list[int]:
    return sorted(Label.objects.filter(code__in=codes).values_list("pk", flat=True))


def with_any(assignments: AssignmentQuerySet, labels: Iterable[int]) -> Q:
    """Return the condition that a customer has one of these assignments, of one of these labels."""
    return Q(Exists(assignments.filter(label__in=list(labels), customer=OuterRef("pk"))))


def intervals(customer: Any, labels: Collection[int], *, now: dt.datetime) -> list[Assignment]:
    """Return a customer's intervals of these labels that had begun by ``now``, the latest first."""
    found = Assignment.objects.filter(customer=customer, label__in=labels, since__lte=now)
    return list(found.select_related("label").order_by("-since", "-pk")[:SEEN])


def told(found: Iterable[Assignment], *, now: dt.datetime) -> str:
    """Return intervals in words, as they stood at ``now``: "“Zware lener” since 3 March 2026, by the system"."""
    return "; ".join(_one(held, now=now) for held in found)


def day(instant: dt.datetime) -> str:
    """Return a moment as its Amsterdam day in words."""
    return date_format(localtime(instant))


def _one(held: Assignment, *, now: dt.datetime) -> str:
    values = {"label": held.label, "since": day(held.since), "by": held.given_words}
    if held.until is None or held.until > now:
        return _("“%(label)s” since %(since)s, %(by)s") % values
    values |= {"until": day(held.until), "by": held.taken_words}
    return _("“%(label)s” from %(since)s until %(until)s, taken %(by)s") % values


def _missing(codes: Collection[str]) -> list[str]:
    known = set(Label.objects.filter(code__in=codes).values_list("code", flat=True))
    return [code for code in codes if code not in known]
