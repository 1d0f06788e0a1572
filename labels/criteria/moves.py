"""Who moved from one label of a group to another: by a move in a stretch of time, or by its first and last day."""

from __future__ import annotations

import datetime as dt
from typing import Any, Literal

from django import forms
from django.db.models import Exists, F, OuterRef, Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from pydantic import model_validator

from customers.criteria.windows import WindowForm, WindowParams
from labels.criteria.base import Choices, group_choices, ids_of, label_choices, with_any
from labels.criteria.groups import OfGroup, labels_of
from labels.models import Assignment, AssignmentQuerySet, LabelGroup
from labels.shifts import CODES, NEW, NONE, Scale
from labels.shifts.states import was_at

NO_LABEL, NO_CUSTOMER = CODES[NONE], CODES[NEW]
EARLIEST = dt.datetime(1, 1, 1, tzinfo=dt.UTC)


class MoveParams(WindowParams):
    """``from_labels`` and ``to_labels``: codes of the group, or of ``labels.shifts.CODES``; empty means any label.

    ``direction`` goes by their places. ``compare``: "moves", one of them straight after another in the window; "ends",
    the one before the window began and the other as it ended, whatever lies between (a cell of the shift matrix).
    """

    label_group: str
    from_labels: tuple[str, ...] = ()
    to_labels: tuple[str, ...] = ()
    direction: Literal["any", "up", "down"] = "any"
    compare: Literal["moves", "ends"] = "moves"

    @model_validator(mode="after")
    def _fits(self) -> MoveParams:
        if NO_CUSTOMER in self.to_labels or (NO_CUSTOMER in self.from_labels and self.compare == "moves"):
            raise ValueError(_("“No customer yet” can only be where somebody was when two days are compared."))
        if self.compare == "ends" and (self.period == "ever" or (self.period == "between" and self.since is None)):
            raise ValueError(_("Choose from when on, to compare the first day with the last."))
        return self


def _from_choices() -> Choices:
    return [(NO_LABEL, _("No label of the group")), (NO_CUSTOMER, _("No customer yet")), *label_choices()]


def _to_choices() -> Choices:
    return [(NO_LABEL, _("No label of the group")), *label_choices()]


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
    compare = forms.ChoiceField(
        label=gettext_lazy("What counts"),
        choices=[
            ("moves", gettext_lazy("each move from one straight to the other")),
            ("ends", gettext_lazy("the difference between before and the last day, as in the shift matrix")),
        ],
        initial="moves",
        required=False,
    )
    from_labels = forms.MultipleChoiceField(
        label=gettext_lazy("From label (none: any)"), required=False, choices=_from_choices
    )
    to_labels = forms.MultipleChoiceField(
        label=gettext_lazy("To label (none: any)"), required=False, choices=_to_choices
    )
    field_order = ("label_group", "from_labels", "to_labels", "direction", "compare")


class MovedInGroup(OfGroup):
    """Went from one label of a group to another in a stretch of time."""

    code = "labels.moved"
    label = gettext_lazy("Moved within a group of labels")
    params = MoveParams
    form = MoveForm

    def asks(self, params: MoveParams) -> tuple[tuple[str, ...], str]:
        named = (*params.from_labels, *params.to_labels)
        return tuple(code for code in named if code not in CODES.values()), params.label_group

    def to_q(self, params: MoveParams, *, now: dt.datetime) -> Q:
        start, end = params.happened(now=now)
        if params.compare == "ends":
            return _between_ends(params, start or EARLIEST, end)
        everyone = labels_of(params.label_group)
        into = _named(params.to_labels, everyone)
        came = _in_window("since", start, end, now=now)
        q = with_any(came.filter(_came_from(params, everyone)), into)
        if NO_LABEL in params.to_labels and params.direction == "any":
            q |= _lost_all(params, everyone, _in_window("until", start, end, now=now))
        return q

    def sentence(self, params: MoveParams) -> str:
        name = {"group": self.group_name(params)}
        clause = {
            "any": _("moved within the group “%(group)s”"),
            "up": _("moved up in the group “%(group)s”"),
            "down": _("moved down in the group “%(group)s”"),
        }[params.direction] % name
        values = {
            "clause": clause,
            "left": self._places(params.from_labels) if params.from_labels else "",
            "came": self._places(params.to_labels) if params.to_labels else "",
        }
        if params.from_labels and params.to_labels:
            clause = _("%(clause)s from %(left)s to %(came)s") % values
        elif params.from_labels:
            clause = _("%(clause)s from %(left)s") % values
        elif params.to_labels:
            clause = _("%(clause)s to %(came)s") % values
        if not params.is_ever:
            clause = _("%(clause)s %(when)s") % {"clause": clause, "when": params.words()}
        return _("%(clause)s, first and last day compared") % {"clause": clause} if params.compare == "ends" else clause

    def _places(self, codes: tuple[str, ...]) -> str:
        """Return labels, or what stands for having none, by name: “A”, “B” or no label."""
        named = tuple(code for code in codes if code not in CODES.values())
        parts = [self.names(named, _("or"))] if named else []
        parts += [_("no label")] if NO_LABEL in codes else []
        parts += [_("no customer yet")] if NO_CUSTOMER in codes else []
        return f" {_('or')} ".join(parts)


def _between_ends(params: MoveParams, start: dt.datetime, end: dt.datetime) -> Q:
    """Return the condition on where customers were just before a window, and as it ended; not one of both days."""
    group = LabelGroup.objects.filter(code=params.label_group).first()
    if group is None or start >= end:
        return Q(pk__in=[])
    scale, found = Scale.of(group), Q(pk__in=[])
    labels = range(1, len(scale.labels) + 1)
    for became in _places(scale, params.to_labels) if params.to_labels else labels:
        fitting = [
            was
            for was in (_places(scale, params.from_labels) if params.from_labels else labels)
            if was != became and params.direction in ("any", scale.direction(was, became))
        ]
        before = Q(pk__in=[])
        for was in fitting:
            before |= was_at(scale, was, before=start)
        if fitting:
            found |= before & was_at(scale, became, before=end)
    return found


def _places(scale: Scale, codes: tuple[str, ...]) -> list[int]:
    return [place for code in dict.fromkeys(codes) if (place := scale.place(code)) is not None]


def _named(codes: tuple[str, ...], labels: list[int]) -> list[int]:
    """Return the labels of the group that are named; all when nothing is."""
    return [pk for pk in labels if pk in ids_of(codes)] if codes else labels


def _in_window(field: str, start: dt.datetime | None, end: dt.datetime, *, now: dt.datetime) -> AssignmentQuerySet:
    """Return the intervals of which ``field`` lies in a window; what happens at ``now`` itself has happened."""
    bounds: dict[str, Any] = {f"{field}__lte": now} if end == now else {f"{field}__lt": end}
    if start is not None:
        bounds[f"{field}__gte"] = start
    return Assignment.objects.filter(**bounds)


def _came_from(params: MoveParams, labels: list[int]) -> Q:
    """Return the condition that another label of the group ended as this interval began, or that there was none."""
    named = _named(params.from_labels, labels)
    left = Assignment.objects.filter(
        label__in=named, customer=OuterRef("customer"), until=OuterRef("since"), until__gt=F("since")
    ).exclude(label=OuterRef("label"))
    if params.direction == "up":
        left = left.filter(label__rank__lt=OuterRef("label__rank"))
    if params.direction == "down":
        left = left.filter(label__rank__gt=OuterRef("label__rank"))
    found = Q(Exists(left))
    if NO_LABEL in params.from_labels and params.direction == "any":
        just_before = Assignment.objects.filter(
            Q(until__isnull=True) | Q(until__gte=OuterRef("since")),
            label__in=labels, customer=OuterRef("customer"), since__lt=OuterRef("since"),
        )  # fmt: skip
        # Given and taken in one moment: it was never there.
        found |= ~Q(Exists(just_before)) & (Q(until__isnull=True) | Q(until__gt=F("since")))
    return found


def _lost_all(params: MoveParams, labels: list[int], ended: AssignmentQuerySet) -> Q:
    """Return the condition that one of the named labels ended, and none of the group went on or began."""
    from_labels = tuple(code for code in params.from_labels if code != NO_LABEL)
    if params.from_labels and not from_labels:
        return Q(pk__in=[])
    then = Assignment.objects.filter(
        Q(until__isnull=True) | Q(until__gt=OuterRef("until")),
        label__in=labels, customer=OuterRef("customer"), since__lte=OuterRef("until"),
    )  # fmt: skip
    return with_any(ended.filter(~Q(Exists(then)), until__gt=F("since")), _named(from_labels, labels))
