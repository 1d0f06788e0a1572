"""The table of customers."""

from __future__ import annotations

from typing import Any

import django_tables2 as tables
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from customers.models import Customer
from customers.search import Why
from workbench.columns import BadgeColumn, EmailColumn, MomentColumn

KIND_TONES = {"member": "brand", "newsletter": "info", "prospect": "accent", "former": "neutral"}
NOWRAP = {"td": {"class": "text-nowrap"}}


class CustomerTable(tables.Table):
    """When somebody is searched for, it says why each was found; otherwise since when each is registered."""

    customer = tables.Column(
        verbose_name=gettext_lazy("Name"),
        accessor="full_name",
        order_by="name_key",
        empty_values=(),
        linkify=("workbench:customer_detail", {"pk": tables.A("pk")}),
        attrs=NOWRAP,
    )
    number = tables.Column(verbose_name=gettext_lazy("Number"))
    birth_date = MomentColumn(verbose_name=gettext_lazy("Born"), attrs=NOWRAP)
    city = tables.Column(verbose_name=gettext_lazy("Place"), default="–")
    kind = BadgeColumn(verbose_name=gettext_lazy("Kind"), tones=KIND_TONES, accessor="kind")
    email = EmailColumn(verbose_name=gettext_lazy("E-mail"), orderable=False)
    branch = tables.Column(verbose_name=gettext_lazy("Branch"), default="–", order_by="branch__name")
    registered_on = MomentColumn(verbose_name=gettext_lazy("Registered"), default="–", attrs=NOWRAP)
    why = tables.Column(verbose_name=gettext_lazy("Found by"), orderable=False, accessor="pk")

    class Meta:
        model = Customer
        fields = ("customer", "number", "birth_date", "city", "kind", "email", "branch", "registered_on", "why")

    def __init__(self, *args: Any, request: HttpRequest, **kwargs: Any) -> None:
        is_search = bool(request.GET.get("q", "").strip())
        hidden = ("registered_on",) if is_search else ("why",)
        super().__init__(*args, request=request, exclude=hidden, **kwargs)

    def render_customer(self, record: Customer) -> str:
        name = record.full_name or getattr(record, "email", "") or record.number
        return _("%s (deceased)") % name if record.deceased_on else name

    def render_why(self, record: Any) -> str:
        label = str(Why(record.why).label)
        return f"{label}: {record.matched}" if record.matched else label
