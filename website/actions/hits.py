"""Hits that come in: one statement each, nothing kept of who or where."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db import connection

from website.hits import KINDS, TIME, Sent, page_of, place_of
from website.sites import Known

_ADD = """
INSERT INTO website_hit
    (site_id, visit, token, kind, occurred_at, section, world, path, name, results, query, duration_seconds, recorded)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, false)
ON CONFLICT (site_id, token) DO NOTHING
"""
# Told when a page is left, and again when somebody comes back to it and leaves once more.
_STAYED = """
UPDATE website_hit SET duration_seconds = greatest(duration_seconds, %s)
WHERE site_id = %s AND token = %s AND visit = %s AND NOT recorded
"""


def take_hit(sent: Sent, site: Known, *, now: dt.datetime) -> None:
    """Keep one hit, or how long a page was looked at; told twice it is one."""
    with connection.cursor() as cursor:
        if sent.what == TIME:
            cursor.execute(_STAYED, [sent.seconds, site.pk, sent.page, sent.visit])
            return
        section, world = place_of(sent.path, site.rules)
        query = sent.query if site.keeps_queries and sent.what == "search" else ""
        kind = KINDS[sent.what].value
        row: list[Any] = [
            site.pk,
            sent.visit,
            sent.page,
            kind,
            now,
            section,
            world,
            page_of(sent.path) if site.keeps_pages and sent.what == "view" else "",
            sent.name,
            sent.results,
            query,
            sent.seconds,
        ]
        cursor.execute(_ADD, row)
