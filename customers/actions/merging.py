"""Take up one person's row in another's, and take such a merge apart again with every row back where it was."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext as _

from common.errors import Refused
from common.sql import execute, rows
from customers import golden
from customers.matching import moving, parting
from customers.matching.reading import read_two
from customers.matching.scoring import score
from customers.models import Customer, Guardianship, MatchPair, Merge
from customers.recording import recount_totals
from customers.records import FIELDS

By = User | str
_UNDO_LOCK = 7_301_016  # one merge is taken apart at a time

BOTH = "SELECT kept_id FROM merging UNION ALL SELECT absorbed_id FROM merging"

# Not said by any source: who is kept takes over what he lacks.
_TAKE_OVER = """
    UPDATE customers_customer AS kept
    SET restricted_at = least(kept.restricted_at, absorbed.restricted_at),
        address_state = CASE WHEN (kept.postal_code, kept.house_number, kept.house_number_addition)
            = (absorbed.postal_code, absorbed.house_number, absorbed.house_number_addition)
            THEN coalesce(nullif(kept.address_state, ''), absorbed.address_state) ELSE kept.address_state END,
        updated_at = %(now)s
    FROM merging JOIN customers_customer AS absorbed ON absorbed.id = merging.absorbed_id
    WHERE kept.id = merging.kept_id
"""
#: Columns of the kept row that undoing puts back when nobody wrote in them since.
OWN_COLUMNS = ("restricted_at", "address_state")


@transaction.atomic
def merge_customers(kept: Customer, absorbed: Customer, *, by: By, now: dt.datetime) -> Merge:
    """Give everything of ``absorbed`` to ``kept``; its number leads there from now on.

    Raises Refused when they are one row, one of them was merged already, or one is the other's parent.
    """
    if kept.pk == absorbed.pk:
        raise Refused("same_customer", _("This is one and the same customer. Choose another one."))
    locked = Customer.everyone.select_for_update().filter(pk__in=[kept.pk, absorbed.pk]).order_by("pk")
    found = {row.pk: row for row in locked}
    for one in (found[kept.pk], found[absorbed.pk]):
        if one.merged_into_id:
            raise Refused(
                "already_merged",
                _("Customer %s was merged into another one already. Undo that first, or choose that one.") % one.number,
            )
    pair = [kept.pk, absorbed.pk]
    if Guardianship.objects.filter(child__in=pair, guardian__in=pair).exists():
        raise Refused(
            "parent_and_child",
            _("One is recorded as the parent of the other. If that is wrong, remove the parent first."),
        )
    both = read_two(*pair)
    likeness = score(both.first, both.second, same_source=both.same_source)
    [merge] = merge_pairs([(kept.pk, absorbed.pk)], by=by, now=now)
    merge.score, merge.reasons = likeness.points, likeness.reasons
    merge.save(update_fields=["score", "reasons"])
    return merge


@transaction.atomic
def merge_pairs(pairs: Sequence[tuple[int, int]], *, by: By, now: dt.datetime) -> list[Merge]:
    """Merge many at once, (kept, absorbed) each, by statement; nobody may be in two pairs. The ids are locked here.

    Pairs of which one was merged in the meantime are left out. What may be merged is the caller's to know.
    """
    ids = sorted(one for pair in pairs for one in pair)
    if len(set(ids)) < len(ids):
        raise ValueError("somebody is in two pairs")
    present = set(Customer.objects.select_for_update().filter(pk__in=ids).order_by("pk").values_list("pk", flat=True))
    pairs = [pair for pair in pairs if present.issuperset(pair)]
    golden.adopt_sql("SELECT unnest(%(ids)s::bigint[])", {"ids": ids})
    merges = _write_merges(pairs, by=by, now=now)
    _join(merges, now=now)
    _note_pairs(by=by, now=now)
    return merges


@transaction.atomic
def undo_merge(merge: Merge, *, by: By, now: dt.datetime) -> Merge:
    """Take a merge apart: everything that moved goes back, and what imports brought since under the absorbed one's
    number; the rest of what came since stays with who was kept, and refusals and restrictions hold for both.

    Later merges of the same people are taken apart first and made again, so that it ends as if this one had never
    been. They are remembered as two persons. Raises Refused when it was undone already.
    """
    execute("SELECT pg_advisory_xact_lock(%s)", [_UNDO_LOCK])
    merge = Merge.objects.get(pk=merge.pk)
    if merge.undone_at:
        raise Refused("already_undone", _("This merge was undone already."))
    later = _lock_group(merge)
    for one in reversed(later):
        _split(one, now=now)
    _split(merge, now=now)
    merge.undone_by, merge.undone_at = _name(by), now
    merge.save(update_fields=["undone_by", "undone_at"])
    for one in later:
        _join([one], now=one.merged_at, refreshed_at=now)
    first, second = sorted((merge.kept_id, merge.absorbed_id))
    MatchPair.objects.update_or_create(
        first_id=first,
        second_id=second,
        defaults={"state": MatchPair.State.DIFFERENT, "decided_by": _name(by), "decided_at": now},
        create_defaults={
            "state": MatchPair.State.DIFFERENT, "decided_by": _name(by), "decided_at": now, "score": 0, "found_at": now,
        },
    )  # fmt: skip
    return merge


def _name(by: By) -> str:
    return by if isinstance(by, str) else by.get_full_name() or by.get_username()


def _write_merges(pairs: Sequence[tuple[int, int]], *, by: By, now: dt.datetime) -> list[Merge]:
    """Write the merges, with why they were found."""
    found = rows(
        """
        INSERT INTO customers_merge
            (kept_id, absorbed_id, merged_by, user_id, merged_at, before, undone_by, score, reasons)
        SELECT pair.kept, pair.absorbed, %(by)s, %(user)s, %(now)s, '{}', '',
            coalesce(found.score, 0), coalesce(found.reasons, '[]')
        FROM unnest(%(kept)s::bigint[], %(absorbed)s::bigint[]) AS pair (kept, absorbed)
        LEFT JOIN customers_matchpair AS found ON found.first_id = least(pair.kept, pair.absorbed)
            AND found.second_id = greatest(pair.kept, pair.absorbed)
        RETURNING id
        """,
        {
            "by": _name(by),
            "user": by.pk if isinstance(by, User) else None,
            "now": now,
            "kept": [kept for kept, _absorbed in pairs],
            "absorbed": [absorbed for _kept, absorbed in pairs],
        },
    )
    return list(Merge.objects.filter(pk__in=[row["id"] for row in found]).order_by("pk"))


def _join(merges: Iterable[Merge], *, now: dt.datetime, refreshed_at: dt.datetime | None = None) -> None:
    """Do what these merges say: rows, then the customers themselves. ``now`` is what rows that end get as their end."""
    moving.lay_down(merge.pk for merge in merges)
    execute(_REMEMBER)
    moving.bring_together(now=now)
    execute(_POINT_TO_KEPT)
    execute("DELETE FROM customers_contactpoint AS point USING merging WHERE point.customer_id = merging.absorbed_id")
    values = {"now": refreshed_at or now}
    golden.refresh_sql("SELECT kept_id FROM merging", now=values["now"])
    execute(_TAKE_OVER, values)
    recount_totals(BOTH)
    execute(_REMEMBER_AFTER)


def _split(merge: Merge, *, now: dt.datetime) -> None:
    """Undo what ``_join`` did for one merge."""
    merge.refresh_from_db()
    moving.lay_down([merge.pk])
    # Whoever had been merged into the absorbed one goes back with it: their row's merge is older than this one.
    execute(_POINT_BACK, {"own": [merge.absorbed_id, *_absorbed_by(merge)], "absorbed": merge.absorbed_id})
    moving.take_apart(merge)
    parting.keep_promises()
    _put_back_columns(merge, now)
    _put_back_points(merge)
    golden.refresh_sql(BOTH, now=now)
    execute(
        """UPDATE customers_customer SET updated_at = %(now)s FROM merging WHERE id IN (kept_id, absorbed_id)""",
        {"now": now},
    )
    recount_totals(BOTH)


def _lock_group(merge: Merge) -> list[Merge]:
    """Lock everybody in the same group of people, and return the merges in it that are later, oldest first."""
    locked: set[int] = set()
    while not (people := _group(merge)[0]) <= locked:
        list(Customer.everyone.select_for_update().filter(pk__in=people).order_by("pk").values_list("pk"))
        locked = people
    return list(Merge.objects.filter(pk__in=_group(merge)[1]).order_by("pk"))


def _group(merge: Merge) -> tuple[set[int], list[int]]:
    """Return the people in this merge and in later ones that hang together with it, and the ids of the latter."""
    people, found = {merge.kept_id, merge.absorbed_id}, []
    standing = Merge.objects.filter(undone_at=None, pk__gt=merge.pk).order_by("pk")
    for pk, kept, absorbed in standing.values_list("pk", "kept_id", "absorbed_id").iterator():
        if people & {kept, absorbed}:
            people |= {kept, absorbed}
            found.append(pk)
    return people, found


def _absorbed_by(merge: Merge) -> list[int]:
    """Return who had been taken up in the absorbed one before this merge, directly or through another."""
    older = Merge.objects.filter(undone_at=None, pk__lt=merge.pk).order_by("-pk")
    found = {merge.absorbed_id}
    for kept, absorbed in older.filter(absorbed__merged_into=merge.kept_id).values_list("kept_id", "absorbed_id"):
        if kept in found:
            found.add(absorbed)
    return sorted(found - {merge.absorbed_id})


def _put_back_columns(merge: Merge, now: dt.datetime) -> None:
    """Write the kept row's own columns, and the fields of which no source of his speaks, as they were before."""
    columns = [*OWN_COLUMNS, *(field.column for field in FIELDS.values() if field.column)]
    spoken = {
        FIELDS[field].column
        for record in merge.kept.records.all()
        for field in record.values
        if field in FIELDS and FIELDS[field].column
    }
    free = [column for column in columns if column not in spoken]
    sets = ", ".join(
        f"""{column} = CASE WHEN to_jsonb(there) -> '{column}' = merge.before -> 'after' -> '{column}'
            THEN (jsonb_populate_record(there, merge.before -> 'kept')).{column} ELSE there.{column} END"""
        for column in free
    )
    execute(
        f"""UPDATE customers_customer AS there SET {sets}
        FROM customers_merge AS merge WHERE merge.id = %(merge)s AND there.id = merge.kept_id""",  # noqa: S608
        {"merge": merge.pk},
    )


def _put_back_points(merge: Merge) -> None:
    """Put back addresses and numbers of which no source speaks; the others follow from the records."""
    execute(_DROP_POINTS)
    execute(_RESTORE_POINTS, {"merge": merge.pk})


def _note_pairs(*, by: By, now: dt.datetime) -> None:
    """Close the pairs that were merged; what waited about the absorbed one waits about the kept one."""
    execute(_MERGED_PAIRS, {"by": _name(by), "now": now})
    execute(_HAND_ON_PAIRS, {"now": now})


_REMEMBER = """
    UPDATE customers_merge AS merge SET before = jsonb_build_object(
        'kept', to_jsonb(kept) - 'name_key', 'absorbed', to_jsonb(absorbed) - 'name_key',
        'points', (
            SELECT coalesce(jsonb_agg(to_jsonb(point) ORDER BY point.id), '[]') FROM customers_contactpoint AS point
            WHERE point.customer_id IN (kept.id, absorbed.id)
        ))
    FROM merging
    JOIN customers_customer AS kept ON kept.id = merging.kept_id
    JOIN customers_customer AS absorbed ON absorbed.id = merging.absorbed_id
    WHERE merge.id = merging.merge_id
"""
_REMEMBER_AFTER = """
    UPDATE customers_merge AS merge
    SET before = merge.before || jsonb_build_object('after', to_jsonb(kept) - 'name_key',
        'last_consent', (SELECT coalesce(max(id), 0) FROM customers_consent))
    FROM merging JOIN customers_customer AS kept ON kept.id = merging.kept_id
    WHERE merge.id = merging.merge_id
"""
# Chains stay flat: who had been taken up in the absorbed one points at the kept one too.
_POINT_TO_KEPT = """
    UPDATE customers_customer AS customer
    SET merged_into_id = merging.kept_id,
        household_id = CASE WHEN customer.id = merging.absorbed_id THEN NULL ELSE customer.household_id END
    FROM merging WHERE customer.id = merging.absorbed_id OR customer.merged_into_id = merging.absorbed_id
"""
_POINT_BACK = """
    UPDATE customers_customer AS customer
    SET merged_into_id = CASE WHEN customer.id = %(absorbed)s THEN NULL ELSE %(absorbed)s END
    WHERE customer.id = ANY (%(own)s)
"""
_SPOKEN = """
    EXISTS (SELECT FROM customers_sourcerecord AS record
            WHERE record.customer_id = {point}.customer_id AND record.values ? {point}.channel)
"""
_DROP_POINTS = f"""
    DELETE FROM customers_contactpoint AS point USING merging
    WHERE point.customer_id IN (merging.kept_id, merging.absorbed_id) AND NOT {_SPOKEN.format(point="point")}
"""  # noqa: S608
_RESTORE_POINTS = f"""
    INSERT INTO customers_contactpoint (customer_id, channel, value, is_primary, source_id, updated_at)
    SELECT was.customer_id, was.channel, was.value, was.is_primary, was.source_id, was.updated_at
    FROM customers_merge AS merge
    CROSS JOIN LATERAL jsonb_populate_recordset(NULL::customers_contactpoint, merge.before -> 'points') AS was
    WHERE merge.id = %(merge)s AND NOT {_SPOKEN.format(point="was")}
"""  # noqa: S608
_MERGED_PAIRS = """
    INSERT INTO customers_matchpair (first_id, second_id, score, reasons, state, found_at, decided_by, decided_at)
    SELECT least(kept_id, absorbed_id), greatest(kept_id, absorbed_id), 0, '[]', 'merged', %(now)s, %(by)s, %(now)s
    FROM merging
    ON CONFLICT (first_id, second_id) DO UPDATE
    SET state = 'merged', decided_by = excluded.decided_by, decided_at = excluded.decided_at
"""
_HAND_ON_PAIRS = """
    INSERT INTO customers_matchpair (first_id, second_id, score, reasons, state, found_at, decided_by)
    SELECT DISTINCT ON (1, 2) least(other.id, merging.kept_id), greatest(other.id, merging.kept_id),
        pair.score, pair.reasons, 'open', %(now)s, ''
    FROM merging
    JOIN customers_matchpair AS pair
        ON (pair.first_id = merging.absorbed_id OR pair.second_id = merging.absorbed_id) AND pair.state = 'open'
    JOIN customers_customer AS other
        ON other.id = pair.first_id + pair.second_id - merging.absorbed_id AND other.merged_into_id IS NULL
    WHERE other.id <> merging.kept_id
    ORDER BY 1, 2, pair.score DESC
    ON CONFLICT (first_id, second_id) DO NOTHING
"""
