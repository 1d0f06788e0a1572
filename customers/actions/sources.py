"""Where data comes from, and the base data of every installation."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from django.apps import apps
from django.db import transaction
from django.utils.text import slugify
from django.utils.translation import gettext as _

from common.errors import Refused
from customers import base
from customers.consents.channels import ensure_channels
from customers.golden import refresh_sql
from customers.holidays import ensure_holidays
from customers.models import FieldRank, Source, SourceRecord


@transaction.atomic
def ensure_base_data() -> None:
    """Add the sources, purposes, worlds and school holidays that are missing; safe to repeat, renames by staff stay."""
    known = set(Source.objects.values_list("code", flat=True))
    for code in base.SOURCES.keys() - known:
        source(code)
    base.ensure_rows(lambda name: apps.get_model("customers", name))
    ensure_channels(lambda name: apps.get_model("customers", name))
    ensure_holidays(lambda name: apps.get_model("customers", name))


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


@transaction.atomic
def save_source(
    known: Source | None,
    *,
    name: str,
    kind: str,
    rank: int,
    number_prefix: str,
    ranks: Mapping[str, int | None],
    now: dt.datetime,
) -> Source:
    """Make a source, or change one; ``ranks`` are its exceptions per field (None: as the source itself).

    Customers follow the new precedence shortly after: ``follow_precedence``. Raises Refused with the field.
    """
    told = known and Source.objects.select_for_update().get(pk=known.pk)
    same = Source.objects.filter(name__iexact=name)
    if (same.exclude(pk=told.pk) if told else same).exists():
        raise Refused("name_taken", _("There is a source of this name already."), field="name")
    number_prefix = number_prefix.strip()
    if (
        number_prefix
        and told
        and told.number_prefix != number_prefix
        and SourceRecord.objects.filter(source=told).exists()
    ):
        message = _("Customers came in under the old prefix already. It cannot be changed any more.")
        raise Refused("prefix_in_use", message, field="number_prefix")
    before = (told.kind, told.rank, _ranks(told)) if told else None
    if told is None:
        told = Source(code=_free_code(name))
    told.name, told.kind, told.rank, told.number_prefix = name, kind, rank, number_prefix
    told.save()
    wanted = {field: one for field, one in ranks.items() if one is not None and one != rank}
    told.field_ranks.exclude(field__in=wanted).delete()
    for field, one in wanted.items():
        FieldRank.objects.update_or_create(source=told, field=field, defaults={"rank": one})
    if before is not None and before != (told.kind, told.rank, wanted):
        told.reranked_at = now
        told.save(update_fields=["reranked_at"])
    return told


def _ranks(told: Source) -> dict[str, int]:
    return dict(told.field_ranks.values_list("field", "rank"))


def _free_code(name: str) -> str:
    code = slugify(name)[:36] or "bron"
    taken = set(Source.objects.filter(code__startswith=code).values_list("code", flat=True))
    return next(one for one in (code, *(f"{code}-{number}" for number in range(2, 1000))) if one not in taken)


def follow_precedence(*, now: dt.datetime) -> int:
    """Derive everybody anew of whom a source with a new precedence says something; return how many changed.

    One statement per source; broken off, it begins again.
    """
    changed = 0
    for told in Source.objects.filter(reranked_at__isnull=False).order_by("pk"):
        with transaction.atomic():
            changed += refresh_sql(
                "SELECT customer_id FROM customers_sourcerecord WHERE source_id = %(told)s", {"told": told.pk}, now=now
            )
            Source.objects.filter(pk=told.pk, reranked_at=told.reranked_at).update(reranked_at=None)
    return changed
