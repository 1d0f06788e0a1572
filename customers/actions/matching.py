"""Find who may be one person, merge what is certain, and keep what people decided about the others."""

from __future__ import annotations

import datetime as dt
import json
import logging
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import pghistory
from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext as _

from common.errors import Refused
from common.locks import session_lock
from common.sql import execute, rows
from customers.actions.merging import merge_customers, merge_pairs
from customers.matching.blocking import find_pairs
from customers.matching.moving import gather_stragglers
from customers.matching.reading import Pair, read_pairs
from customers.matching.scoring import Score, score
from customers.models import Customer, MatchPair, MatchSettings, Merge

log = logging.getLogger(__name__)

BY_ITSELF = "system"
BATCH = 20_000  # customers looked at in one transaction
_ROUNDS = 5  # who absorbed somebody is looked at again, since he has more to be recognised by
# An import takes its moment when it starts and shows what it wrote when it is done.
_OVERLAP = dt.timedelta(hours=3)
_LOCK = 7_301_015  # one run of matching at a time


@dataclass
class Matched:
    """What a run did: pairs compared, pairs that wait for a person, pairs merged."""

    compared: int = 0
    possible: int = 0
    merged: int = 0

    def add(self, other: Matched) -> None:
        """Add what another batch did."""
        self.compared += other.compared
        self.possible += other.possible
        self.merged += other.merged


@transaction.atomic
def match_customers(
    customers_sql: str, values: Mapping[str, Any] | None = None, *, now: dt.datetime, rounds: int = _ROUNDS
) -> Matched:
    """Compare the customers that ``customers_sql`` yields (ids) with everybody; merge what is certain, keep the rest.

    Certain: at or above the threshold, without any reason for a person to look. Pairs that were judged before are
    left alone; open ones that no longer look alike go.
    """
    limits = MatchSettings.load()
    done = Matched(compared=find_pairs(customers_sql, values))
    execute("CREATE TEMPORARY TABLE IF NOT EXISTS match_found (LIKE customers_matchpair) ON COMMIT DELETE ROWS")
    execute("TRUNCATE match_found")
    certain: list[tuple[int, int, int]] = []
    for chunk in read_pairs():
        judged = [(pair, score(pair.first, pair.second, same_source=pair.same_source)) for pair in chunk]
        certain += [(result.points, p.first_id, p.second_id) for p, result in judged if _is_certain(result, limits)]
        _write(judged, limits)
    done.possible = _keep(now)
    chosen = _apart(certain) if limits.merges_itself else []
    if chosen:
        merges = merge_pairs(_who_is_kept(chosen), by=BY_ITSELF, now=now)
        done.merged, done.possible = len(merges), done.possible - len(merges)
        if rounds > 1:
            again = {"kept": [merge.kept_id for merge in merges]}
            more = match_customers("SELECT unnest(%(kept)s::bigint[])", again, now=now, rounds=rounds - 1)
            done.merged += more.merged
    return done


def match_lock() -> AbstractContextManager[bool]:
    """Hold the lock of matching while the block lasts; yield whether we have it, without waiting for another run."""
    return session_lock(_LOCK, wait=False)


def match_changed(*, now: dt.datetime) -> Matched:
    """Compare everybody who is new or changed since the last run, in batches that are committed one by one.

    Broken off, it starts again where the last complete run ended; comparing twice does no harm. Hold ``match_lock``
    meanwhile: two at a time would do the same work twice.
    """
    settings, _created = MatchSettings.objects.get_or_create(pk=1)
    since = settings.matched_at - _OVERLAP if settings.matched_at else None
    done, last = Matched(), 0
    while ids := _next(since, last):
        with transaction.atomic():
            done.add(match_customers("SELECT unnest(%(ids)s::bigint[])", {"ids": ids}, now=now))
        last = ids[-1]
    gather_stragglers()
    MatchSettings.objects.filter(pk=1).update(matched_at=now)
    log.info("matching compared %s pairs, merged %s", done.compared, done.merged)
    return done


@transaction.atomic
def decide_pair(
    pair: MatchPair, *, is_same: bool, kept: Customer | None = None, by: User, now: dt.datetime
) -> Merge | None:
    """Merge the two of a pair into ``kept`` (one of them), or remember that they are two persons.

    Returns the merge. Raises Refused when the pair was judged already, or merging them is not possible.
    """
    pair = MatchPair.objects.select_for_update().select_related("first", "second").get(pk=pair.pk)
    if pair.state != MatchPair.State.OPEN:
        raise Refused("already_judged", _("Somebody judged these two already."))
    if is_same:
        kept = kept or pair.first
        if kept.pk not in (pair.first_id, pair.second_id):
            raise Refused("not_of_pair", _("Choose one of the two."), field="kept")
        return merge_customers(kept, pair.second if kept.pk == pair.first_id else pair.first, by=by, now=now)
    pair.state, pair.decided_at = MatchPair.State.DIFFERENT, now
    pair.decided_by = by.get_full_name() or by.get_username()
    pair.save(update_fields=["state", "decided_by", "decided_at"])
    return None


@transaction.atomic
def reopen_pair(pair: MatchPair, *, by: User) -> MatchPair:
    """Take back that two customers are not the same person; they wait for a judgement again."""
    pair = MatchPair.objects.select_for_update().get(pk=pair.pk)
    if pair.state != MatchPair.State.DIFFERENT:
        raise Refused("not_judged", _("Only pairs that were judged to be two persons can be judged again."))
    pair.state, pair.decided_by, pair.decided_at = MatchPair.State.OPEN, "", None
    pair.save(update_fields=["state", "decided_by", "decided_at"])
    log.info("user %s reopened pair %s", by.pk, pair.pk)
    return pair


@transaction.atomic
def change_match_settings(*, possible_from: int, certain_from: int, merges_itself: bool, by: User) -> MatchSettings:
    """Change from which likelihood pairs are shown and merge by themselves (1 to 100); raises Refused."""
    if not 1 <= possible_from <= certain_from <= 100:
        raise Refused(
            "thresholds", _("Take two numbers from 1 to 100, the second at least the first."), field="certain_from"
        )
    settings, _created = MatchSettings.objects.select_for_update().get_or_create(pk=1)
    settings.possible_from, settings.certain_from = possible_from, certain_from
    settings.merges_itself = merges_itself
    with pghistory.context(user=by.pk):
        settings.save(update_fields=["possible_from", "certain_from", "merges_itself"])
    return settings


def _is_certain(result: Score, limits: MatchSettings) -> bool:
    return result.points >= limits.certain_from and not result.needs_eyes


def _next(since: dt.datetime | None, last: int) -> list[int]:
    """Return the ids of the next batch of those who changed."""
    changed = Customer.objects.filter(pk__gt=last)
    if since:
        changed = changed.filter(updated_at__gt=since)
    return list(changed.order_by("pk").values_list("pk", flat=True)[:BATCH])


def _write(judged: Iterable[tuple[Pair, Score]], limits: MatchSettings) -> None:
    found = [
        {"first": pair.first_id, "second": pair.second_id, "score": result.points, "reasons": result.reasons}
        for pair, result in judged
        if result.points >= limits.possible_from
    ]
    execute(
        """INSERT INTO match_found (id, first_id, second_id, score, reasons, state, found_at, decided_by)
        SELECT 0, first, second, score, reasons, 'open', now(), ''
        FROM jsonb_to_recordset(%s::jsonb) AS found (first bigint, second bigint, score int, reasons jsonb)""",
        [json.dumps(found)],
    )


def _keep(now: dt.datetime) -> int:
    """Write what was found beside what people decided; return how many wait."""
    execute(
        """
        DELETE FROM customers_matchpair AS pair WHERE state = 'open' AND (
            first_id IN (SELECT id FROM match_target) OR second_id IN (SELECT id FROM match_target)
        ) AND NOT EXISTS (
            SELECT FROM match_found AS found
            WHERE found.first_id = pair.first_id AND found.second_id = pair.second_id
        )
        """
    )
    return execute(
        """
        INSERT INTO customers_matchpair AS pair (first_id, second_id, score, reasons, state, found_at, decided_by)
        SELECT first_id, second_id, score, reasons, 'open', %(now)s, '' FROM match_found
        ON CONFLICT (first_id, second_id) DO UPDATE SET score = excluded.score, reasons = excluded.reasons,
            state = 'open', decided_by = '', decided_at = NULL,
            found_at = CASE WHEN pair.state = 'open' THEN pair.found_at ELSE excluded.found_at END
        WHERE pair.state <> 'different'
        """,
        {"now": now},
    )


def _apart(certain: list[tuple[int, int, int]]) -> list[tuple[int, int]]:
    """Return pairs in which nobody is twice, the most certain first; the others wait for the next round."""
    chosen, taken = [], set[int]()
    for _points, first, second in sorted(certain, key=lambda pair: (-pair[0], pair[1:])):
        if not taken & {first, second}:
            taken |= {first, second}
            chosen.append((first, second))
    return chosen


def _who_is_kept(pairs: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return (kept, absorbed): members go before others, then whom we have known longest."""
    ranked = rows(
        """SELECT id, row_number() OVER (ORDER BY kind <> 'member', created_at, id) AS place
        FROM customers_customer WHERE id = ANY (%s)""",
        [[one for pair in pairs for one in pair]],
    )
    place = {row["id"]: row["place"] for row in ranked}
    return [(first, second) if place[first] < place[second] else (second, first) for first, second in pairs]
