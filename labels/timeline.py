"""Labels in the timeline of a customer: when they came, and when they went."""

from __future__ import annotations

from typing import Any

from django.db.models import F, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from customers.timeline import Moment, QueryPart, parts
from customers.timeline.words import by, joined
from labels.models import Assignment


class LabelsGiven(QueryPart):
    """Labels from the moment they were given."""

    code = "label"
    kind = "label"
    name = gettext_lazy("Labels")
    place = 50

    def rows(self) -> QuerySet[Any]:
        return Assignment.objects.filter(customer=self.customer).annotate(at=F("since"))

    def moments(self, ids: list[int]) -> dict[int, Moment]:
        held = Assignment.objects.filter(pk__in=ids).select_related("label__group")
        return {
            one.pk: Moment(
                one.since, "tag", _("Got the label “%s”") % one.label, joined([one.reason, by(one.given_by)]), "info"
            )
            for one in held
        }


class LabelsTaken(QueryPart):
    """Labels that ended."""

    code = "label_end"
    kind = "label"
    name = gettext_lazy("Labels")
    place = 51

    def rows(self) -> QuerySet[Any]:
        return Assignment.objects.filter(customer=self.customer, until__isnull=False).annotate(at=F("until"))

    def moments(self, ids: list[int]) -> dict[int, Moment]:
        held = Assignment.objects.filter(pk__in=ids).select_related("label__group")
        return {
            one.pk: Moment(one.until or one.since, "tag", _("Lost the label “%s”") % one.label, by(one.taken_by))
            for one in held
        }


parts.register(LabelsGiven)
parts.register(LabelsTaken)
