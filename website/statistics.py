"""What the page about web statistics tells: counts of earlier days and the hits of today, as one."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from common.sql import rows

# Hits that are not counted yet look here as if they were.
_HITS = """
SELECT day, kind, section, hits, identified, without_results, duration_seconds FROM website_hitcount
WHERE site_id = ANY(%(sites)s) AND day >= %(first)s
UNION ALL
SELECT (hit.occurred_at AT TIME ZONE 'Europe/Amsterdam')::date, hit.kind, hit.section, 1,
    EXISTS (
        SELECT FROM website_identification AS said WHERE said.site_id = hit.site_id AND said.visit = hit.visit
    )::int, (hit.results = 0)::int, hit.duration_seconds
FROM website_hit AS hit WHERE hit.site_id = ANY(%(sites)s)
"""
_VISITS = """
SELECT day, sum(visits) AS visits, sum(identified) AS identified FROM (
    SELECT day, visits, identified FROM website_visitcount WHERE site_id = ANY(%(sites)s) AND day >= %(first)s
    UNION ALL
    SELECT day, count(*), count(*) FILTER (WHERE is_known) FROM (
        SELECT DISTINCT (hit.occurred_at AT TIME ZONE 'Europe/Amsterdam')::date AS day, hit.site_id, hit.visit,
            EXISTS (
                SELECT FROM website_identification AS said WHERE said.site_id = hit.site_id AND said.visit = hit.visit
            ) AS is_known
        FROM website_hit AS hit WHERE hit.site_id = ANY(%(sites)s)
    ) AS today GROUP BY day
) AS all_visits GROUP BY day
"""
_DAYS = f"""
SELECT day, sum(hits) FILTER (WHERE kind = 'page_view') AS views, sum(hits) FILTER (WHERE kind = 'search') AS searches,
    sum(without_results) AS without_results, sum(hits) FILTER (WHERE kind = 'form_post') AS forms,
    sum(hits) FILTER (WHERE kind = 'login') AS logins, sum(duration_seconds) AS seconds
FROM ({_HITS}) AS hits GROUP BY day
"""  # noqa: S608 - made of our own words; values are bound
_SECTIONS = f"""
SELECT section, sum(hits) AS views, sum(identified) AS identified, sum(duration_seconds) AS seconds
FROM ({_HITS}) AS hits WHERE kind = 'page_view' AND day <= %(last)s GROUP BY section
ORDER BY views DESC, section LIMIT %(most)s
"""  # noqa: S608
_QUERIES = """
SELECT query, sum(searches) AS searches, sum(without_results) AS without_results FROM website_querycount
WHERE site_id = ANY(%(sites)s) AND day BETWEEN %(first)s AND %(last)s GROUP BY query
ORDER BY searches DESC, query LIMIT %(most)s
"""


_PAGES = """
SELECT path, sum(views) AS views, sum(visits) AS visits, sum(duration_seconds) AS seconds FROM website_pagecount
WHERE site_id = ANY(%(sites)s) AND day BETWEEN %(first)s AND %(last)s GROUP BY path
ORDER BY views DESC, path LIMIT %(most)s
"""


@dataclass
class Day:
    """One day of all chosen sites."""

    day: dt.date
    views: int = 0
    visits: int = 0
    identified: int = 0  # of the visits
    searches: int = 0
    without_results: int = 0
    forms: int = 0
    logins: int = 0
    seconds: int = 0  # that pages and the app were looked at


def per_day(sites: Sequence[int], *, first: dt.date, last: dt.date) -> list[Day]:
    """Return all days from ``first`` to ``last``, also those on which nothing happened; two queries."""
    days = {first + dt.timedelta(days=n): Day(first + dt.timedelta(days=n)) for n in range((last - first).days + 1)}
    for statement in (_DAYS, _VISITS):
        for row in rows(statement, {"sites": list(sites), "first": first}):
            if day := days.get(row.pop("day")):
                for name, value in row.items():
                    setattr(day, name, int(value or 0))
    return list(days.values())


@dataclass(frozen=True)
class Section:
    """A group of pages: how often looked at, how long on average, and which share of the views is of a customer."""

    name: str
    views: int
    identified: int
    seconds: int

    @property
    def average(self) -> int:
        """Seconds per view."""
        return round(self.seconds / self.views) if self.views else 0

    @property
    def share(self) -> int:
        """Percentage of the views that is linked to a customer."""
        return round(100 * self.identified / self.views) if self.views else 0


def sections(sites: Sequence[int], *, first: dt.date, last: dt.date = dt.date.max, most: int = 15) -> list[Section]:
    """Return the most viewed sections from ``first`` to ``last``."""
    found = rows(_SECTIONS, {"sites": list(sites), "first": first, "last": last, "most": most})
    return [Section(row["section"], int(row["views"]), int(row["identified"]), int(row["seconds"])) for row in found]


@dataclass(frozen=True)
class Query:
    """Words that several visits searched for."""

    query: str
    searches: int
    without_results: int


def queries(sites: Sequence[int], *, first: dt.date, last: dt.date = dt.date.max, most: int = 15) -> list[Query]:
    """Return what was searched for most, on sites that keep it."""
    found = rows(_QUERIES, {"sites": list(sites), "first": first, "last": last, "most": most})
    return [Query(row["query"], int(row["searches"]), int(row["without_results"])) for row in found]


@dataclass(frozen=True)
class PageFigures:
    """A page of which several visits had a look."""

    path: str
    views: int
    visits: int
    seconds: int

    @property
    def average(self) -> int:
        """Seconds per view."""
        return round(self.seconds / self.views) if self.views else 0


def pages(sites: Sequence[int], *, first: dt.date, last: dt.date = dt.date.max, most: int = 25) -> list[PageFigures]:
    """Return the most viewed pages of earlier days, on sites that count each page apart."""
    found = rows(_PAGES, {"sites": list(sites), "first": first, "last": last, "most": most})
    return [PageFigures(row["path"], int(row["views"]), int(row["visits"]), int(row["seconds"])) for row in found]
