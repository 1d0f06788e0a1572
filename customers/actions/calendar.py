"""School holidays and the region of the organisation: what staff corrects of the calendar."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pghistory
from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext as _

from common.errors import Refused
from customers.models import CalendarSettings, SchoolHoliday

LONGEST = 70  # days; a summer holiday has 44


@transaction.atomic
def save_holiday(
    known: SchoolHoliday | None,
    *,
    region: str,
    name: str,
    school_year: int,
    first_day: dt.date,
    last_day: dt.date,
    by: User | None,
) -> SchoolHoliday:
    """Make a school holiday, or correct one; raises Refused for days out of order, and for one that is there twice."""
    if last_day < first_day:
        raise Refused("order", _("The last day must not lie before the first."), field="last_day")
    if (last_day - first_day).days > LONGEST:
        raise Refused("too_long", _("A school holiday lasts at most %d days.") % LONGEST, field="last_day")
    if first_day.year not in (school_year, school_year + 1):
        message = _("This day does not lie in school year %(year)d-%(next)d.")
        raise Refused("year", message % {"year": school_year, "next": school_year + 1}, field="first_day")
    same = SchoolHoliday.objects.filter(region=region, name=name, school_year=school_year)
    if (same.exclude(pk=known.pk) if known else same).exists():
        raise Refused("twice", _("This holiday of this school year is there already; change that one."), field="name")
    holiday = known or SchoolHoliday()
    holiday.region, holiday.name, holiday.school_year = region, name, school_year
    holiday.first_day, holiday.last_day = first_day, last_day
    with _history(by):
        holiday.save()
    return holiday


@transaction.atomic
def remove_holiday(holiday: SchoolHoliday, *, by: User | None) -> None:
    """Remove a school holiday."""
    with _history(by):
        holiday.delete()


@transaction.atomic
def set_region(region: str, *, by: User | None) -> CalendarSettings:
    """Set in which region the organisation lies; selections that speak of school holidays follow at once."""
    with _history(by):
        saved, _is_new = CalendarSettings.objects.update_or_create(pk=1, defaults={"region": region})
    return saved


def _history(by: User | None) -> Any:
    return pghistory.context(user=by.pk) if by else pghistory.context()
