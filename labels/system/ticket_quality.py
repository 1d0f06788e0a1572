"""Labels from ticket sales compared with oneself: does somebody come more or less often, and mostly for what?"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.utils.translation import gettext_lazy as _

from common.sql import rows
from customers.models import World
from labels.system.specs import Family, LabelSpec, months_before, words

YEAR = 12  # months; whole years, since a theatre has a season and a summer without performances
TREND_MINIMUM = 3  # purchases in the larger year; less is chance
GROWER_FACTOR = 1.5
FADER_FACTOR = 0.5

FAVOURITE_MONTHS = 24
FAVOURITE_MINIMUM = 3  # purchases
FAVOURITE_SHARE = 0.6  # of the purchases of which the genre (world) is known
MOST_GENRES = 60  # labels are made for those that are bought most

GENRE, WORLD = "ticket-genre", "ticket-world"

# Growing needs a past: who had never bought before is new, which is something else.
_TREND = """
SELECT customer_id,
       CASE WHEN recent > earlier THEN 'ticket-trend-grower' ELSE 'ticket-trend-fader' END AS code
  FROM (SELECT customer_id,
               count(*) FILTER (WHERE occurred_at >= %(middle)s) AS recent,
               count(*) FILTER (WHERE occurred_at < %(middle)s) AS earlier
          FROM customers_fact
         WHERE kind = 'ticket' AND quantity > 0 AND occurred_at >= %(since)s AND occurred_at <= %(now)s
         GROUP BY customer_id) AS years
 WHERE greatest(recent, earlier) >= %(minimum)s AND earlier > 0
   AND (recent >= earlier * %(grower)s OR recent <= earlier * %(fader)s)
"""

# What a genre is called in the code of a label: systems write "Jazz & blues" and "jazz-blues".
_SLUG = "trim(BOTH '-' FROM regexp_replace(lower(genre), '[^a-z0-9]+', '-', 'g'))"

_FAVOURITES = f"""
WITH bought AS MATERIALIZED (
    SELECT customer_id, {_SLUG} AS genre, world FROM customers_fact
     WHERE kind = 'ticket' AND quantity > 0 AND occurred_at >= %(since)s AND occurred_at <= %(now)s
)
SELECT customer_id, what || '-' || value AS code FROM (
    SELECT customer_id, what, value, count(*) AS times,
           sum(count(*)) OVER (PARTITION BY customer_id, what) AS known
      FROM bought CROSS JOIN LATERAL (VALUES ('{GENRE}', genre), ('{WORLD}', world)) AS said (what, value)
     WHERE value <> '' GROUP BY customer_id, what, value
) AS counted
 WHERE times >= %(minimum)s AND times >= known * %(share)s
"""  # noqa: S608 - constants of this file

_GENRES = f"""
SELECT slug, (array_agg(genre ORDER BY times DESC, genre))[1] AS name FROM (
    SELECT {_SLUG} AS slug, genre, count(*) AS times FROM customers_fact
     WHERE kind = 'ticket' AND genre <> '' GROUP BY genre
) AS spelled WHERE slug <> '' GROUP BY slug ORDER BY sum(times) DESC, slug LIMIT %(most)s
"""  # noqa: S608

_DEFINITION = _(
    "%(percent)d%% or more of at least %(minimum)d purchases of tickets in the last %(months)d months were of this."
)
GROUPS = {GENRE: _("Favourite genre of performances"), WORLD: _("Favourite world of performances")}


def _favourites() -> Sequence[LabelSpec]:
    definition = words(
        _DEFINITION, percent=int(FAVOURITE_SHARE * 100), minimum=FAVOURITE_MINIMUM, months=FAVOURITE_MONTHS
    )
    return [
        LabelSpec(
            code=f"{group}-{code}",
            name=words("%(group)s: %(name)s", group=GROUPS[group], name=name),
            description=definition,
            colour="teal",
            group=group,
        )
        for group, code, name in _known()
    ]


def _known() -> Iterator[tuple[str, str, str]]:
    """Yield group, code and name of every genre that tickets were sold for, and of every world."""
    for row in rows(_GENRES, {"most": MOST_GENRES}):
        name = row["name"].replace("-", " ").strip()
        yield GENRE, row["slug"], name[:1].upper() + name[1:]
    for code, name in World.objects.order_by("code").values_list("code", "name"):
        yield WORLD, code, name


def _trend_params(now: dt.datetime) -> Mapping[str, Any]:
    return {
        "now": now,
        "since": months_before(now, 2 * YEAR),
        "middle": months_before(now, YEAR),
        "minimum": TREND_MINIMUM,
        "grower": GROWER_FACTOR,
        "fader": FADER_FACTOR,
    }


def _favourite_params(now: dt.datetime) -> Mapping[str, Any]:
    since = months_before(now, FAVOURITE_MONTHS)
    return {"now": now, "since": since, "minimum": FAVOURITE_MINIMUM, "share": FAVOURITE_SHARE}


FAMILIES = (
    Family(
        code="ticket-trend",
        name=_("Trend of ticket buying"),
        sql=_TREND,
        params=_trend_params,
        labels=(
            LabelSpec(
                "ticket-trend-grower",
                _("Growing ticket buyer"),
                words(
                    _("Bought tickets %(factor)s times as often or more as in the year before."), factor=GROWER_FACTOR
                ),
                "green",
            ),
            LabelSpec(
                "ticket-trend-fader",
                _("Fading ticket buyer"),
                words(
                    _("Bought tickets %(percent)d%% or less as often as in the year before."),
                    percent=int(FADER_FACTOR * 100),
                ),
                "orange",
            ),
        ),
    ),
    Family(
        code="ticket-favourites",
        name=_("Favourite performances"),
        sql=_FAVOURITES,
        params=_favourite_params,
        more_labels=_favourites,
        groups=GROUPS,
    ),
)
