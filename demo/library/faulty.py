"""Ten customers of whom six cannot be imported: something to try the import page with."""

from collections.abc import Iterator

GOOD = (
    "9000001", "lid", "A.", "Anja", "de", "Wit", "1979-03-14", "v", "anja.dewit@example.nl", "0612340001",
    "Lindenlaan", "12", "", "1441 AB", "Purmerend", "PUR", "2024-02-01",
)  # fmt: skip
BORN, EMAIL, NUMBER, KIND, LAST, BRANCH, FIRST = 6, 8, 0, 1, 5, 15, 3

# what differs from a good row: column, value
CHANGES: tuple[dict[int, str], ...] = (
    {},
    {FIRST: "Bert", EMAIL: "bert.dewit@example.nl"},
    {FIRST: "Carla", EMAIL: "", BORN: "31-02-2015"},  # no such day, and not ISO
    {FIRST: "Dave", EMAIL: "dave.dewit(at)example.nl"},  # not an address
    {FIRST: "Els", EMAIL: "els@example.nl", BRANCH: "XXX"},  # no such branch
    {FIRST: "Frank", EMAIL: "frank@example.org", KIND: "vriend"},  # no such kind
    {FIRST: "Gré", EMAIL: "gre@example.nl", LAST: ""},  # a customer needs a name
    {FIRST: "Hugo", EMAIL: "hugo@example.nl", NUMBER: "9000001"},  # number used twice
    {FIRST: "Ilse", EMAIL: ""},
    {FIRST: "Joost", EMAIL: "joost@example.com"},
)


def faulty_rows() -> Iterator[list[str]]:
    """Yield ten lines for `klanten`; rows 4 to 9 of the file, counting the header, hold one error each."""
    for place, changes in enumerate(CHANGES):
        row = list(GOOD)
        row[NUMBER] = str(9000001 + place)
        for column, value in changes.items():
            row[column] = value
        yield row
