"""Households and the people in them: ages, kinds, contact points, how long they have been with us.

The shares come from public figures on Dutch libraries: 64% of members are youth, who mostly use a parent's
mail address; a parent's address is known for 60% of them, an own one for 80% of adults.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from .names import Names
from .places import Address, Addresses

FIRST_NUMBER = 1_000_001
FAMILY_SHARE = 0.74
EMAIL_KNOWN_ADULT = 0.80
EMAIL_KNOWN_YOUTH = 0.60
JOINED_LAST_YEAR = 0.12

YOUTH_AGES = tuple(range(18))
YOUTH_WEIGHTS = (2, 4, 7, 8, 9, 10, 10, 10, 10, 11, 11, 11, 11, 11, 10, 10, 8, 6)
ADULT_AGES = tuple(range(18, 93))
ADULT_WEIGHTS = tuple(
    6 if age < 23 else 5 if age < 30 else 9 if age < 37 else 10 if age < 50 else 9 if age < 65
    else 11 if age < 80 else 4
    for age in ADULT_AGES
)  # fmt: skip


@dataclass(slots=True)
class Person:
    """One customer; `left` is the last day of a former member, `regular` the part one plays in the story."""

    number: int
    kind: str
    initials: str
    first: str
    infix: str
    last: str
    born: date | None
    gender: str
    email: str
    phone: str
    address: Address | None
    branch: str
    enrolled: date
    left: date | None = None
    is_youth: bool = False
    regular: str = ""

    def row(self) -> list[str]:
        """Return the line of `klanten.csv`."""
        at = self.address
        return [
            str(self.number), self.kind, self.initials, self.first, self.infix, self.last,
            self.born.isoformat() if self.born else "", self.gender, self.email, self.phone,
            at.street if at else "", str(at.number) if at else "", at.addition if at else "",
            at.postcode if at else "", at.city if at else "", self.branch, self.enrolled.isoformat(),
        ]  # fmt: skip


def birthday_in(year: int, born: date) -> date:
    """Return the birthday in that year; 29 February is kept on the 28th in other years."""
    try:
        return born.replace(year=year)
    except ValueError:
        return born.replace(year=year, day=28)


def age_on(day: date, born: date) -> int:
    """Return the age in whole years, in step with `birthday_in`."""
    return day.year - born.year - (day < birthday_in(day.year, born))


class Population:
    """Makes households until the wanted number of customers is there."""

    def __init__(self, *, seed: int, today: date) -> None:
        self._rng = Random(f"{seed}-people")
        self._names = Names(self._rng)
        self._addresses = Addresses(self._rng)
        self._today = today
        self._next = FIRST_NUMBER

    def people(self, count: int) -> Iterator[Person]:
        """Yield `count` customers: first the regulars of the story, then households one after another."""
        made = 0
        for person in self._regulars():
            if made < count:
                made += 1
                yield person
        while made < count:
            for person in self._household():
                if made < count:
                    made += 1
                    yield person

    def _number(self) -> int:
        number, self._next = self._next, self._next + 1
        return number

    # -- households

    def _household(self) -> Iterator[Person]:
        rng = self._rng
        address = self._addresses.draw()
        surname = self._names.last()
        if rng.random() < FAMILY_SHARE:
            yield from self._family(address, surname)
            return
        age = rng.choices(ADULT_AGES, ADULT_WEIGHTS)[0]
        yield self._adult(age, address, surname)
        if rng.random() < 0.35:
            partner = surname if rng.random() < 0.3 else self._names.last()
            yield self._adult(min(92, max(18, age + rng.randint(-5, 5))), address, partner)

    def _family(self, address: Address, surname: tuple[str, str]) -> Iterator[Person]:
        rng = self._rng
        ages = sorted(rng.choices(YOUTH_AGES, YOUTH_WEIGHTS, k=rng.choices((1, 2, 3, 4), (32, 44, 19, 5))[0]))
        parent_age = ages[-1] + rng.randint(25, 38)
        shared = self._shared_email(surname, parent_age)
        if rng.random() < 0.55:
            parent = self._adult(parent_age, address, surname, email=shared)
            if parent.email and parent.address:
                shared = parent.email
            yield parent
        if rng.random() < 0.20:
            yield self._adult(max(20, parent_age + rng.randint(-4, 4)), address, self._names.last())
        for age in ages:
            yield self._child(age, address, surname, shared)

    def _shared_email(self, surname: tuple[str, str], parent_age: int) -> str:
        first = self._names.first(self._rng.choice("vvm"), parent_age)
        return self._names.email(first, *surname, self._next - FIRST_NUMBER)

    # -- people

    def _born(self, age: int) -> date:
        """Return a birth date; all days of the year are equally likely."""
        return self._today - timedelta(days=int((age + self._rng.random()) * 365.2425))

    def _adult(self, age: int, address: Address, surname: tuple[str, str], *, email: str | None = None) -> Person:
        rng, names = self._rng, self._names
        kind = rng.choices(("lid", "oud-lid", "nieuwsbrief", "prospect"), (73, 18, 6, 3))[0]
        gender = rng.choices(("v", "m", "x", ""), (60, 37, 0.5, 2.5))[0]
        first = names.first(gender, age)
        number = self._number()
        known = rng.random() < EMAIL_KNOWN_ADULT or kind == "nieuwsbrief"
        own = names.email(first, *surname, number - FIRST_NUMBER + 1) if known else ""
        born: date | None = self._born(age)
        at: Address | None = address
        if kind == "nieuwsbrief" or (kind == "prospect" and rng.random() < 0.6):
            at = None
        if kind in ("nieuwsbrief", "prospect") and rng.random() < 0.7:
            born = None
        enrolled, left = self._tenure(kind, self._born(age) if born is None else born)
        phone = names.mobile() if kind != "nieuwsbrief" and rng.random() < 0.72 else ""
        mail = email if email and known and at is not None else own
        return Person(
            number, kind, names.initials(first), first, *surname, born, gender, mail, phone, at,
            address.branch, enrolled, left,
        )  # fmt: skip

    def _child(self, age: int, address: Address, surname: tuple[str, str], shared: str) -> Person:
        rng, names = self._rng, self._names
        kind = "lid" if rng.random() < 0.93 or age < 2 else "oud-lid"
        gender = rng.choices(("v", "m", "x", ""), (51, 47, 0.3, 1.7))[0]
        first = names.first(gender, age)
        born = self._born(age)
        number = self._number()
        email = shared if rng.random() < EMAIL_KNOWN_YOUTH else ""
        if email and age >= 15 and rng.random() < 0.5:
            email = names.email(first, *surname, number - FIRST_NUMBER + 1)
        enrolled, left = self._tenure(kind, born)
        phone = names.mobile() if rng.random() < (0.5 if age > 11 else 0.25) else ""
        return Person(
            number, kind, names.initials(first), first, *surname, born, gender, email, phone, address,
            address.branch, enrolled, left, is_youth=True,
        )  # fmt: skip

    def _tenure(self, kind: str, born: date) -> tuple[date, date | None]:
        """Return (enrolled, left): joining peaks at two to eight, leavers went in the last two years."""
        rng, today = self._rng, self._today
        days_alive = (today - born).days
        left = None
        if kind == "oud-lid":
            left = today - timedelta(days=rng.randint(1, min(730, max(1, days_alive - 30))))
        elif kind != "lid" or rng.random() < JOINED_LAST_YEAR:
            longest = 365 if kind == "lid" else 1500
            return today - timedelta(days=min(days_alive, int(rng.random() * longest))), None
        end = left or today
        at_most = max(0, (end - born).days - 1)
        if days_alive < 18 * 365:
            joined_at = int(rng.triangular(90, 9 * 365, 4 * 365))
            days = at_most - joined_at
        else:
            days = int(rng.expovariate(1 / (8 * 365)))
        # Who joined within the last year was drawn above: their number stays the intended one.
        days = max(min(366, at_most), min(days, at_most))
        return end - timedelta(days=days), left

    # -- regulars

    def _regulars(self) -> Iterator[Person]:
        """Yield whom the story needs on any day: birthdays today, newcomers, one mailbox that is gone."""
        for first, infix, last, gender, age, branch, part in REGULARS:
            address = self._addresses.draw()
            while address.branch != branch:
                address = self._addresses.draw()
            number = self._number()
            birthday = self._today
            if part == "new":
                birthday -= timedelta(days=self._rng.randint(20, 340))
            # Who has a birthday on 29 February was born in a leap year.
            years = age - age % 4 if (birthday.month, birthday.day) == (2, 29) else age
            born = birthday_in(birthday.year - years, birthday)
            days = self._rng.randint(0, 3) if part == "new" else self._rng.randint(1000, 5000)
            email = self._names.email(first, infix, last, number - FIRST_NUMBER + 1)
            if part == "bounce":
                email = "bounce@example.nl"
            yield Person(
                number, "lid", f"{first[0]}.", first, infix, last, born, gender, email, self._names.mobile(),
                address, branch, self._today - timedelta(days=days), regular=part,
            )  # fmt: skip


# first name, tussenvoegsel, last name, gender, age, branch, part in the story
REGULARS = (
    ("Truus", "de", "Vries", "v", 71, "PUR", "birthday"),
    ("Youssef", "", "El Amrani", "m", 34, "WEI", "birthday"),
    ("Marijke", "van den", "Berg", "v", 58, "EDA", "birthday"),
    ("Jaap", "", "Kwakman", "m", 63, "VOL", "birthday"),
    ("Sanne", "", "Visser", "v", 41, "MON", "birthday"),
    ("Henk", "op den", "Kelder", "m", 69, "LAN", "bounce"),
    ("Fatma", "", "Kaya", "v", 29, "PUR", "new"),
    ("Daan", "van 't", "Hof", "m", 37, "BRO", "new"),
    ("Willemijn", "", "Schilder", "v", 46, "VOL", "new"),
    ("Bram", "de", "Haan", "m", 33, "MID", "new"),
)
