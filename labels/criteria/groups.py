"""Who has a label of a group, or none of it."""

from __future__ import annotations

import datetime as dt
from typing import Any, Literal

from django import forms
from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common.criteria import Params
from common.errors import Refused
from labels.criteria.base import LabelCriterion, group_choices, intervals, told, with_any
from labels.models import Assignment, Label, LabelGroup


class GroupParams(Params):
    """The code of a group; ``match``: any of its labels, or none."""

    label_group: str
    match: Literal["any", "none"] = "any"


class GroupForm(forms.Form):
    label_group = forms.ChoiceField(label=gettext_lazy("Group of labels"), choices=group_choices)
    match = forms.ChoiceField(
        label=gettext_lazy("How many of them"),
        choices=[("any", gettext_lazy("at least one")), ("none", gettext_lazy("none of them"))],
        initial="any",
        required=False,
    )


class OfGroup(LabelCriterion):
    """What those about a group have in common: its code."""

    def asks(self, params: Any) -> tuple[tuple[str, ...], str]:
        return (), str(params.label_group)

    def check(self, params: Any) -> None:
        super().check(params)
        if _group(params.label_group) is None:
            message = _("There is no group of labels “%s”.") % params.label_group[:60]
            raise Refused("unknown_group", message, field="label_group")

    def gap(self, params: Any, *, now: dt.datetime, present: dt.datetime) -> str:
        if _group(params.label_group) is None:
            name = str(params.label_group)[:60]
            return _("The group “%s” has been deleted, and who had its labels is not kept.") % name
        return super().gap(params, now=now, present=present)

    def group_name(self, params: Any) -> str:
        """Return the group by its name, in the active language."""
        return str(_group(params.label_group) or params.label_group)

    def seen(self, params: Any, customer: Any, *, now: dt.datetime) -> str:
        found = intervals(customer, labels_of(params.label_group), now=now)
        return told(found, now=now) or _("never had a label of this group")


class HasOfGroup(OfGroup):
    """Has any label of a group now, or none."""

    code = "labels.of_group"
    label = gettext_lazy("Has a label of a group")
    params = GroupParams
    form = GroupForm

    def to_q(self, params: GroupParams, *, now: dt.datetime) -> Q:
        q = with_any(Assignment.objects.at(now), labels_of(params.label_group))
        return q if params.match == "any" else ~q

    def sentence(self, params: GroupParams) -> str:
        template = (
            _("have a label of the group “%s”") if params.match == "any" else _("have no label of the group “%s”")
        )
        return template % self.group_name(params)


def _group(code: str) -> LabelGroup | None:
    return LabelGroup.objects.filter(code=code).first()


def labels_of(group: str) -> list[int]:
    """Return the ids of the labels of a group by its code."""
    return sorted(Label.objects.filter(group__code=group).values_list("pk", flat=True))
