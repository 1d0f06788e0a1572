"""Count how good the data is, once a night."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from common.time import local_date
from customers.models import QualityCount
from customers.quality import count_issues

KEEP_DETAILS = dt.timedelta(days=35)  # per branch and source; the totals stay for the trend
KEEP_TOTALS = dt.timedelta(days=800)


@transaction.atomic
def count_quality(*, now: dt.datetime) -> int:
    """Count all issues for today and drop old details; return how many figures. Counting again replaces today's."""
    day = local_date(now)
    QualityCount.objects.filter(day__lt=day - KEEP_DETAILS).exclude(scope=QualityCount.Scope.ALL).delete()
    QualityCount.objects.filter(day__lt=day - KEEP_TOTALS).delete()
    return count_issues(day, now=now)
