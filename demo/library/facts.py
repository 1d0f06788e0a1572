"""Two years of doings: loans, reservations, fees, tickets, web visits. Worlds and genres, never titles."""

from collections.abc import Iterator, Sequence
from datetime import date
from math import exp
from random import Random

from .days import DAYS, Days
from .people import Person, age_on, birthday_in
from .subscriptions import Subscription, euros

Line = tuple[str | int, ...]

# Loans per member and year are negative binomial: gamma-distributed appetite, Poisson doings.
# With this shape 30% borrow nothing in a year at a mean of 15 over all members.
LOANS_SHAPE = 0.31
LOANS_YOUTH = 13.3
LOANS_ADULT = 18.5

WORLDS: dict[str, tuple[str, ...]] = {
    "jeugd": ("prentenboeken", "eerste-lezers", "avontuur", "fantasy", "dieren", "strips", "informatief"),
    "fictie": ("literatuur", "familieroman", "historische-roman", "korte-verhalen", "poezie"),
    "spanning": ("thriller", "detective", "scandinavisch", "oorlog"),
    "romantiek": ("romantisch", "feelgood", "streekroman"),
    "reizen": ("reisgidsen", "reisverhalen", "fietsen-en-wandelen", "talen"),
    "koken-en-wonen": ("koken", "bakken", "tuinieren", "interieur", "klussen"),
    "geschiedenis": ("streekgeschiedenis", "tweede-wereldoorlog", "biografie", "oudheid"),
    "gezondheid": ("gezond-leven", "opvoeding", "psychologie", "sport"),
    "kunst-en-cultuur": ("muziek", "schilderkunst", "film", "architectuur"),
    "mens-en-maatschappij": ("economie", "politiek", "natuur", "techniek", "filosofie"),
}
WORLD_NAMES = tuple(WORLDS)
YOUTH_WORLDS = (80, 5, 3, 1, 1, 1, 2, 1, 2, 4)
TEEN_WORLDS = (35, 18, 14, 10, 2, 2, 4, 3, 6, 6)
ADULT_WORLDS = (5, 28, 24, 12, 6, 7, 6, 5, 4, 3)
STAGE_GENRES = ("cabaret", "toneel", "musical", "popmuziek", "klassieke-muziek", "dans", "jeugdtheater")
STAGE_WEIGHTS = (24, 18, 16, 15, 10, 5, 12)
TICKET_CENTS = (1250, 1750, 2250, 2450, 2750, 3250, 3850)
AT_ONCE = (1, 1, 2, 2, 3, 4)


def poisson(mean: float, rng: Random) -> int:
    """Return a Poisson number; large means by the normal approximation, which nobody can tell apart here."""
    if mean > 60:
        return max(0, round(rng.gauss(mean, mean**0.5)))
    limit, product, count = exp(-mean), rng.random(), 0
    while product > limit:
        product *= rng.random()
        count += 1
    return count


class Facts:
    """Draws what a customer did in the two years before today; one method per file."""

    def __init__(self, *, seed: int, today: date, days: Days) -> None:
        self._rng = Random(f"{seed}-facts")
        self._today = today
        self._days = days
        self._made: dict[str, int] = dict.fromkeys("URBKW", 0)

    def _id(self, letter: str) -> str:
        self._made[letter] += 1
        return f"{letter}{self._made[letter]:09d}"

    def window(self, person: Person) -> tuple[int, int]:
        """Return the day numbers [start, end) of membership in the two years; empty for others."""
        if person.kind not in ("lid", "oud-lid"):
            return 0, 0
        end = DAYS if person.left is None else self._days.index(person.left)
        return self._days.index(person.enrolled), end

    def visits(self, person: Person) -> list[int]:
        """Return the days with loans, in order, one per line of `uitleningen.csv`.

        Leaving follows a year of little use: of most former members the last year stays empty.
        """
        start, end = self.window(person)
        rng = self._rng
        if person.left is not None and rng.random() < 0.7:
            end -= 330
        if end <= start:
            return []
        mean = LOANS_YOUTH if person.is_youth else LOANS_ADULT
        appetite = rng.gammavariate(LOANS_SHAPE, mean / LOANS_SHAPE) if not person.regular else 24.0
        loans = poisson(min(appetite, 250.0) * (end - start) / 365, rng)
        lines = 0
        while loans > 0:
            loans -= AT_ONCE[lines % 6]
            lines += 1
        return self._days.draw("library", start, end, lines, rng)

    def loans(self, person: Person, visits: Sequence[int]) -> Iterator[Line]:
        """Yield one line per visit and world, with how many were borrowed."""
        rng, stamp, branch, number = self._rng, self._days.stamp, person.branch, person.number
        favourites = self._favourites(person)
        random, pick, total = rng.random, len(favourites), len(visits)
        for place, day in enumerate(visits):
            world = favourites[int(random() * pick)]
            genres = WORLDS[world]
            count = AT_ONCE[(total - 1 - place) % 6]
            yield (
                self._id("U"), number, "uitlening", stamp("library", day, rng), branch, "bibliotheek", world,
                genres[int(random() * random() * len(genres))], count, "", "",
            )  # fmt: skip

    def _favourites(self, person: Person) -> list[str]:
        """Return ten picks, half of them one world, so that worlds say something of a reader."""
        weights = ADULT_WORLDS
        if person.is_youth and person.born is not None:
            weights = TEEN_WORLDS if age_on(self._today, person.born) >= 13 else YOUTH_WORLDS
        first, second, *others = self._rng.choices(WORLD_NAMES, weights, k=5)
        return [first] * 5 + [second] * 2 + others

    def reservations(self, person: Person, visits: Sequence[int]) -> Iterator[Line]:
        """Yield a reservation some days before about one visit in eight."""
        rng = self._rng
        for day in visits:
            if rng.random() < 0.12 and day >= 10:
                world = rng.choice(WORLD_NAMES) if not person.is_youth else "jeugd"
                when = self._days.stamp("web", day - rng.randint(2, 9), rng)
                yield (
                    self._id("R"), person.number, "reservering", when, person.branch, "bibliotheek", world,
                    rng.choice(WORLDS[world]), 1, "", "",
                )  # fmt: skip

    def payments(self, person: Person, subscriptions: Sequence[Subscription], visits: Sequence[int]) -> Iterator[Line]:
        """Yield the yearly fee of each paid subscription, and fines for adults who were late."""
        rng, days = self._rng, self._days
        for subscription in subscriptions:
            for year in range(days.first.year, self._today.year + 1):
                due = birthday_in(year, subscription.starts)
                runs = subscription.starts <= due <= (subscription.ends or self._today)
                if subscription.price_cents and runs and days.first <= due < self._today:
                    when = days.stamp("library", days.index(due), rng)
                    yield self._payment(person, "contributie", when, subscription.price_cents)
        if not person.is_youth:
            for day in visits:
                late = day + 22 + int(rng.random() * 20)
                if rng.random() < 0.05 and late < DAYS:
                    cents = rng.randint(1, 25) * 20
                    yield self._payment(person, "boete", days.stamp("library", late, rng), cents)

    def _payment(self, person: Person, kind: str, when: str, cents: int) -> Line:
        return (
            self._id("B"), person.number, kind, when, person.branch, "bibliotheek", "", "", 1,
            euros(cents), "",
        )  # fmt: skip

    def tickets(self, person: Person) -> Iterator[Line]:
        """Yield ticket sales of the theatre: one adult in five goes, most of them once or twice a year."""
        rng = self._rng
        if person.is_youth or not (person.regular or rng.random() < 0.2):
            return
        start = 0 if person.kind != "lid" else self.window(person)[0]
        if start >= DAYS:
            return
        for day in self._days.draw("theatre", start, DAYS, 1 + poisson(1.8, rng), rng):
            when = self._days.stamp("theatre", day, rng)
            seats = rng.choices((1, 2, 3, 4), (15, 60, 10, 15))[0]
            yield (
                self._id("K"), person.number, "kaartverkoop", when, "", "theater",
                "kunst-en-cultuur", rng.choices(STAGE_GENRES, STAGE_WEIGHTS)[0], seats,
                euros(seats * rng.choice(TICKET_CENTS)), "",
            )  # fmt: skip

    def web_visits(self, person: Person, visits: Sequence[int]) -> Iterator[Line]:
        """Yield visits to the website by those who have a mail address: pages seen and seconds spent."""
        rng = self._rng
        if not person.email:
            return
        start = self._days.index(person.enrolled)
        if start >= DAYS:
            return
        years = (DAYS - start) / 365
        count = poisson((1.0 if person.is_youth else 2.5) * years + 0.15 * len(visits), rng)
        world_known = [*WORLD_NAMES, "", "", "", ""] if not person.is_youth else ["jeugd", "jeugd", ""]
        for day in self._days.draw("web", start, DAYS, count, rng):
            yield (
                self._id("W"), person.number, "webbezoek", self._days.stamp("web", day, rng), "", "web",
                rng.choice(world_known), "", rng.randint(1, 12), "", int(20 + rng.expovariate(1 / 150)),
            )  # fmt: skip
