"""The parts of which a customer has a handful: subscriptions, what sources brought, merges, privacy."""

from __future__ import annotations

import datetime as dt

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common.money import format_cents
from common.time import clock, start_of_day
from customers.models import AccessRequest, Merge, SourceRecord, Subscription
from customers.records import FIELDS
from customers.timeline.base import About, ListPart, Moment, parts
from customers.timeline.words import by, joined


class Subscriptions(ListPart):
    """First and last days of memberships; what is to come is not history yet."""

    code = kind = "subscription"
    name = gettext_lazy("Subscriptions")
    place = 80

    def all(self) -> list[Moment]:
        held = Subscription.objects.filter(customer=self.customer).select_related("source").order_by("pk")
        if self.wish.source:
            held = held.filter(source__code=self.wish.source)
        now, moments = clock(), []
        for one in held:
            price = joined([format_cents(one.price_cents) if one.price_cents else "", str(one.source)])
            start = start_of_day(one.started_on)
            moments.append(
                Moment(start, "id-card", _("Subscription began: %s") % one.name, price, "success", day_only=True)
            )
            if one.ended_on:
                end = start_of_day(one.ended_on)
                moments.append(
                    Moment(end, "id-card", _("Subscription ended: %s") % one.name, str(one.source), day_only=True)
                )
        return [moment for moment in moments if moment.when <= now]


class Records(ListPart):
    """When a source first brought the person, and when it last said something else of a field."""

    code = kind = "record"
    name = gettext_lazy("Brought by sources")
    place = 90

    def all(self) -> list[Moment]:
        records = SourceRecord.objects.filter(customer=self.customer).select_related("source").order_by("pk")
        if self.wish.source:
            records = records.filter(source__code=self.wish.source)
        return [moment for record in records for moment in self._of(record)]

    def _of(self, record: SourceRecord) -> list[Moment]:
        run = About("import", record.run_id) if record.run_id else None
        first = Moment(
            record.created_at,
            "file-down",
            _("First brought by %s") % record.source,
            _("number %s") % record.key,
            "brand",
            run,
        )
        later: dict[str, list[str]] = {}
        for field, moment in sorted(record.changed.items()):
            later.setdefault(moment, []).append(str(FIELDS[field].name) if field in FIELDS else field)
        return [
            first,
            *(
                Moment(when, "file-down", _("%s says something new") % record.source, ", ".join(fields), "brand")
                for moment, fields in sorted(later.items())
                if (when := dt.datetime.fromisoformat(moment)) > record.created_at
            ),
        ]


class Merges(ListPart):
    """Others who turned out to be this person, and merges that were taken apart again: by whom, and how likely."""

    code = kind = "merge"
    name = gettext_lazy("Merges")
    place = 100

    def is_wanted(self) -> bool:
        return super().is_wanted() and self.wish.source in ("", "workbench")

    def all(self) -> list[Moment]:
        return [moment for merge in Merge.objects.about(self.customer).order_by("pk") for moment in self._of(merge)]

    def _of(self, merge: Merge) -> list[Moment]:
        if merge.absorbed_id == self.customer.pk:
            done, undone, number = _("Taken up in customer %s"), _("Separate again from customer %s"), merge.kept.number
        else:
            done, undone = _("Merged with customer %s"), _("Merge with customer %s undone")
            number = merge.absorbed.number
        page = About("merge", merge.pk)
        likeness = _("likelihood %d out of 100") % merge.score
        who = by(merge.merged_by) or _("by itself")
        moments = [Moment(merge.merged_at, "merge", done % number, joined([who, likeness]), "accent", page)]
        if merge.undone_at:
            moments.append(Moment(merge.undone_at, "split", undone % number, by(merge.undone_by), "accent", page))
        return moments


class Privacy(ListPart):
    """Copies of the data that were asked for, and a restriction that holds now."""

    code = kind = "privacy"
    name = gettext_lazy("Privacy")
    place = 110

    def is_wanted(self) -> bool:
        return super().is_wanted() and not self.wish.source

    def all(self) -> list[Moment]:
        asked = [
            Moment(one.asked_at, "file-lock", _("Asked for a copy of the data"), by(one.asked_by), "info")
            for one in AccessRequest.objects.filter(customer=self.customer).order_by("pk")
        ]
        since = self.customer.restricted_at
        return [*asked, Moment(since, "lock", _("Use of the data restricted"), "", "warning")] if since else asked


for _part in (Subscriptions, Records, Merges, Privacy):
    parts.register(_part)
