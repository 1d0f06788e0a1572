"""Which plain function answers which criterion, and what may be filled in."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from tests.selections.plain.world import Row, World

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
DAY = dt.timedelta(days=1)
Params = dict[str, Any]


@dataclass(frozen=True)
class Moment:
    """The instant at which a rule is evaluated, and the day that is in Amsterdam."""

    now: dt.datetime

    @property
    def today(self) -> dt.date:
        return self.now.astimezone(AMSTERDAM).date()

    def start_of(self, day: dt.date) -> dt.datetime:
        """Return the first instant of a day."""
        return dt.datetime(day.year, day.month, day.day, tzinfo=AMSTERDAM)


def was_known(person: Row, at: Moment) -> bool:
    """Whether somebody was registered, or in the file, by then."""
    registered: dt.date | None = person["registered_on"]
    in_file: bool = person["created_at"] <= at.now
    return in_file or (registered is not None and registered <= at.today)


Answer = Callable[[World, Row, Params, Moment], bool]


@dataclass(frozen=True)
class Twin:
    """A plain answer to a criterion, with what may be asked."""

    answer: Answer
    params: st.SearchStrategy[Params]


TWINS: dict[str, Twin] = {}


def twin(code: str, *params: st.SearchStrategy[Params]) -> Callable[[Answer], Answer]:
    """Tie a function to a criterion; of several strategies any may be used."""

    def tie(answer: Answer) -> Answer:
        assert code not in TWINS, code
        TWINS[code] = Twin(answer, st.one_of(*params) if params else st.just({}))
        return answer

    return tie


def filled(*others: st.SearchStrategy[Params], **fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Params]:
    """Return settings with all these fields, and those of others."""
    parts = st.tuples(*others, st.fixed_dictionaries(fields))
    return parts.map(lambda given: {key: value for part in given for key, value in part.items()})


def optional(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Params]:
    """Return settings with some of these fields."""
    return st.fixed_dictionaries({}, optional=fields)


def some(values: Sequence[Any], most: int = 3) -> st.SearchStrategy[list[Any]]:
    """Return a few of these, at least one."""
    return st.lists(st.sampled_from(values), min_size=1, max_size=most, unique=True)


def few(values: Sequence[Any], most: int = 2) -> st.SearchStrategy[list[Any]]:
    """Return a few of these, or none."""
    return st.lists(st.sampled_from(values), max_size=most, unique=True)


@st.composite
def bounds(draw: st.DrawFn, lowest: int, highest: int) -> Params:
    """Return a lower bound, an upper bound, or both in order."""
    low = draw(st.none() | st.integers(lowest, highest))
    high = draw(st.integers(lowest, highest) if low is None else st.none() | st.integers(low, highest))
    return {name: value for name, value in (("at_least", low), ("at_most", high)) if value is not None}


def within(number: float | None, params: Params) -> bool:
    """Whether a number lies within bounds, both included; an unknown number never does."""
    if number is None:
        return False
    low, high = params.get("at_least"), params.get("at_most")
    return (low is None or number >= low) and (high is None or number <= high)


def years_back(day: dt.date, years: int) -> dt.date:
    """Return the same day so many years before; the 28th for a 29th of February that is not there."""
    try:
        return dt.date(day.year - years, day.month, day.day)
    except ValueError:
        return dt.date(day.year - years, 2, 28)


def age(born: dt.date | None, day: dt.date) -> int | None:
    """Return whole years on a day."""
    if born is None:
        return None
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))
