"""Vouchers in the timeline of a customer."""

from __future__ import annotations

from typing import Any

from django.db.models import F, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from customers.timeline import OUTBOUND, Moment, QueryPart, parts
from vouchers.models import Voucher


class Vouchers(QueryPart):
    """Vouchers that were given; redeeming one is a fact."""

    code = kind = "voucher"
    name = gettext_lazy("Vouchers")
    place = 30
    way = OUTBOUND
    source = "vouchers"

    def rows(self) -> QuerySet[Any]:
        return Voucher.objects.filter(customer=self.customer).annotate(at=F("issued_at"))

    def moments(self, ids: list[int]) -> dict[int, Moment]:
        vouchers = Voucher.objects.filter(pk__in=ids).select_related("definition")
        return {
            voucher.pk: Moment(
                voucher.issued_at,
                "ticket-percent",
                _("Got the voucher “%s”") % voucher.definition.name,
                voucher.get_state_display(),
                "accent",
            )
            for voucher in vouchers
        }


parts.register(Vouchers)
