"""Labels from ticket sales compared with oneself: does somebody come more or less often, and mostly for what?"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.utils.translation import gettext_lazy as _

from common.sql import rows
from customers.models import World
from labels.system.specs import Family, LabelSpec, Limits, Measure, Threshold, Told, months_before, words

MOST_GENRES = 60  # labels are made for those that are bought most

GENRE, WORLD = "ticket-genre", "ticket-world"

# Growing needs a past: who had never bought before is new, which is something else.
_TREND = """
SELECT customer_id,
       CASE WHEN recent > earlier THEN 'ticket-trend-grower' ELSE 'ticket-trend-fader' END AS code
  FROM (SELECT customer_id, coalesce({m[recent]}, 0) AS recent, {m[earlier]} AS earlier
          FROM label_measure AS measure) AS years
 WHERE greatest(recent, earlier) >= %(minimum)s AND earlier > 0
   AND (recent * 100 >= earlier * %(grower)s OR recent * 100 <= earlier * %(fader)s)
"""

# What a genre is called in the code of a label: systems write "Jazz & blues" and "jazz-blues".
_SLUG = "trim(BOTH '-' FROM regexp_replace(lower(genre), '[^a-z0-9]+', '-', 'g'))"

_FAVOURITES = f"""
WITH bought AS MATERIALIZED (
    SELECT customer_id, genre, world FROM {{facts}}
     WHERE kind = 'ticket' AND quantity > 0 AND occurred_at >= %(since)s AND occurred_at <= %(now)s
),
spelled AS MATERIALIZED (SELECT genre, {_SLUG} AS slug FROM (SELECT DISTINCT genre FROM bought) AS said)
SELECT customer_id, what || '-' || value AS code FROM (
    SELECT customer_id, what, value, count(*) AS times,
           sum(count(*)) OVER (PARTITION BY customer_id, what) AS known
      FROM bought JOIN spelled USING (genre)
     CROSS JOIN LATERAL (VALUES ('{GENRE}', slug), ('{WORLD}', world)) AS said (what, value)
     WHERE value <> '' GROUP BY customer_id, what, value
) AS counted
 WHERE times >= %(minimum)s AND times * 100 >= known * %(share)s
"""  # noqa: S608 - constants of this file

# MATERIALIZED, or PostgreSQL spells the genre of every single ticket before it counts them.
_GENRES = f"""
WITH bought AS MATERIALIZED (
    SELECT genre, count(*) AS times FROM customers_fact WHERE kind = 'ticket' AND genre <> '' GROUP BY genre
)
SELECT slug, (array_agg(genre ORDER BY times DESC, genre))[1] AS name
  FROM (SELECT {_SLUG} AS slug, genre, times FROM bought) AS spelled
 WHERE slug <> '' GROUP BY slug ORDER BY sum(times) DESC, slug LIMIT %(most)s
"""  # noqa: S608

# A genre without a label, while there is room for one. Which are bought most is looked at again in a full run.
_NEW_GENRE = f"""
WITH bought AS MATERIALIZED (SELECT DISTINCT genre FROM {{facts}} WHERE kind = 'ticket' AND genre <> '')
SELECT 1 FROM bought WHERE {_SLUG} <> ''
   AND '{GENRE}-' || {_SLUG} NOT IN (SELECT code FROM labels_label WHERE kind = 'system' AND is_active)
   AND {MOST_GENRES} >
       (SELECT count(*) FROM labels_label WHERE kind = 'system' AND is_active AND code LIKE '{GENRE}-%%')
 LIMIT 1
"""  # noqa: S608

_DEFINITION = _(
    "%(percent)d%% or more of at least %(minimum)d purchases of tickets in the last %(months)d months were of this."
)
GROUPS = {GENRE: _("Favourite genre of performances"), WORLD: _("Favourite world of performances")}


def _favourites() -> Sequence[LabelSpec]:
    definition = words(
        _DEFINITION,
        percent=Told("ticket-favourites.share"),
        minimum=Told("ticket-favourites.minimum"),
        months=Told("ticket-favourites.months"),
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


def _trend_measures(limits: Limits) -> Mapping[str, Measure]:
    months = limits.whole("months")
    return {
        "recent": Measure("count", ("ticket",), months, bought=True),
        "earlier": Measure("count", ("ticket",), 2 * months, months, bought=True),
    }


def _favourite_params(now: dt.datetime, limits: Limits) -> Mapping[str, Any]:
    since = months_before(now, limits.whole("months"))
    return {"now": now, "since": since, "minimum": limits["minimum"], "share": limits["share"]}


FAMILIES = (
    Family(
        code="ticket-trend",
        name=_("Trend of ticket buying"),
        sql=_TREND,
        thresholds=(
            # Whole years, since a theatre has a season and a summer without performances.
            Threshold("months", _("Compare the last … months with as many before"), "months", 12, 12, 36, 12),
            Threshold(
                "minimum", _("Only who bought … times or more in the larger of both periods"), "number", 3, 1, 100
            ),
            Threshold("grower", _("Growing from … percent of what it was"), "percent", 150, 101, 1000, 5),
            Threshold("fader", _("Fading up to … percent of what it was"), "percent", 50, 0, 99, 5),
        ),
        measures=_trend_measures,
        params=lambda _now, limits: {
            "minimum": limits["minimum"],
            "grower": limits["grower"],
            "fader": limits["fader"],
        },
        labels=(
            LabelSpec(
                "ticket-trend-grower",
                _("Growing ticket buyer"),
                words(
                    _("Bought tickets %(percent)d%% or more as often as in the %(months)d months before."),
                    percent=Told("ticket-trend.grower"),
                    months=Told("ticket-trend.months"),
                ),
                "green",
            ),
            LabelSpec(
                "ticket-trend-fader",
                _("Fading ticket buyer"),
                words(
                    _("Bought tickets %(percent)d%% or less as often as in the %(months)d months before."),
                    percent=Told("ticket-trend.fader"),
                    months=Told("ticket-trend.months"),
                ),
                "orange",
            ),
        ),
    ),
    Family(
        code="ticket-favourites",
        name=_("Favourite performances"),
        sql=_FAVOURITES,
        thresholds=(
            Threshold("months", _("Purchases of the last … months count"), "months", 24, 1, 60),
            Threshold("minimum", _("A favourite needs … purchases or more"), "number", 3, 1, 100),
            Threshold("share", _("… percent or more of all purchases"), "percent", 60, 51, 100),
        ),
        params=_favourite_params,
        fact_edges={"since": lambda: ["ticket"], "now": lambda: ["ticket"]},
        more_labels=_favourites,
        has_news=_NEW_GENRE,
        groups=GROUPS,
    ),
)
