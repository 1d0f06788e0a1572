"""Where data comes from, and the base data of every installation."""

from __future__ import annotations

from django.apps import apps
from django.db import transaction
from django.utils.translation import gettext as _

from common.errors import Refused
from customers import base
from customers.models import FieldRank, Source


@transaction.atomic
def ensure_base_data() -> None:
    """Add the sources, purposes and worlds that are missing; safe to repeat, renames by staff stay."""
    known = set(Source.objects.values_list("code", flat=True))
    for code in base.SOURCES.keys() - known:
        source(code)
    base.ensure_rows(lambda name: apps.get_model("customers", name))


def source(code: str) -> Source:
    """Return the source with this code, making it when it is one of ours; raises Refused for an unknown one."""
    found = Source.objects.filter(code=code).first()
    if found is None and code in base.SOURCES:
        kind, rank = base.SOURCE_KINDS[code]
        found, is_new = Source.objects.get_or_create(
            code=code, defaults={"name": base.SOURCES[code], "kind": kind, "rank": rank}
        )
        if is_new and kind == Source.Kind.PEOPLE:
            ranks = [FieldRank(source=found, field=field, rank=rank) for field, rank in base.FIELDS_OF_PEOPLE.items()]
            FieldRank.objects.bulk_create(ranks, ignore_conflicts=True)
    if found is None:
        raise Refused("unknown_source", _("The source “%s” does not exist.") % code, field="source")
    return found
