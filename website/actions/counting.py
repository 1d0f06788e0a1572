"""Every night hits become counts and are gone, and with them everything by which a visit could be recognised."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from common.sql import execute, rows
from common.time import local_date, start_of_day
from website.actions.linking import record_visits

FEWEST = 3  # visits that searched for the same words or saw the same page, before those are kept

_COUNT = f"""
WITH gone AS (
    DELETE FROM website_hit WHERE site_id = %(site)s AND occurred_at >= %(start)s AND occurred_at < %(end)s RETURNING *
),
known AS (
    SELECT gone.*, EXISTS (
        SELECT FROM website_identification AS said WHERE said.site_id = gone.site_id AND said.visit = gone.visit
    ) AS is_known FROM gone
),
hits AS (
    INSERT INTO website_hitcount AS kept
        (site_id, day, kind, section, world, hits, identified, without_results, duration_seconds)
    SELECT %(site)s, %(day)s::date, kind, section, world, count(*), count(*) FILTER (WHERE is_known),
        count(*) FILTER (WHERE results = 0), sum(duration_seconds)
    FROM known GROUP BY kind, section, world
    ON CONFLICT (site_id, day, kind, section, world) DO UPDATE SET hits = kept.hits + excluded.hits,
        identified = kept.identified + excluded.identified,
        without_results = kept.without_results + excluded.without_results,
        duration_seconds = kept.duration_seconds + excluded.duration_seconds
),
visits AS (
    INSERT INTO website_visitcount AS kept (site_id, day, visits, identified)
    SELECT %(site)s, %(day)s::date, count(DISTINCT visit), count(DISTINCT visit) FILTER (WHERE is_known) FROM known
    HAVING count(*) > 0
    ON CONFLICT (site_id, day) DO UPDATE SET visits = kept.visits + excluded.visits,
        identified = kept.identified + excluded.identified
),
pages AS (
    INSERT INTO website_pagecount AS kept (site_id, day, path, views, visits, duration_seconds)
    SELECT %(site)s, %(day)s::date, path, count(*), count(DISTINCT visit), sum(duration_seconds)
    FROM known WHERE path <> '' GROUP BY path HAVING count(DISTINCT visit) >= {FEWEST}
    ON CONFLICT (site_id, day, path) DO UPDATE SET views = kept.views + excluded.views,
        visits = kept.visits + excluded.visits, duration_seconds = kept.duration_seconds + excluded.duration_seconds
),
queries AS (
    INSERT INTO website_querycount AS kept (site_id, day, query, searches, without_results)
    SELECT %(site)s, %(day)s::date, query, count(*), count(*) FILTER (WHERE results = 0)
    FROM known WHERE query <> '' GROUP BY query HAVING count(DISTINCT visit) >= {FEWEST}
    ON CONFLICT (site_id, day, query) DO UPDATE SET searches = kept.searches + excluded.searches,
        without_results = kept.without_results + excluded.without_results
)
SELECT count(*) AS gone FROM gone
"""  # noqa: S608 - made of our own words; values are bound


def roll_up(*, now: dt.datetime) -> int:
    """Count the hits of the days before today and remove them; return how many.

    One statement and transaction per site and day removes and counts, so whatever breaks off, each hit counts once.
    What identified visitors did becomes facts first.
    """
    record_visits(now=now)
    today = local_date(now)
    waiting = rows(
        """
        SELECT DISTINCT site_id, (occurred_at AT TIME ZONE 'Europe/Amsterdam')::date AS day
        FROM website_hit WHERE occurred_at < %(today)s ORDER BY day, site_id
        """,
        {"today": start_of_day(today) - _still_open(now, today)},
    )
    total = sum(_count(row["site_id"], row["day"]) for row in waiting)
    execute(
        """
        DELETE FROM website_identification AS said WHERE said.at < %(before)s AND NOT EXISTS (
            SELECT FROM website_hit AS hit WHERE hit.site_id = said.site_id AND hit.visit = said.visit
        )
        """,
        {"before": start_of_day(today)},
    )
    return total


def _still_open(now: dt.datetime, today: dt.date) -> dt.timedelta:
    """Return how long before midnight a visit may not be over yet: until half an hour after it, the whole last day."""
    return dt.timedelta(days=1) if now - start_of_day(today) < dt.timedelta(minutes=30) else dt.timedelta(0)


@transaction.atomic
def _count(site: int, day: dt.date) -> int:
    bounds = {"start": start_of_day(day), "end": start_of_day(day + dt.timedelta(days=1))}
    return int(rows(_COUNT, {"site": site, "day": day, **bounds})[0]["gone"])
