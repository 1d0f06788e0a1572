"""Template tags and filters that every face shares: money, chart figures, and the class a control gets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import template

from common.money import format_cents

register = template.Library()


@register.filter
def cents(value: int | None) -> str:
    """Show integer cents as Dutch euros; nothing for None."""
    return "" if value is None else format_cents(value)


@register.filter
def chart_rows(data: Mapping[str, Any]) -> list[tuple[str, list[Any]]]:
    """Turn chart data (labels, datasets with data) into table rows: (label, [one figure per dataset])."""
    columns = [dataset["data"] for dataset in data["datasets"]]
    return [(label, [column[index] for column in columns]) for index, label in enumerate(data["labels"])]
