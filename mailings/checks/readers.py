"""How many customers a message is for, who of them reads which blocks, and who lacks a value: one statement."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from common.blocks import MERGE_FIELD
from common.sql import execute, rows
from customers.models import Customer
from mailings.actions import audience_members
from mailings.content import AUDIENCES, audience_key
from mailings.fields import merge_fields
from mailings.gate import ids_of
from mailings.models import Content, SendingSettings

EVERYBODY = ""  # the audience of a block without one
_READERS = """
    SELECT reader.key, count(*) AS everybody{columns}
    FROM check_reader AS reader
    JOIN customers_customer AS customer ON customer.id = reader.customer_id
    LEFT JOIN customers_branch AS branch ON branch.id = customer.branch_id
    GROUP BY reader.key
"""
_AMONG = "JOIN check_reader AS candidate ON candidate.customer_id = given.id AND candidate.key = ''"
_LEFT_OUT = """
    SELECT count(*) AS n FROM (
        SELECT customer_id FROM check_reader GROUP BY customer_id HAVING count(*) = 1
    ) AS alone
"""


@dataclass(frozen=True)
class Tally:
    """``readers``: audience -> customers. ``lacking``: (field, audience) -> customers without a value.

    ``left_out``: customers for whom there is no block at all. ``gone``: audiences that do not exist any more.
    """

    readers: dict[str, int] = field(default_factory=dict)
    lacking: dict[tuple[str, str], int] = field(default_factory=dict)
    left_out: int = 0
    gone: frozenset[str] = frozenset()


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
    for one in content.blocks:
        for text in _strings(one.get("data")):
            yield str(one.get("id", "")), audience_key(one.get("audience")), text


def _strings(data: Any) -> Iterator[str]:
    """Yield every text in a block's data, however deep."""
    if isinstance(data, str):
        yield data
    elif isinstance(data, dict | list):
        for one in data.values() if isinstance(data, dict) else data:
            yield from _strings(one)


@transaction.atomic
def tally(content: Content, *, candidates: QuerySet[Customer] | None, now: dt.datetime) -> Tally:
    """Count readers per audience among the candidates (None: everybody whom we may use), and who lacks which field.

    Candidates and members are laid down first: a planner that guesses their number wrongly takes minutes.
    """
    keys = {audience_key(one.get("audience")) for one in content.blocks} - {EVERYBODY}
    codes = sorted({code for code, _audience, _place in bare_fields(content)})
    if not keys and not codes:
        return Tally()
    gone = frozenset(key for key in keys if not _exists(key))
    everybody = Customer.objects.usable().filter(merged_into__isnull=True) if candidates is None else candidates
    execute("DROP TABLE IF EXISTS pg_temp.check_reader")
    execute("CREATE TEMPORARY TABLE check_reader (key text, customer_id bigint) ON COMMIT DROP")
    _lay_down(EVERYBODY, everybody)
    execute("ANALYZE check_reader")
    for key in sorted(keys - gone):
        _lay_down(key, audience_members(key, now=now))
    execute("ANALYZE check_reader")
    columns = "".join(
        f", count(*) FILTER (WHERE coalesce(({merge_fields[code].sql})::text, '') = '') AS lacks_{number}"
        for number, code in enumerate(codes)
    )
    values = {"now": now, "organisation": SendingSettings.load().organisation}
    found = rows(_READERS.format(columns=columns), values)
    has_all = any(not one.get("audience") for one in content.blocks)
    return Tally(
        readers=dict.fromkeys((EVERYBODY, *keys), 0) | {row["key"]: row["everybody"] for row in found},
        lacking={(code, row["key"]): row[f"lacks_{number}"] for row in found for number, code in enumerate(codes)},
        left_out=rows(_LEFT_OUT)[0]["n"] if keys and not has_all else 0,
        gone=gone,
    )


def _exists(key: str) -> bool:
    kind, _colon, number = key.partition(":")
    return AUDIENCES[kind]._default_manager.filter(pk=number).exists()


def _lay_down(key: str, people: QuerySet[Customer]) -> None:
    """Add the people of an audience, those among the candidates; of everybody, all."""
    among = "WHERE %(all)s" if key == EVERYBODY else _AMONG
    ids = f"SELECT DISTINCT %(key)s, given.id FROM ({ids_of(people)}) AS given {among}"  # noqa: S608 - bound
    execute(f"INSERT INTO check_reader {ids}", {"key": key, "all": True})
