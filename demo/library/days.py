"""The two years that the files cover: which days are busy, and how a moment is written with its zone."""

from bisect import bisect
from datetime import date, datetime, timedelta
from itertools import accumulate
from random import Random
from zoneinfo import ZoneInfo

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
DAYS = 730
# January to December: the winter, the Boekenweek (March) and the Kinderboekenweek (October) are busy.
MONTHS = (1.25, 1.20, 1.25, 1.00, 0.75, 0.75, 0.95, 0.90, 1.00, 1.30, 1.10, 0.85)
# Monday to Sunday
OPEN = (0.8, 1.0, 1.4, 1.0, 1.1, 1.5, 0.0)
STAGE = (0.1, 0.4, 0.6, 1.0, 1.6, 2.0, 0.8)
ALWAYS = (1.0, 1.0, 1.0, 0.9, 0.9, 1.1, 1.2)


def moment(day: date, clock: str) -> str:
    """Return an ISO timestamp with the Dutch offset of that day, such as 2026-07-01T14:05:00+02:00."""
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=AMSTERDAM)
    offset = noon.strftime("%z")
    return f"{day.isoformat()}T{clock}{offset[:3]}:{offset[3:]}"


class Days:
    """Draws moments from the 730 days before today (day 0 is the oldest, day 729 is yesterday).

    An export is made at night, so nothing in it happened today.
    """

    def __init__(self, *, today: date, seed: int) -> None:
        self.first = today - timedelta(days=DAYS)
        self._rng = Random(f"{seed}-clock")
        days = [self.first + timedelta(days=n) for n in range(DAYS)]
        self._parts = [self._split(day) for day in days]
        self._sums = {
            place: list(accumulate((MONTHS[d.month - 1] * week[d.weekday()] for d in days), initial=0.0))
            for place, week in (("library", OPEN), ("theatre", STAGE), ("web", ALWAYS))
        }
        self._clocks = {
            "library": self._clock_times(10, 18, 2000),
            "theatre": self._clock_times(9, 22, 1000),
            "web": self._clock_times(6, 23, 4000),
        }

    @staticmethod
    def _split(day: date) -> tuple[str, str]:
        text = moment(day, "")
        return text[:11], text[11:]

    def _clock_times(self, start: int, end: int, count: int) -> list[str]:
        seconds = (self._rng.randrange(start * 3600, end * 3600) for _ in range(count))
        return [f"{s // 3600:02d}:{s // 60 % 60:02d}:{s % 60:02d}" for s in seconds]

    def index(self, day: date) -> int:
        """Return the number of a date, kept within 0..730."""
        return min(DAYS, max(0, (day - self.first).days))

    def draw(self, place: str, start: int, end: int, count: int, rng: Random) -> list[int]:
        """Return `count` day numbers in [start, end), in order, busy days more often; none if never open."""
        sums = self._sums[place]
        low, span = sums[start], sums[end] - sums[start]
        if span <= 0:
            return []
        random = rng.random
        return sorted(bisect(sums, low + random() * span, start + 1, end) - 1 for _ in range(count))

    def stamp(self, place: str, day: int, rng: Random) -> str:
        """Return a moment of that day while the place is open."""
        before, after = self._parts[day]
        clocks = self._clocks[place]
        return f"{before}{clocks[int(rng.random() * len(clocks))]}{after}"
