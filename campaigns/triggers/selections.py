"""The trigger that waits at the door of a selection."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from campaigns.triggers.base import TriggerKind
from customers.models import Customer
from selections.models import Membership, Selection


def _selections() -> list[tuple[int, str]]:
    return list(Selection.objects.in_use().values_list("id", "name"))


class EntersSelectionForm(forms.Form):
    selection = forms.TypedChoiceField(label=_("Selection"), choices=_selections, coerce=int)


class EntersSelection(TriggerKind):
    """Somebody who was not in a selection now is. Those who were in it at the activation do not count as entering.

    Entrances have no day of their own: each run takes those recorded since the previous one, so none is missed or
    taken twice, and there is nothing to catch up on.
    """

    code = "enters_selection"
    label = _("Entering a selection")
    help = _("When somebody starts to meet the conditions of a selection. Looked at once a day.")
    form = EntersSelectionForm
    catches_up = False

    def candidates(
        self, params: Mapping[str, Any], *, day: dt.date, now: dt.datetime, after: dt.datetime
    ) -> QuerySet[Customer]:
        inside = Membership.objects.filter(
            selection=params["selection"], since__gt=after, since__lte=now, until__isnull=True, is_baseline=False
        )
        return Customer.objects.filter(pk__in=inside.values("customer"))

    def watched_selection(self, params: Mapping[str, Any]) -> int | None:
        return int(params["selection"])

    def sentence(self, params: Mapping[str, Any]) -> str:
        name = params.get("selection_name")
        if name is None:
            name = Selection.objects.filter(pk=params["selection"]).values_list("name", flat=True).first()
        return str(_("when somebody enters the selection “%(selection)s”")) % {"selection": name or "?"}
