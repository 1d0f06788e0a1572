"""The tables of who has a label, and of what its rule did."""

from __future__ import annotations

import django_tables2 as tables
from django.utils.translation import gettext_lazy as _

from labels.models import Assignment
from workbench.columns import MomentColumn


class HolderTable(tables.Table):
    number = tables.Column(accessor="customer__number", verbose_name=_("Number"))
    customer = tables.TemplateColumn(
        template_name="workbench/_labels_holder.html",
        verbose_name=_("Customer"),
        order_by=("customer__last_name", "customer__first_name"),
    )
    branch = tables.Column(accessor="customer__branch", verbose_name=_("Branch"), default="–")
    since = MomentColumn(verbose_name=_("Since"))
    given_by = tables.Column(accessor="given_words", verbose_name=_("Given"), order_by=("given_how", "given_by"))
    reason = tables.Column(verbose_name=_("Reason"), default="–")
    take = tables.TemplateColumn(
        template_name="workbench/_labels_take.html",
        verbose_name=_("Take away"),
        orderable=False,
        exclude_from_export=True,
    )

    class Meta:
        model = Assignment
        fields = ("customer", "number", "branch", "since", "given_by", "reason", "take")
        order_by = "-since"
