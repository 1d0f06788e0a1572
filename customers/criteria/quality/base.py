"""What the criteria about quality share."""

from __future__ import annotations

import datetime as dt

from django import forms
from django.db.models import OuterRef, Q, QuerySet
from django.utils.translation import gettext_lazy

from common.criteria import Params
from common.time import local_date
from customers.models import ContactPoint

QUALITY = gettext_lazy("Quality of the data")
ADULT = 16  # from this age on one answers for oneself (AVG 8)


def living(q: Q, *, now: dt.datetime) -> Q:
    """Narrow a condition to those about whom something could still be done at a moment."""
    alive = Q(deceased_on__isnull=True) | Q(deceased_on__gt=local_date(now))
    return alive & (Q(restricted_at__isnull=True) | Q(restricted_at__gt=now)) & q


def points_of(channel: str) -> QuerySet[ContactPoint]:
    """Return the contact points of a channel of the customer around it."""
    return ContactPoint.objects.filter(customer=OuterRef("pk"), channel=channel)


class Nothing(Params):
    """There is nothing to fill in."""


class NothingForm(forms.Form):
    pass
