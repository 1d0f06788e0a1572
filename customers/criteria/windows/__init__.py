"""Stretches of time for all criteria: relative to today, of the calendar, school holidays, or between two dates.

Days are Amsterdam's. A window about what happened ends at the moment that is asked about; one of a date (an end date, a
birth date) may lie ahead. Every bound is a day, so a window changes at midnight and at no other time.

periods  names, and the days they mean
params   a window within the params of a criterion: days, instants, conditions, words
form     its fields in the builder
"""

from customers.criteria.windows.form import SHOWN_FOR, AnyWindowForm, WindowForm, shown_when
from customers.criteria.windows.params import UNITS, Unit, WindowParams, counted, within
from customers.criteria.windows.periods import (
    FUTURE,
    PERIODS,
    ROLLING,
    SEASON_STARTS,
    Stretch,
    all_periods,
    back,
    calendar,
    past_periods,
    start_of,
)

__all__ = [
    "FUTURE",
    "PERIODS",
    "ROLLING",
    "SEASON_STARTS",
    "SHOWN_FOR",
    "UNITS",
    "AnyWindowForm",
    "Stretch",
    "Unit",
    "WindowForm",
    "WindowParams",
    "all_periods",
    "back",
    "calendar",
    "counted",
    "past_periods",
    "shown_when",
    "start_of",
    "within",
]
