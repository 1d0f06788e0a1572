"""The table of customers."""

from __future__ import annotations

import django_tables2 as tables
from django.utils.translation import gettext_lazy as _

from customers.models import Customer
from workbench.columns import BadgeColumn, EmailColumn, MomentColumn

KIND_TONES = {"member": "brand", "newsletter": "info", "prospect": "accent", "former": "neutral"}


class CustomerTable(tables.Table):
    customer = tables.Column(
        verbose_name=_("Name"),
        accessor="full_name",
        order_by="name_key",
        empty_values=(),
        linkify=("workbench:customer_detail", {"pk": tables.A("pk")}),
        attrs={"td": {"class": "text-nowrap"}},
    )
    number = tables.Column(verbose_name=_("Number"))
    kind = BadgeColumn(verbose_name=_("Kind"), tones=KIND_TONES, accessor="kind")
    email = EmailColumn(verbose_name=_("E-mail"), orderable=False)
    branch = tables.Column(verbose_name=_("Branch"), default="–", order_by="branch__name")
    registered_on = MomentColumn(verbose_name=_("Registered"), default="–", attrs={"td": {"class": "text-nowrap"}})

    class Meta:
        model = Customer
        fields = ("customer", "number", "kind", "email", "branch", "registered_on")

    def render_customer(self, record: Customer) -> str:
        return record.full_name or getattr(record, "email", "") or record.number
