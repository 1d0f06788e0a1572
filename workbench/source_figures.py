"""What each source has brought: one statement per table, kept for an hour, since there may be millions of facts."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from django.core.cache import cache
from django.db.models import Count, Max, Q, Sum
from django.utils.translation import gettext as _

from customers.imports import FORMATS
from customers.models import Consent, FactTally, FieldRank, ImportRun, Note, Source, SourceRecord, Subscription
from customers.records import ADDRESS, FIELDS, Voice

LATELY = dt.timedelta(days=30)
KEPT_SECONDS = 3600
KEY = "source-inventory"

Counts = dict[int, dict[str, int]]


def inventory(*, now: dt.datetime) -> dict[str, Any]:
    """Return ``rows``, one per source: what it delivers, when last, how much, what was refused; ``believed``: which
    sources go first about which fields; ``counted_at`` tells how old the counts are.
    """
    counted: dict[str, Any] = cache.get(KEY) or {}
    if not counted:
        counted = {"at": now, "counts": _count()}
        cache.set(KEY, counted, KEPT_SECONDS)
    sources = list(Source.objects.exclude(kind=Source.Kind.PRODUCT).order_by("rank", "name"))
    runs = _runs(now)
    shown = [
        {
            "source": source,
            "counts": counted["counts"].get(source.pk, {}),
            **runs.get(source.pk, {"formats": [], "last_at": None, "refused": 0, "failed": 0}),
        }
        for source in sources
    ]
    return {"rows": shown, "believed": _believed(sources), "counted_at": counted["at"]}


def _count() -> Counts:
    """Return source -> what -> how many; what this source says itself, also of who was merged."""
    found: Counts = defaultdict(dict)
    tables = {"records": SourceRecord, "subscriptions": Subscription, "consents": Consent, "notes": Note}
    for what, model in tables.items():
        counted = model._default_manager.order_by().values_list("source").annotate(many=Count("pk"))
        for source, many in counted:
            found[source][what] = many
    for source, many in FactTally.objects.order_by().values_list("source").annotate(many=Sum("count")):
        found[source]["facts"] = many
    return dict(found)


def _runs(now: dt.datetime) -> dict[int, dict[str, Any]]:
    """Return per source the formats of its files, the last one taken in, and what went wrong lately."""
    lately = Q(created_at__gte=now - LATELY)
    grouped = (
        ImportRun.objects.order_by()
        .values("source", "format")
        .annotate(
            last_at=Max("finished_at", filter=Q(state=ImportRun.State.DONE)),
            refused=Sum("refused_count", filter=lately, default=0),
            failed=Count("pk", filter=lately & Q(state=ImportRun.State.REFUSED)),
        )
    )
    found: dict[int, dict[str, Any]] = {}
    for row in sorted(grouped, key=lambda row: str(row["format"])):
        one = found.setdefault(row["source"], {"formats": [], "last_at": None, "refused": 0, "failed": 0})
        known = FORMATS.get(row["format"])
        one["formats"].append(str(known.name).partition(" (")[0] if known else row["format"])
        one["last_at"] = max(filter(None, [one["last_at"], row["last_at"]]), default=None)
        one["refused"] += row["refused"]
        one["failed"] += row["failed"]
    return found


def _believed(sources: Iterable[Source]) -> list[tuple[list[str], list[str]]]:
    """Return pairs of fields and the sources whose word goes before all others' about these; the names of both."""
    ranks: dict[int, dict[str, int]] = defaultdict(dict)
    for source, part, rank in FieldRank.objects.values_list("source", "field", "rank"):
        ranks[source][part] = rank
    voices = {one.name: Voice(one.rank, one.kind == Source.Kind.PEOPLE, ranks[one.pk]) for one in sources}
    found: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for code, field in FIELDS.items():
        if code in ADDRESS[1:]:
            continue
        first = min((voice.rank_of(code) for voice in voices.values()), default=0)
        believed = tuple(name for name, voice in voices.items() if voice.rank_of(code) == first)
        found[believed].append(_("address") if code in ADDRESS else str(field.name))
    return [(fields, list(names)) for names, fields in found.items()]
