"""Triggers that come back each year: birthdays and years of membership."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django import forms
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from campaigns.triggers.base import MOST_YEARS, NumbersField, TriggerKind, anniversaries, counts_for_leap_day
from campaigns.triggers.subscriptions import subscriptions_on
from customers.models import Customer, Subscription


class YearsField(NumbersField):
    default_error_messages = {
        "numbers": _("Write whole numbers from 1 to %(most)s with commas between them: 5, 10, 25.")
    }


class BirthdayForm(forms.Form):
    days_before = forms.IntegerField(
        label=_("Days before the birthday"), min_value=0, max_value=60, initial=0, help_text=_("0: on the day itself.")
    )
    ages = YearsField(
        label=_("Only those who reach this age"),
        most=MOST_YEARS,
        help_text=_("For example 18, or 50, 60, 70. Empty: every birthday."),
    )


class Birthday(TriggerKind):
    """The birthday, or some days before it; of 29 February on the 28th in common years."""

    code = "birthday"
    label = _("Birthday")
    help = _("On a customer's birthday, or some days before it.")
    form = BirthdayForm

    def candidates(
        self, params: Mapping[str, Any], *, day: dt.date, now: dt.datetime, after: dt.datetime
    ) -> QuerySet[Customer]:
        birthday = day + dt.timedelta(days=params["days_before"])
        if params["ages"]:
            return Customer.objects.filter(birth_date__in=anniversaries(birthday, params["ages"]))
        on_the_day = Q(birth_date__month=birthday.month, birth_date__day=birthday.day)
        if counts_for_leap_day(birthday):
            on_the_day |= Q(birth_date__month=2, birth_date__day=29)
        return Customer.objects.filter(on_the_day, birth_date__lt=birthday)

    def is_useful(self, params: Mapping[str, Any], *, day: dt.date, today: dt.date) -> bool:
        return day + dt.timedelta(days=params["days_before"]) >= today

    def sentence(self, params: Mapping[str, Any]) -> str:
        days = params["days_before"]
        if days:
            words = ngettext("%(days)d day before the birthday", "%(days)d days before the birthday", days)
        else:
            words = str(_("on the birthday"))
        if params["ages"]:
            words += str(_(", for those who turn %(ages)s"))
        return words % {"days": days, "ages": ", ".join(map(str, params["ages"]))}


class MembershipYearsForm(forms.Form):
    COUNTED_FROM = [
        ("subscription", _("the start of the first subscription")),
        ("registration", _("the day of registration")),
    ]

    years = YearsField(
        label=_("After how many years"), most=MOST_YEARS, help_text=_("For example 1, 5, 10. Empty: every year.")
    )
    counted_from = forms.ChoiceField(label=_("Counted from"), choices=COUNTED_FROM, initial="subscription")


class MembershipYears(TriggerKind):
    """So many years a member, for those who still are; counted from the first subscription or from registration."""

    code = "membership_years"
    label = _("Years of membership")
    help = _("On the day somebody has been a member for a number of years, for those who still are.")
    form = MembershipYearsForm

    def candidates(
        self, params: Mapping[str, Any], *, day: dt.date, now: dt.datetime, after: dt.datetime
    ) -> QuerySet[Customer]:
        dates = anniversaries(day, params["years"] or range(1, MOST_YEARS + 1))
        if params["counted_from"] == "registration":
            return Customer.objects.filter(registered_on__in=dates, kind=Customer.Kind.MEMBER)
        earlier = Subscription.objects.filter(customer=OuterRef("customer"), started_on__lt=OuterRef("started_on"))
        first = Subscription.objects.filter(~Exists(earlier), started_on__in=dates)
        current = subscriptions_on(day).filter(customer=OuterRef("pk"))
        return Customer.objects.filter(Exists(current), pk__in=first.values("customer"))

    def sentence(self, params: Mapping[str, Any]) -> str:
        start = dict(MembershipYearsForm.COUNTED_FROM)[params["counted_from"]]
        if not params["years"]:
            return str(_("each year after %(start)s")) % {"start": start}
        words = _("%(years)s years after %(start)s")
        return str(words) % {"years": ", ".join(map(str, params["years"])), "start": start}
