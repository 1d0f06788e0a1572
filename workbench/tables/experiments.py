"""The table of tests of versions."""

from __future__ import annotations

import django_tables2 as tables
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from mailings.models import Experiment
from workbench.columns import MomentColumn
from workbench.experiments import metric_words, status_of


class ExperimentTable(tables.Table):
    name = tables.Column(
        accessor="pk", verbose_name=_("Message"), order_by="content__name",
        linkify=("workbench:experiment_detail", {"pk": tables.A("pk")}),
    )  # fmt: skip
    state = tables.Column(accessor="pk", verbose_name=_("State"), orderable=False)
    metric = tables.Column(verbose_name=_("What counts"))
    started_at = MomentColumn(verbose_name=_("Started"))
    decided_at = MomentColumn(verbose_name=_("Decided at"))
    outcome = tables.Column(verbose_name=_("Outcome"), empty_values=())

    class Meta:
        model = Experiment
        fields = ("name", "state", "metric", "started_at", "decided_at", "outcome")

    def render_name(self, record: Experiment) -> str:
        return str(record)

    def render_metric(self, record: Experiment) -> str:
        return metric_words(record)

    def render_state(self, record: Experiment) -> SafeString:
        status = status_of(record)
        return format_html('<span class="tag tag-{}">{}</span>', status.tone, status.words)

    def render_outcome(self, record: Experiment) -> str:
        if record.winner is None:
            return "–"
        return f"{record.winner.letter}: {record.get_outcome_display()}"
