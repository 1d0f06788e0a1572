"""Who has a label of a group, and who moved from one of its labels to another."""

from __future__ import annotations

import datetime as dt
from typing import Any, Literal

from django import forms
from django.db.models import Exists, F, OuterRef, Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common.criteria import Params
from common.errors import Refused
from customers.criteria.windows import WindowForm, WindowParams
from labels.criteria.base import LabelCriterion, group_choices, ids_of, intervals, label_choices, told, with_any
from labels.models import Assignment, AssignmentQuerySet, Label, LabelGroup


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


class _OfGroup(LabelCriterion):
    """What both have in common: the group by its code."""

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
        found = intervals(customer, _labels_of(params.label_group), now=now)
        return told(found, now=now) or _("never had a label of this group")


class HasOfGroup(_OfGroup):
    """Has any label of a group now, or none."""

    code = "labels.of_group"
    label = gettext_lazy("Has a label of a group")
    params = GroupParams
    form = GroupForm

    def to_q(self, params: GroupParams, *, now: dt.datetime) -> Q:
        q = with_any(Assignment.objects.at(now), _labels_of(params.label_group))
        return q if params.match == "any" else ~q

    def sentence(self, params: GroupParams) -> str:
        template = (
            _("have a label of the group “%s”") if params.match == "any" else _("have no label of the group “%s”")
        )
        return template % self.group_name(params)


class MoveParams(WindowParams):
    """``from_labels`` and ``to_labels``: codes of the group; empty means any. ``direction`` goes by their places."""

    label_group: str
    from_labels: tuple[str, ...] = ()
    to_labels: tuple[str, ...] = ()
    direction: Literal["any", "up", "down"] = "any"


class MoveForm(WindowForm):
    label_group = forms.ChoiceField(label=gettext_lazy("Group of labels"), choices=group_choices)
    direction = forms.ChoiceField(
        label=gettext_lazy("Direction"),
        choices=[
            ("any", gettext_lazy("up or down")),
            ("up", gettext_lazy("up, to a higher place")),
            ("down", gettext_lazy("down, to a lower place")),
        ],
        initial="any",
        required=False,
    )
    from_labels = forms.MultipleChoiceField(
        label=gettext_lazy("From label (none: any)"), required=False, choices=label_choices
    )
    to_labels = forms.MultipleChoiceField(
        label=gettext_lazy("To label (none: any)"), required=False, choices=label_choices
    )
    field_order = ("label_group", "from_labels", "to_labels", "direction")


class MovedInGroup(_OfGroup):
    """Went from one label of a group to another in a stretch of time: the one ended as the other began."""

    code = "labels.moved"
    label = gettext_lazy("Moved within a group of labels")
    params = MoveParams
    form = MoveForm

    def asks(self, params: MoveParams) -> tuple[tuple[str, ...], str]:
        return (*params.from_labels, *params.to_labels), params.label_group

    def to_q(self, params: MoveParams, *, now: dt.datetime) -> Q:
        start, end = params.happened(now=now)
        came = Assignment.objects.filter(since__lte=now) if end == now else Assignment.objects.filter(since__lt=end)
        came = came.filter(since__gte=start) if start is not None else came
        everyone = _labels_of(params.label_group)
        into = [pk for pk in everyone if pk in ids_of(params.to_labels)] if params.to_labels else everyone
        return with_any(came.filter(Exists(_left(params, everyone))), into)

    def sentence(self, params: MoveParams) -> str:
        name = {"group": self.group_name(params)}
        clause = {
            "any": _("moved within the group “%(group)s”"),
            "up": _("moved up in the group “%(group)s”"),
            "down": _("moved down in the group “%(group)s”"),
        }[params.direction] % name
        values = {
            "clause": clause,
            "left": self.names(params.from_labels, _("or")) if params.from_labels else "",
            "came": self.names(params.to_labels, _("or")) if params.to_labels else "",
        }
        if params.from_labels and params.to_labels:
            clause = _("%(clause)s from %(left)s to %(came)s") % values
        elif params.from_labels:
            clause = _("%(clause)s from %(left)s") % values
        elif params.to_labels:
            clause = _("%(clause)s to %(came)s") % values
        if params.is_ever:
            return clause
        return _("%(clause)s %(when)s") % {"clause": clause, "when": params.words()}


def _left(params: MoveParams, labels: list[int]) -> AssignmentQuerySet:
    """Return the interval of another label of the group that ended as the one around it began."""
    left = Assignment.objects.filter(
        label__in=[pk for pk in labels if pk in ids_of(params.from_labels)] if params.from_labels else labels,
        customer=OuterRef("customer"),
        until=OuterRef("since"),
        until__gt=F("since"),
    ).exclude(label=OuterRef("label"))
    if params.direction == "up":
        return left.filter(label__rank__lt=OuterRef("label__rank"))
    return left.filter(label__rank__gt=OuterRef("label__rank")) if params.direction == "down" else left


def _group(code: str) -> LabelGroup | None:
    return LabelGroup.objects.filter(code=code).first()


def _labels_of(group: str) -> list[int]:
    return sorted(Label.objects.filter(group__code=group).values_list("pk", flat=True))
