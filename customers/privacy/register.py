"""The register of processing (AVG 30), drawn up from what the product really does: nothing in it is typed twice."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from django.conf import settings

from common.personal import personal_tables
from common.register import recipients
from customers.actions.retention import months_kept
from customers.facts import fact_kinds
from customers.models import Channel, Purpose, Source
from customers.models.consents import PurposeChannel
from customers.models.privacy import RegisterTexts
from customers.privacy.periods import chosen_rules


def register() -> dict[str, Any]:
    """Return everything the register shows: texts, purposes, sources, data, recipients, periods."""
    return {
        "texts": RegisterTexts.load(),
        "purposes": purposes(),
        "sources": list(Source.objects.exclude(kind=Source.Kind.PRODUCT)),
        "tables": [(table.name, list(table.shown.values())) for table in personal_tables if table.shown],
        "kinds": list(fact_kinds),
        "recipients": [(one, list(one.present())) for one in recipients],
        "periods": list(chosen_rules()),
        "fact_periods": [(kind, months) for code, months in months_kept().items() if (kind := fact_kinds.get(code))],
    }


def for_customers() -> dict[str, Any]:
    """Return the part that belongs in a copy for a customer (AVG 15(1))."""
    known = register()
    organisation = known["texts"].controller.strip() or settings.SITE_HOST
    return known | {"organisation": organisation.splitlines()[0]}


def purposes() -> list[dict[str, Any]]:
    """Return each ``purpose`` with ``bases``: (channel in words, basis in words), of the channels that are used."""
    found: dict[int, list[tuple[str, str]]] = defaultdict(list)
    used = PurposeChannel.objects.exclude(basis=PurposeChannel.Basis.NONE)
    for one in sorted(used, key=lambda row: Channel.values.index(row.channel)):
        found[one.purpose_id].append((str(Channel(one.channel).label), one.get_basis_display()))
    return [{"purpose": purpose, "bases": found[purpose.pk]} for purpose in Purpose.objects.all()]
