"""Who was known by the moment that is asked about, and what had happened: messages, vouchers, campaigns."""

from __future__ import annotations

import datetime as dt
import re

from django.db.models import Q
from django.utils.formats import date_format

from common.time import local_date
from customers.criteria.windows import WindowParams


def known_at(now: dt.datetime) -> Q:
    """Return the condition of who was known by then: registered at the library, or in this file. Who came later was in
    no selection, also not in one of those who did *not* do something.
    """
    return Q(created_at__lte=now) | Q(registered_on__lte=local_date(now))


def until_now(params: WindowParams, field: str, *, now: dt.datetime) -> Q:
    """Return the condition that a moment lies in the window; what happens at ``now`` itself has happened."""
    start, end = params.happened(now=now)
    q = Q(**{f"{field}__lte" if end == now else f"{field}__lt": end})
    return q & Q(**{f"{field}__gte": start}) if start else q


def said(sentence: str, params: WindowParams, **values: object) -> str:
    """Fill in a sentence with its values and, as ``%(when)s``, the window; ever is not said."""
    text = sentence % (values | {"when": "" if params.is_ever else params.words()})
    return re.sub(" {2,}", " ", text).strip()


def day_of(moment: dt.datetime) -> str:
    """Return the Amsterdam day of a moment in words."""
    return date_format(local_date(moment))
