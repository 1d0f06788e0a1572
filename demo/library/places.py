"""Branches and addresses of Waterland: real places and postcode areas, streets by chance."""

from dataclasses import dataclass
from random import Random

# Dutch postcodes use these letters; SA, SD and SS are never issued.
LETTERS = "ABCDEGHJKLMNPRSTVWXZ"
NEVER_ISSUED = frozenset({"SA", "SD", "SS"})
STREETS_PER_AREA = 60


@dataclass(frozen=True, slots=True)
class Branch:
    """One branch of the library, as its own system exports it."""

    code: str
    name: str
    street: str
    number: int
    postcode: str
    city: str
    phone: str

    def row(self) -> list[str]:
        """Return the line of `vestigingen.csv`."""
        email = f"bibliotheek-{self.code.lower()}@example.nl"
        return [
            self.code, self.name, self.street, str(self.number), self.postcode, self.city, self.phone, email,
        ]  # fmt: skip


BRANCHES = (
    Branch("PUR", "Purmerend (hoofdvestiging)", "Waterlandlaan", 40, "1441 MP", "Purmerend", "0299-550100"),
    Branch("WEI", "Purmerend Weidevenne", "Grotenhuysweg", 100, "1447 LN", "Purmerend", "0299-550101"),
    Branch("EDA", "Edam", "Schepenmakersdijk", 12, "1135 AE", "Edam", "0299-550102"),
    Branch("VOL", "Volendam", "Zeestraat", 33, "1131 ZD", "Volendam", "0299-550103"),
    Branch("MON", "Monnickendam", "Pierebaan", 5, "1141 GV", "Monnickendam", "0299-550104"),
    Branch("BRO", "Broek in Waterland", "Dorpsstraat", 8, "1151 AD", "Broek in Waterland", "020-5550105"),
    Branch("LAN", "Landsmeer", "Dorpsplein", 1, "1121 BX", "Landsmeer", "020-5550106"),
    Branch("ILP", "Ilpendam", "Kerkstraat", 15, "1452 AC", "Ilpendam", "020-5550107"),
    Branch("MID", "Middenbeemster", "Middenweg", 148, "1462 HL", "Middenbeemster", "0299-550108"),
)

# postcode area, place, branch its people use, share of the customers
AREAS = (
    ("1441", "Purmerend", "PUR", 8), ("1442", "Purmerend", "PUR", 7), ("1443", "Purmerend", "PUR", 6),
    ("1444", "Purmerend", "PUR", 8), ("1445", "Purmerend", "PUR", 5), ("1446", "Purmerend", "PUR", 5),
    ("1447", "Purmerend", "WEI", 9), ("1448", "Purmerend", "WEI", 8), ("1135", "Edam", "EDA", 6),
    ("1131", "Volendam", "VOL", 10), ("1132", "Volendam", "VOL", 3), ("1141", "Monnickendam", "MON", 7),
    ("1156", "Marken", "MON", 1), ("1145", "Katwoude", "MON", 1), ("1151", "Broek in Waterland", "BRO", 3),
    ("1153", "Zuiderwoude", "BRO", 1), ("1121", "Landsmeer", "LAN", 5), ("1127", "Den Ilp", "LAN", 1),
    ("1451", "Purmerland", "ILP", 1), ("1452", "Ilpendam", "ILP", 2), ("1454", "Watergang", "ILP", 1),
    ("1461", "Zuidoostbeemster", "MID", 3), ("1462", "Middenbeemster", "MID", 4),
    ("1463", "Noordbeemster", "MID", 1), ("1464", "Westbeemster", "MID", 1),
    ("1474", "Oosthuizen", "EDA", 2), ("1471", "Kwadijk", "EDA", 1),
)  # fmt: skip

STREET_STARTS = (
    "Kastanje", "Linden", "Berken", "Wilgen", "Populieren", "Elzen", "Meidoorn", "Vlier", "Iepen",
    "Esdoorn", "Koningin Emma", "Prins Bernhard", "Wilhelmina", "Juliana", "Beatrix", "Van Speijk",
    "Tasman", "Rembrandt", "Vermeer", "Jan Steen", "Multatuli", "Vondel", "Anna Blaman",
    "Annie M.G. Schmidt", "Zuiderzee", "Waterland", "Dijk", "Polder", "Molen", "Kerk", "School", "Dorps",
    "Haven", "Nieuwe Gouw", "Gors", "Overweerse", "Plas", "Reiger", "Kievit", "Grutto", "Lepelaar",
    "Zwanen", "Aalscholver", "Otter", "Snoek", "Karekiet", "Botter", "Kwak", "Schoener", "Tjalk",
)  # fmt: skip
STREET_ENDS = ("straat", "laan", "weg", "hof", "plantsoen", "pad", "singel", "kade", "dreef")


@dataclass(frozen=True, slots=True)
class Address:
    """Where a household lives, and the branch it goes to."""

    street: str
    number: int
    addition: str
    postcode: str
    city: str
    branch: str


def _letters(rng: Random) -> str:
    while (pair := rng.choice(LETTERS) + rng.choice(LETTERS)) in NEVER_ISSUED:
        pass
    return pair


class Addresses:
    """Hands out addresses, none twice, so that customers at one address are one household."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._taken: set[tuple[str, str, int, str]] = set()
        names = [start + end for start in STREET_STARTS for end in STREET_ENDS]
        self._streets = [
            [(name, f"{area[0]} {_letters(rng)}") for name in rng.sample(names, STREETS_PER_AREA)] for area in AREAS
        ]
        self._weights = [share for _, _, _, share in AREAS]

    def draw(self) -> Address:
        """Return an address nobody has yet; crowded areas get additions such as "B" or "12"."""
        rng = self._rng
        place = rng.choices(range(len(AREAS)), self._weights)[0]
        _, city, branch, _ = AREAS[place]
        crowd = 0
        while True:
            street, postcode = self._streets[place][int(rng.random() ** 1.5 * STREETS_PER_AREA)]
            number = 1 + int(rng.random() * 140)
            addition = self._addition(crowd)
            key = (street, postcode, number, addition)
            if key not in self._taken:
                self._taken.add(key)
                return Address(street, number, addition, postcode, city, branch)
            crowd += 1

    def _addition(self, crowd: int) -> str:
        if crowd == 0 and self._rng.random() < 0.94:
            return ""
        return self._rng.choice("ABCDEFGH") if crowd < 4 else str(self._rng.randint(1, 60))
