"""Subscriptions by age, with the types and prices of a Dutch library of this size (2024)."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from .people import Person, age_on, birthday_in

DIRECT_DEBIT = 0.65


@dataclass(frozen=True, slots=True)
class Subscription:
    """One subscription; the price is in cents per year, `ends` the last day or None while it runs."""

    number: str
    customer: int
    kind: str
    description: str
    price_cents: int
    starts: date
    ends: date | None
    payment: str

    def row(self) -> list[str]:
        """Return the line of `abonnementen.csv`."""
        return [
            self.number, str(self.customer), self.kind, self.description, euros(self.price_cents),
            self.starts.isoformat(), self.ends.isoformat() if self.ends else "", self.payment,
        ]  # fmt: skip


# kind: description, price by direct debit, price otherwise (cents)
TYPES = {
    "jeugd": ("Jeugdabonnement (0 t/m 17 jaar)", 0, 0),
    "jongeren": ("Jongerenabonnement (18 t/m 23 jaar)", 2800, 2800),
    "volwassen": ("Volwassenenabonnement", 5800, 6200),
    "digitaal": ("Digitaal abonnement", 4200, 4200),
    "klein": ("Klein abonnement (12 uitleningen)", 1300, 1300),
    "leeskring": ("Leeskringabonnement", 9800, 9800),
}


def euros(cents: int) -> str:
    """Return an amount as Dutch exports write it: 12,50."""
    return f"{cents // 100},{cents % 100:02d}"


class Subscriptions:
    """Gives every (former) member the subscriptions of a life with the library."""

    def __init__(self, *, seed: int, today: date) -> None:
        self._rng = Random(f"{seed}-subscriptions")
        self._today = today
        self._made = 0

    def of(self, person: Person) -> Iterator[Subscription]:
        """Yield the subscriptions of a customer, oldest first; none for contacts and prospects."""
        if person.born is None or person.kind not in ("lid", "oud-lid"):
            return
        rng = self._rng
        payment = "incasso"
        if rng.random() >= DIRECT_DEBIT:
            payment = rng.choice(("factuur", "ideal", "ideal", "contant"))
        adult_kind = rng.choices(("volwassen", "digitaal", "klein", "leeskring"), (72, 9, 15, 4))[0]
        at = person.enrolled
        while True:
            kind, until = self._kind_at(at, person.born, adult_kind)
            last_day, goes_on = self._end(person, until)
            yield self._make(person, kind, at, last_day, payment)
            if not goes_on or last_day is None:
                return
            at = last_day + timedelta(days=1)

    def _kind_at(self, day: date, born: date, adult_kind: str) -> tuple[str, date | None]:
        """Return the kind that suits the age on that day, and the birthday on which it ends."""
        age = age_on(day, born)
        if age < 18:
            return "jeugd", birthday_in(born.year + 18, born)
        if age < 24 and adult_kind == "volwassen":
            return "jongeren", birthday_in(born.year + 24, born)
        return adult_kind, None

    def _end(self, person: Person, until: date | None) -> tuple[date | None, bool]:
        """Return (last day or None, whether a next subscription follows)."""
        stop = person.left or self._today
        if until is not None and until <= stop:
            return until - timedelta(days=1), True
        if person.left is None and not person.is_youth and not person.regular and self._rng.random() < 0.03:
            return self._today + timedelta(days=self._rng.randint(10, 200)), False
        return person.left, False

    def _make(self, person: Person, kind: str, starts: date, ends: date | None, payment: str) -> Subscription:
        self._made += 1
        description, by_debit, otherwise = TYPES[kind]
        price = by_debit if payment == "incasso" else otherwise
        how = payment if price else "gratis"
        return Subscription(f"A{self._made:08d}", person.number, kind, description, price, starts, ends, how)
