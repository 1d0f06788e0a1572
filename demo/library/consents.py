"""What customers allowed or refused, with the moment, the source and the wording they saw."""

from collections.abc import Iterator
from datetime import date, timedelta
from random import Random

from .days import moment
from .people import Person, age_on

OPT_IN = 0.40
TAKES_BACK = 0.12
# the day from which a wording was used
WORDINGS = ((date(2018, 5, 25), "2018-1"), (date(2021, 7, 1), "2021-2"), (date(2024, 9, 1), "2024-3"))
GDPR = WORDINGS[0][0]


def wording_on(day: date) -> str:
    """Return the version of the consent text in use on that day."""
    return [version for since, version in WORDINGS if since <= max(day, GDPR)][-1]


class Consents:
    """Draws the consent ledger of a customer; nobody is asked twice on one day."""

    def __init__(self, *, seed: int, today: date) -> None:
        self._rng = Random(f"{seed}-consents")
        self._today = today

    def of(self, person: Person) -> Iterator[list[str]]:
        """Yield lines of `toestemmingen.csv`, in order of time per purpose and channel."""
        asked = max(person.enrolled, GDPR)
        if asked >= self._today:
            asked = self._today - timedelta(days=1) if person.enrolled < self._today else self._today
        source = self._source(person)
        yield from self._marketing(person, asked, source)
        yield from self._others(person, asked, source)

    def _source(self, person: Person) -> str:
        if person.born is not None and age_on(self._today, person.born) < 16:
            return "ouder of verzorger"
        if person.kind == "nieuwsbrief":
            return "website"
        if person.kind == "prospect":
            return "activiteit"
        return self._rng.choice(("inschrijfformulier", "inschrijfformulier", "balie", "website"))

    def _marketing(self, person: Person, asked: date, source: str) -> Iterator[list[str]]:
        rng, number = self._rng, person.number
        if not person.email:
            return
        agrees = OPT_IN / (1 - TAKES_BACK) if person.kind != "nieuwsbrief" else 0.25
        if person.regular or rng.random() < agrees:
            yield self._line(number, "marketing", "email", "ja", asked, source)
            if not person.regular and rng.random() < TAKES_BACK:
                yield from self._later(number, "marketing", "email", "nee", asked)
        elif rng.random() < 0.5:
            yield self._line(number, "marketing", "email", "nee", asked, source)

    def _others(self, person: Person, asked: date, source: str) -> Iterator[list[str]]:
        rng, number = self._rng, person.number
        if person.email and (person.kind == "nieuwsbrief" or rng.random() < 0.35):
            yield self._line(number, "nieuwsbrief", "email", "ja", asked, source)
        if person.kind == "lid" and (person.regular or rng.random() < 0.8):
            state = "ja" if rng.random() < 0.9 else "nee"
            yield self._line(number, "profilering", "email", state, asked, source)
        if person.phone and rng.random() < 0.08:
            yield self._line(number, "marketing", rng.choice(("telefoon", "sms")), "ja", asked, source)
        if not person.regular and rng.random() < 0.03:
            for channel in ("email", "post"):
                yield from self._later(number, "marketing", channel, "bezwaar", asked)

    def _later(self, number: int, purpose: str, channel: str, state: str, after: date) -> Iterator[list[str]]:
        """Yield a change of mind between the day after `after` and yesterday, if there is such a day."""
        room = (self._today - after).days - 1
        if room >= 1:
            day = after + timedelta(days=self._rng.randint(1, room))
            source = self._rng.choice(("MijnMenu", "balie", "afmeldlink"))
            yield self._line(number, purpose, channel, state, day, source)

    def _line(self, number: int, purpose: str, channel: str, state: str, day: date, source: str) -> list[str]:
        clock = f"{self._rng.randrange(9, 18):02d}:{self._rng.randrange(60):02d}:00"
        if day >= self._today:
            clock = "00:00:00"  # a later one may still lie ahead
        return [str(number), purpose, channel, state, moment(day, clock), source, wording_on(day)]
