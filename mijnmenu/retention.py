"""How long requests made in MijnMenu are kept."""

from __future__ import annotations

import datetime as dt

from django.utils.translation import gettext_lazy as _

from common.retention import DAYS, RetentionRule, retention_rules
from mijnmenu.models import AddressChange, LinkRequest


def _count(before: dt.datetime, now: dt.datetime) -> int:
    return (
        LinkRequest.objects.filter(asked_at__lt=before).count()
        + AddressChange.objects.filter(asked_at__lt=before).count()
    )


def _remove(before: dt.datetime, now: dt.datetime) -> int:
    return (
        LinkRequest.objects.filter(asked_at__lt=before).delete()[0]
        + AddressChange.objects.filter(asked_at__lt=before).delete()[0]
    )


retention_rules.register(
    RetentionRule(
        "link_requests",
        _("Requests for a link to MijnMenu and for another address"),
        _("They hold addresses of people whom we may not know."),
        _count,
        _remove,
        unit=DAYS,
        period=30,
        most=90,
    )
)
