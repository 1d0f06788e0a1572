"""How likely two customers are one person, and why: points per reason, for and against. No query, no clock."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _
from rapidfuzz.distance import OSA, JaroWinkler

from customers.names import fold_name

ALIKE = 0.88  # Jaro-Winkler: "Jansen" and "Janssen", not "Tim" and "Tom"

#: Reason -> (points, words). Points against are what tells members of one family apart.
REASONS = {
    "last_name": (25, _("The same last name")),
    "last_name_alike": (15, _("Last names that are spelled alike")),
    "last_name_differs": (-35, _("Another last name")),
    "first_name": (20, _("The same first name")),
    "first_name_alike": (12, _("First names that are spelled alike")),
    "initials": (14, _("The same initials")),
    "initial": (8, _("First names with the same first letter")),
    "first_name_differs": (-40, _("Another first name: perhaps family or a twin")),
    "birth_date": (35, _("The same birth date")),
    "birth_date_guess": (12, _("Both born on a first of January, which is often a guess")),
    "birth_date_alike": (15, _("Birth dates that differ by a slip of the pen")),
    "birth_date_differs": (-50, _("Another birth date")),
    "gender_differs": (-20, _("Another gender")),
    "email": (25, _("The same e-mail address")),
    "email_shared": (5, _("An e-mail address that more people use")),
    "phone": (15, _("The same phone number")),
    "home": (20, _("The same address")),
    "postal_code": (5, _("The same postal code")),
    "same_source": (0, _("Two numbers in the same system, which may be two cards of one person")),
}
#: With one of these a person has to look, however high the likelihood is.
NEEDS_EYES = frozenset(
    code for code, (points, _words) in REASONS.items() if points < 0
) | {"first_name_alike", "initial", "birth_date_alike", "birth_date_guess", "same_source"}  # fmt: skip


@dataclass(frozen=True)
class Person:
    """What is compared. ``emails`` and ``phones`` are normalised; ``shared`` those that more than two people have."""

    first_name: str
    initials: str
    name_prefix: str
    last_name: str
    birth_date: dt.date | None
    gender: str
    postal_code: str
    house: str  # number and addition
    emails: frozenset[str]
    phones: frozenset[str]
    shared: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Score:
    """``points`` from 0 to 100 and the reasons, heaviest first; ``needs_eyes``: never merged by itself."""

    points: int
    reasons: list[tuple[str, int]]

    @property
    def needs_eyes(self) -> bool:
        """Whether one of the reasons asks for a person to look."""
        return any(code in NEEDS_EYES for code, _points in self.reasons)


def score(one: Person, other: Person, *, same_source: bool = False) -> Score:
    """Compare two customers. ``same_source``: one system holds both under different numbers."""
    codes = [
        _last_names(one, other),
        _first_names(one, other),
        _birth_dates(one.birth_date, other.birth_date),
        "gender_differs" if {one.gender, other.gender} == {"f", "m"} else "",
        _emails(one, other),
        "phone" if one.phones & other.phones else "",
        _homes(one, other),
        "same_source" if same_source else "",
    ]
    reasons = sorted(((code, REASONS[code][0]) for code in codes if code), key=lambda reason: -abs(reason[1]))
    return Score(max(0, min(100, sum(points for _code, points in reasons))), reasons)


def _last_names(one: Person, other: Person) -> str:
    mine, theirs = _last_name(one), _last_name(other)
    if not mine or not theirs:
        return ""
    if mine == theirs:
        return "last_name"
    # A married woman may have both names, or either: "Bos-de Vries", "de Vries".
    if set(mine.split()) & set(theirs.split()) or JaroWinkler.similarity(mine, theirs) >= ALIKE:
        return "last_name_alike"
    return "last_name_differs"


def _last_name(person: Person) -> str:
    """Return the name's weight-bearing words: no hyphens, no prefixes."""
    words = re.split(r"[\s\-]+", fold_name(person.last_name))
    return " ".join(word for word in words if word not in _PREFIXES)


_PREFIXES = {"", "van", "de", "der", "den", "het", "t", "'t", "te", "ten", "ter", "von", "el", "al", "la", "le", "du"}


def _first_names(one: Person, other: Person) -> str:
    mine, theirs = fold_name(one.first_name), fold_name(other.first_name)
    if len(mine.strip(".")) > 1 and len(theirs.strip(".")) > 1:
        if mine == theirs:
            return "first_name"
        # "Jan Peter" and "Jan": the name people are called by comes first.
        if mine.split()[0] == theirs.split()[0] or JaroWinkler.similarity(mine, theirs) >= ALIKE:
            return "first_name_alike"
        return "first_name_differs"
    return _initials(_letters(one), _letters(other))


def _initials(mine: str, theirs: str) -> str:
    if not mine or not theirs:
        return ""
    if mine == theirs and len(mine) > 1:
        return "initials"
    return "initial" if mine[0] == theirs[0] else "first_name_differs"


def _letters(person: Person) -> str:
    return re.sub(r"[^a-z]", "", fold_name(person.initials)) or fold_name(person.first_name)[:1]


def _birth_dates(mine: dt.date | None, theirs: dt.date | None) -> str:
    if mine is None or theirs is None:
        return ""
    if mine == theirs:
        return "birth_date_guess" if (mine.month, mine.day) == (1, 1) else "birth_date"
    is_turned = mine.year == theirs.year and (mine.month, mine.day) == (theirs.day, theirs.month)
    is_slip = OSA.distance(f"{mine:%Y%m%d}", f"{theirs:%Y%m%d}") == 1
    return "birth_date_alike" if is_turned or is_slip else "birth_date_differs"


def _emails(one: Person, other: Person) -> str:
    both = one.emails & other.emails
    if not both:
        return ""
    return "email" if both - one.shared - other.shared else "email_shared"


def _homes(one: Person, other: Person) -> str:
    if not one.postal_code or one.postal_code != other.postal_code:
        return ""
    return "home" if one.house and one.house == other.house else "postal_code"
