"""The trigger that looks back: so many days after somebody did something."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django import forms
from django.db.models import Exists, OuterRef, QuerySet
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from campaigns.triggers.base import TriggerKind
from common.time import end_of_day, start_of_day
from customers.facts import fact_kinds
from customers.models import Customer, Fact, World


def _kinds() -> list[tuple[str, Any]]:
    return [(kind.code, kind.name) for kind in fact_kinds]


def _worlds() -> list[tuple[str, Any]]:
    return [("", _("All worlds")), *World.objects.values_list("code", "name")]


class FactDaysAgoForm(forms.Form):
    WHICH = [
        ("first", _("only the first time ever")),
        ("each", _("each time")),
        ("last", _("the last time: nothing of the kind since")),
    ]

    kind = forms.ChoiceField(label=_("What somebody did"), choices=_kinds)
    days = forms.IntegerField(
        label=_("How many days later"),
        min_value=1,
        max_value=3650,
        initial=1,
        help_text=_("Counted in whole days; 1 is the day after."),
    )
    which = forms.ChoiceField(label=_("Which time counts"), choices=WHICH, initial="first")
    world = forms.ChoiceField(label=_("Only in this world"), choices=_worlds, required=False)
    sector = forms.CharField(label=_("Only in this sector"), max_length=24, required=False)


class FactDaysAgo(TriggerKind):
    """N days after a fact. Days are whole (N is at least 1), since today's facts are not all in yet."""

    code = "fact_days_ago"
    label = _("Some days after something a customer did")
    help = _("For example 7 days after the first loan, or 90 days after the last one.")
    form = FactDaysAgoForm

    def candidates(
        self, params: Mapping[str, Any], *, day: dt.date, now: dt.datetime, after: dt.datetime
    ) -> QuerySet[Customer]:
        then = day - dt.timedelta(days=params["days"])
        facts = Fact.objects.filter(kind=params["kind"])
        if params["world"]:
            facts = facts.filter(world=params["world"])
        if params["sector"]:
            facts = facts.filter(sector=params["sector"])
        on_the_day = facts.filter(occurred_at__gte=start_of_day(then), occurred_at__lt=end_of_day(then))
        customers = Customer.objects.filter(pk__in=on_the_day.values("customer"))
        others = facts.filter(customer=OuterRef("pk"))
        if params["which"] == "first":
            customers = customers.exclude(Exists(others.filter(occurred_at__lt=start_of_day(then))))
        if params["which"] == "last":
            customers = customers.exclude(
                Exists(others.filter(occurred_at__gte=end_of_day(then), occurred_at__lte=now))
            )
        return customers

    def sentence(self, params: Mapping[str, Any]) -> str:
        kind = fact_kinds.get(params["kind"])
        words = ngettext(
            "%(days)d day after: %(what)s (%(which)s)", "%(days)d days after: %(what)s (%(which)s)", params["days"]
        ) % {
            "days": params["days"],
            "what": str(kind.name if kind else params["kind"]).lower(),
            "which": dict(FactDaysAgoForm.WHICH)[params["which"]],
        }
        where = ", ".join(filter(None, [params["world"], params["sector"]]))
        return f"{words}, {where}" if where else words
