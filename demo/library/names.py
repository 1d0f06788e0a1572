"""Names as they are met at a Dutch counter: by generation, with the tussenvoegsel apart."""

import re
import unicodedata
from random import Random

from faker.providers.person.nl_NL import Provider

# Faker's list is long but flat; the names that fill half a real member list come first.
COMMON_LAST_NAMES = (
    "de Jong", "Jansen", "de Vries", "van den Berg", "van Dijk", "Bakker", "Janssen", "Visser", "Smit",
    "Meijer", "de Boer", "Mulder", "de Groot", "Bos", "Vos", "Peters", "Hendriks", "van Leeuwen", "Dekker",
    "Brouwer", "de Wit", "Dijkstra", "Smits", "de Graaf", "van der Meer", "van der Linden", "Kok", "Jacobs",
    "de Haan", "Vermeulen", "van den Heuvel", "van der Veen", "van den Broek", "de Bruijn", "Schouten",
    "van Beek", "Willems", "van Vliet", "Hoekstra", "Maas", "Verhoeven", "Koster", "van Dam", "Prins",
    "Blom", "Yılmaz", "Kaya", "El Amrani", "Bouazza", "Singh", "Nguyen", "Kwakman", "Tuip", "Veerman",
    "Schilder", "Tol", "Zwarthoed", "Keizer", "Koning", "Bond", "Steur", "Plat", "Sier", "Karregat",
    "Buijs", "van 't Hof", "op den Kelder",
)  # fmt: skip
OLDER_WOMEN = (
    "Truus", "Annie", "Riet", "Corrie", "Greetje", "Willy", "Ria", "Joke", "Tineke", "Ineke", "Nel",
    "Gerda", "Marijke", "Ans", "Hennie", "Trijntje", "Aaltje", "Margriet", "Wilma", "Yvonne", "Marian",
    "José",
)  # fmt: skip
OLDER_MEN = (
    "Jan", "Piet", "Kees", "Henk", "Cor", "Gerrit", "Wim", "Klaas", "Dirk", "Jaap", "Nico", "Theo", "Ton",
    "Rob", "Peter", "Frans", "Joop", "Arie", "Siem", "Evert", "Freek", "René", "Ruud", "Leo",
)  # fmt: skip

_PARTS = re.compile(
    r"^(?:(?P<infix>(?:van|van der|van den|van de|van 't|de|den|der|ten|ter|te|op den|in 't|'t)) )?"
    r"(?P<last>[A-Z][a-zéëïöüı]+|El [A-Z][a-z]+)$"
)


def split_name(full: str) -> tuple[str, str] | None:
    """Return (tussenvoegsel, last name), or None for a form we do not write, such as a double name."""
    found = _PARTS.match(full)
    return (found["infix"] or "", found["last"]) if found else None


def _ascii(text: str) -> str:
    folded = unicodedata.normalize("NFKD", text.replace("ı", "i")).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z]", "", folded.lower())


class Names:
    """Draws names; one generator, so the same seed gives the same people."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._common = [parts for name in COMMON_LAST_NAMES if (parts := split_name(name))]
        rare = {parts for name in Provider.last_names if (parts := split_name(name))}
        self._rare = sorted(rare)
        self._women = sorted(set(Provider.first_names_female))
        self._men = sorted(set(Provider.first_names_male))
        self._domains = ("example.nl", "example.nl", "example.org", "example.com")

    def last(self) -> tuple[str, str]:
        """Return (tussenvoegsel, last name)."""
        return self._rng.choice(self._common if self._rng.random() < 0.45 else self._rare)

    def first(self, gender: str, age: int) -> str:
        """Return a first name that suits the gender (m, v, x) and the generation."""
        rng = self._rng
        woman = gender == "v" or (gender != "m" and rng.random() < 0.5)
        if age >= 50 and rng.random() < 0.75:
            return rng.choice(OLDER_WOMEN if woman else OLDER_MEN)
        return rng.choice(self._women if woman else self._men)

    def initials(self, first: str) -> str:
        """Return initials that begin with the first name's letter: "J." to "J.A.M."."""
        more = self._rng.choices("AACEGHJJMMMPTW", k=self._rng.choices((0, 1, 2), (50, 38, 12))[0])
        return "".join(f"{letter}." for letter in (first[0], *more))

    def email(self, first: str, infix: str, last: str, number: int) -> str:
        """Return an address at a domain reserved for examples; the number keeps it apart from namesakes."""
        name = f"{_ascii(first)}.{_ascii(infix)}{_ascii(last)}"
        return f"{name}{number % 10000}@{self._rng.choice(self._domains)}"

    def mobile(self) -> str:
        """Return a number of the Dutch mobile range, ten digits without a hyphen."""
        return f"06{self._rng.choice('12345')}{self._rng.randrange(10**7):07d}"
