"""The labels a customer sticks on himself: choosing, searching, taking off, and what he had before."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from common.time import local_date
from labels.actions import choose_labels, take_off
from labels.models import Assignment, Label, LabelGroup
from mijnmenu.views.base import CustomerView

HISTORY = 20


@dataclass(frozen=True)
class Sticker:
    """A label as it is shown: since when the customer has it, None when he has not."""

    label: Label
    since: dt.datetime | None


class Interests(CustomerView):
    part = "interests"
    template_name = "mijnmenu/interests.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        words = request.GET.get("q", "").strip()[:60]
        own = self.customer.label_assignments.filter(label__kind=Label.Kind.CUSTOMER)
        since = dict(own.filter(until=None).values_list("label_id", "since"))
        labels = Label.objects.for_customers().valid_on(local_date(self.now)).select_related("group")
        groups: dict[LabelGroup | None, list[Sticker]] = {}
        for label in labels.order_by("group__name", "rank", "name"):
            groups.setdefault(label.group, []).append(Sticker(label, since.get(label.pk)))
        mine = own.filter(until=None).select_related("label__group").order_by("label__name")
        ended = own.filter(until__isnull=False).select_related("label").order_by("-until")[:HISTORY]
        return self.show(
            groups=_found(groups, words),
            has_labels=bool(groups),
            mine=mine,
            history=[(one, _ended(one)) for one in ended],
            q=words,
        )

    def post(self, request: HttpRequest) -> HttpResponse:
        sent: Any = request.POST
        codes = {code for name in sent if name.startswith("labels") for code in sent.getlist(name)}
        shown = set(sent.getlist("shown")) if "shown" in sent else None
        choose_labels(self.customer, codes=codes - {""}, shown=shown, now=self.now)
        messages.success(request, _("Your interests have been saved. Thank you!"))
        return redirect("mijnmenu:interests")


class TakeOff(CustomerView):
    """Take one label off."""

    part = "interests"
    http_method_names = ["post"]

    def post(self, request: HttpRequest, code: str) -> HttpResponse:
        if take_off(self.customer, code=code, now=self.now):
            messages.success(request, _("It has been taken off. It holds at once."))
        return redirect("mijnmenu:interests")


def _found(groups: dict[LabelGroup | None, list[Sticker]], words: str) -> list[tuple[LabelGroup | None, list[Sticker]]]:
    """Return the groups with the labels in which the words stand; of which one is chosen, the group as a whole."""
    sought, found = words.casefold(), []
    for group, stickers in groups.items():
        is_named = group is not None and sought in f"{group.name} {group.description}".casefold()
        fitting = [one for one in stickers if sought in f"{one.label.name} {one.label.description}".casefold()]
        if is_named or (fitting and group is not None and group.is_exclusive):
            fitting = stickers
        if fitting:
            found.append((group, fitting))
    return found


def _ended(held: Assignment) -> str:
    """Return why a label ended, in words for the customer."""
    words = {
        "customer": _("taken off by you"),
        "group": _("you chose another one instead"),
        "age": _("ended after %(days)s days") % {"days": held.label.max_age_days or ""},
        "validity": _("no longer offered"),
        "merge": _("your details were brought together"),
    }
    return words.get(held.how_taken, _("ended by us"))
