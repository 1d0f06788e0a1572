"""How many customers a message is for, who of them reads which blocks, and who lacks a value: one statement."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, field

from django.db import transaction
from django.db.models import QuerySet

from common.blocks import MERGE_FIELD
from common.sql import execute, rows
from customers.models import Customer
from mailings.actions import audience_members
from mailings.content import AUDIENCES, COLUMNS, parts_of, with_readers
from mailings.fields import merge_fields
from mailings.gate import ids_of
from mailings.models import Content, HouseStyle, SendingSettings

EVERYBODY = ""  # the audience of a block without one
_READERS = """
    SELECT reader.key, count(*) AS everybody{columns}
    FROM check_reader AS reader
    JOIN customers_customer AS customer ON customer.id = reader.customer_id
    LEFT JOIN customers_branch AS branch ON branch.id = customer.branch_id
    GROUP BY reader.key
"""
_AMONG = "JOIN check_reader AS candidate ON candidate.customer_id = given.id AND candidate.key = ''"
_IN_ALL = """
    INSERT INTO check_reader
    SELECT %(key)s, customer_id FROM check_reader WHERE key = ANY(%(parts)s)
    GROUP BY customer_id HAVING count(*) = %(number)s
"""
_LEFT_OUT = """
    SELECT count(*) AS n FROM check_reader AS reader
    WHERE reader.key = '' AND NOT EXISTS (
        SELECT FROM check_reader AS seen WHERE seen.customer_id = reader.customer_id AND seen.key = ANY(%(keys)s)
    )
"""
_BRANCHES = """
    SELECT DISTINCT customer.branch_id FROM check_reader AS reader
    JOIN customers_customer AS customer ON customer.id = reader.customer_id
    WHERE reader.key = '' AND customer.branch_id = ANY(%(branches)s)
"""


@dataclass(frozen=True)
class Tally:
    """``readers``: audience -> customers. ``lacking``: (field, audience) -> customers without a value.

    ``left_out``: customers for whom there is no block at all. ``gone``: audiences that do not exist any more.
    ``branches``: those with a house style of their own that have a reader.
    """

    readers: dict[str, int] = field(default_factory=dict)
    lacking: dict[tuple[str, str], int] = field(default_factory=dict)
    left_out: int = 0
    gone: frozenset[str] = frozenset()
    branches: frozenset[int] = frozenset()


def bare_fields(content: Content) -> list[tuple[str, str, str]]:
    """Return (field, audience, place) of each field that stands somewhere without a word for who has no value."""
    found: dict[tuple[str, str, str], None] = {}
    for place, audience, text in _texts(content):
        for match in MERGE_FIELD.finditer(text):
            known = merge_fields.get(match[1])
            if known and not known.otherwise and not (match[2] or match[3]):
                found[match[1], audience, place] = None
    return list(found)


def _texts(content: Content) -> Iterator[tuple[str, str, str]]:
    yield "subject", EVERYBODY, content.subject
    yield "preheader", EVERYBODY, content.preheader
    for one, key in with_readers(content.blocks):
        for text in one["data"].values():
            if isinstance(text, str):
                yield str(one["id"]), key, text


@transaction.atomic
def tally(content: Content, *, candidates: QuerySet[Customer] | None, now: dt.datetime) -> Tally:
    """Count readers per audience among the candidates (None: everybody whom we may use), and who lacks which field.

    Candidates and members are laid down first: a planner that guesses their number wrongly takes minutes.
    """
    seen = list(with_readers(content.blocks))
    keys = {key for _one, key in seen} - {EVERYBODY}
    codes = sorted({code for code, _audience, _place in bare_fields(content)})
    branches = frozenset(HouseStyle.objects.exclude(branch=None).values_list("branch_id", flat=True))
    if not keys and not codes and (candidates is None or not branches):
        return Tally(branches=branches)
    audiences = {part for key in keys for part in parts_of(key)}
    gone = frozenset(one for one in audiences if not _exists(one))
    everybody = Customer.objects.usable().filter(merged_into__isnull=True) if candidates is None else candidates
    execute("DROP TABLE IF EXISTS pg_temp.check_reader")
    execute("CREATE TEMPORARY TABLE check_reader (key text, customer_id bigint) ON COMMIT DROP")
    _lay_down(EVERYBODY, everybody)
    execute("ANALYZE check_reader")
    for key in sorted(audiences - gone):
        _lay_down(key, audience_members(key, now=now))
    execute("ANALYZE check_reader")
    for key in sorted(keys - audiences):
        execute(_IN_ALL, {"key": key, "parts": parts_of(key), "number": len(parts_of(key))})
    columns = "".join(
        f", count(*) FILTER (WHERE coalesce(({merge_fields[code].sql})::text, '') = '') AS lacks_{number}"
        for number, code in enumerate(codes)
    )
    values = {"now": now, "organisation": SendingSettings.load().organisation}
    found = rows(_READERS.format(columns=columns), values)
    shown = [key for one, key in seen if one["type"] != COLUMNS]
    return Tally(
        readers=dict.fromkeys((EVERYBODY, *keys), 0) | {row["key"]: row["everybody"] for row in found},
        lacking={(code, row["key"]): row[f"lacks_{number}"] for row in found for number, code in enumerate(codes)},
        left_out=rows(_LEFT_OUT, {"keys": shown})[0]["n"] if shown and EVERYBODY not in shown else 0,
        gone=gone,
        branches=_branches(branches) if candidates is not None else branches,
    )


def _branches(branches: frozenset[int]) -> frozenset[int]:
    found = rows(_BRANCHES, {"branches": sorted(branches)}) if branches else []
    return frozenset(row["branch_id"] for row in found)


def _exists(key: str) -> bool:
    kind, _colon, number = key.partition(":")
    return AUDIENCES[kind]._default_manager.filter(pk=number).exists()


def _lay_down(key: str, people: QuerySet[Customer]) -> None:
    """Add the people of an audience, those among the candidates; of everybody, all."""
    among = "WHERE %(all)s" if key == EVERYBODY else _AMONG
    ids = f"SELECT DISTINCT %(key)s, given.id FROM ({ids_of(people)}) AS given {among}"  # noqa: S608 - bound
    execute(f"INSERT INTO check_reader {ids}", {"key": key, "all": True})
