"""The trigger on a move from one label of an exclusive group to another: a cell of the shift matrix."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.db.models.expressions import RawSQL
from django.utils.translation import gettext_lazy as _

from campaigns.triggers.base import TriggerKind
from common.errors import Refused
from customers.models import Customer
from labels.criteria.base import label_choices
from labels.models import LabelGroup
from labels.shifts import CODES, NONE, Scale, moves_sql, own_moves_sql, scales

NO_LABEL = CODES[NONE]
_INSTANT = dt.timedelta(microseconds=1)


def _groups() -> list[tuple[str, str]]:
    return [(group.code, str(group)) for group in scales()]


def _places() -> list[tuple[str, Any]]:
    return [("", _("any, or none")), (NO_LABEL, _("no label of the group")), *label_choices()]


class LabelMoveForm(forms.Form):
    label_group = forms.ChoiceField(label=_("Group of labels"), choices=_groups)
    from_label = forms.ChoiceField(label=_("From label"), choices=_places, required=False)
    to_label = forms.ChoiceField(label=_("To label"), choices=_places, required=False)
    with_recounts = forms.BooleanField(
        label=_("Also when it is not the customer who changed"),
        required=False,
        help_text=_(
            "The first time a group or version is computed or imported, when thresholds or rules were changed, when a "
            "label began or ended for everybody, or when a history was worked out. Then very many may move at once."
        ),
    )

    def clean(self) -> dict[str, Any]:
        group = LabelGroup.objects.filter(code=self.cleaned_data.get("label_group", "")).first()
        if group is None:
            return self.cleaned_data
        places, asked = Scale.of(group).places, self.cleaned_data
        for name in ("from_label", "to_label"):
            if (code := asked.get(name)) and code != NO_LABEL and code not in places:
                self.add_error(name, _("This label does not belong to the group."))
        if asked.get("from_label") and asked.get("from_label") == asked.get("to_label"):
            self.add_error("to_label", _("Choose another label than the one somebody comes from."))
        return asked


class LabelMove(TriggerKind):
    """Somebody went from one label of a group to another. Each move sets it off once, however often it is looked at;
    those there and back on one day are two, and together give one message.
    """

    code = "label_move"
    label = _("A shift from one label to another")
    help = _("When somebody moves within a group, for example from prospect to one-time. Looked at once a day.")
    form = LabelMoveForm
    catches_up = False

    def candidates(
        self, params: Mapping[str, Any], *, day: dt.date, now: dt.datetime, after: dt.datetime
    ) -> QuerySet[Customer]:
        found = f"SELECT customer_id FROM ({self.happenings_sql(params, after=after, now=now)}) AS found"  # noqa: S608
        return Customer.objects.filter(pk__in=RawSQL(found, []))  # noqa: S611 - values are bound in it

    def happenings_sql(self, params: Mapping[str, Any], *, after: dt.datetime, now: dt.datetime) -> str:
        scale = _scale(params)
        bounds = {"start": after + _INSTANT, "end": now + _INSTANT}
        moves = (moves_sql if params["with_recounts"] else own_moves_sql)(scale, **bounds)
        cell = [
            f"{column} = {_place(scale, params[name]):d}"
            for column, name in (("was", "from_label"), ("became", "to_label"))
            if params[name]
        ]
        where = f"WHERE {' AND '.join(cell)}" if cell else ""
        return f"SELECT customer_id, at FROM ({moves}) AS move {where}"  # noqa: S608 - numbers only

    def sentence(self, params: Mapping[str, Any]) -> str:
        group = LabelGroup.objects.filter(code=params["label_group"]).first()
        named = {label.code: str(label) for label in Scale.of(group).labels} if group else {}
        named |= {"": str(_("any label")), NO_LABEL: str(_("no label"))}
        shown = {"group": str(group or params["label_group"])}
        shown |= {name: named.get(params[f"{name}_label"], params[f"{name}_label"]) for name in ("from", "to")}
        words = _("when somebody moves in “%(group)s” from %(from)s to %(to)s")
        return str(words) % shown


def _scale(params: Mapping[str, Any]) -> Scale:
    group = LabelGroup.objects.filter(code=params["label_group"]).first()
    if group is None:
        raise Refused("unknown_group", _("The group of labels does not exist any more. Change the trigger."))
    return Scale.of(group)


def _place(scale: Scale, code: str) -> int:
    place = scale.place(code)
    if place is None:
        raise Refused("unknown_label", _("The label is not in the group any more. Change the trigger."))
    return place
