"""Count how many have each label at the end of every day, once a night, so that no page has to."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.db.models import QuerySet

from common.sql import execute
from common.time import end_of_day, local_date, start_of_day
from labels.models import Label, LabelCount

KEPT_DAYS = 3 * 366
CHARTED_DAYS = 26 * 7

# A row counts at the end of a day when it began on that day or before, and ended on a later one. Who was merged may
# have had a label twice at a time, and counts once.
_COUNT = """
WITH missing AS (
    SELECT label.id FROM labels_label AS label
     WHERE NOT EXISTS (SELECT FROM labels_labelcount AS c WHERE c.label_id = label.id AND c.day = %(before)s)
),
merged AS MATERIALIZED (SELECT DISTINCT kept_id AS id FROM customers_merge WHERE undone_at IS NULL),
stretch AS (
    SELECT a.label_id, a.since, a.until FROM labels_assignment AS a JOIN missing ON missing.id = a.label_id
     WHERE (a.until IS NULL OR a.until >= %(start)s) AND a.customer_id NOT IN (SELECT id FROM merged)
    UNION ALL
    SELECT label_id, lower(part), upper(part) FROM (
        SELECT a.label_id, a.customer_id, range_agg(tstzrange(a.since, a.until)) AS held
          FROM labels_assignment AS a JOIN missing ON missing.id = a.label_id JOIN merged ON merged.id = a.customer_id
         WHERE a.until IS NULL OR a.until >= %(start)s
         GROUP BY a.label_id, a.customer_id
    ) AS twice CROSS JOIN LATERAL unnest(held) AS part
),
step AS (
    SELECT label_id, greatest((since AT TIME ZONE 'Europe/Amsterdam')::date, %(first)s) AS day, 1 AS change FROM stretch
    UNION ALL
    SELECT label_id, (until AT TIME ZONE 'Europe/Amsterdam')::date, -1 FROM stretch WHERE until IS NOT NULL
),
per_day AS (
    SELECT missing.id AS label_id, counted.day, coalesce(changed.change, 0) AS change
      FROM missing
     CROSS JOIN (
        SELECT at::date AS day FROM generate_series(%(first)s::date, %(last)s::date, interval '1 day') AS at
     ) AS counted
      LEFT JOIN (SELECT label_id, day, sum(change) AS change FROM step GROUP BY label_id, day) AS changed
        ON changed.label_id = missing.id AND changed.day = counted.day
)
INSERT INTO labels_labelcount (label_id, day, holders)
SELECT label_id, day, greatest(0, sum(change) OVER (PARTITION BY label_id ORDER BY day)) FROM per_day
ON CONFLICT (label_id, day) DO UPDATE SET holders = EXCLUDED.holders
"""

_TODAY = """
INSERT INTO labels_labelcount (label_id, day, holders)
SELECT label.id, %(day)s, count(DISTINCT a.customer_id)
  FROM labels_label AS label LEFT JOIN labels_assignment AS a
    ON a.label_id = label.id AND a.since < %(end)s AND (a.until IS NULL OR a.until >= %(end)s)
 WHERE EXISTS (SELECT FROM labels_labelcount AS c WHERE c.label_id = label.id AND c.day = %(before)s)
 GROUP BY label.id
ON CONFLICT (label_id, day) DO UPDATE SET holders = EXCLUDED.holders
"""


@transaction.atomic
def count_labels(*, now: dt.datetime) -> None:
    """Write the count of yesterday; of a label that lacks the day before, those of the half year that charts show.

    Counting twice changes nothing. Counts older than three years go.
    """
    yesterday = local_date(now) - dt.timedelta(days=1)
    first = yesterday - dt.timedelta(days=CHARTED_DAYS)
    before = yesterday - dt.timedelta(days=1)
    execute(_TODAY, {"day": yesterday, "before": before, "end": end_of_day(yesterday)})
    values = {"before": before, "first": first, "last": yesterday, "start": start_of_day(first)}
    execute(_COUNT, values)
    LabelCount.objects.filter(day__lt=yesterday - dt.timedelta(days=KEPT_DAYS)).delete()


def forget_counts(labels: QuerySet[Label], *, since: dt.datetime) -> None:
    """Have the counts of these labels made anew from the day of an instant on: who had them then has changed."""
    LabelCount.objects.filter(label__in=labels, day__gte=local_date(since)).delete()
