"""One letter for all readers at an address: what stands in the window, and what the text says of them together. Pure.

Only those who may get a letter are named; who objected, or does not get it, is not. A voucher is never shared: each
reader's own stands in the letter, under his name.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from django.utils.translation import gettext as _

from customers.models import Customer
from mailings.models import Mailing

#: More at one address are a home or a flat, and no household: each of them gets a letter.
MOST_AT_HOME = 8

LettersTo = Mailing.LettersTo
_NAMES = ("first_name", "full_name", "salutation")


def address_of(people: Sequence[Customer], letters_to: str) -> list[str]:
    """Return the lines for the window; ``people`` are those whose letter it is, the oldest first."""
    return [*_addressed_to(people, letters_to), *people[0].address_lines]


def values_of_all(people: Sequence[Customer], values: Sequence[Mapping[str, str]], letters_to: str) -> dict[str, str]:
    """Return what the fields say in a letter to all of them: their names together, and of the rest what holds for all.

    Where they differ (age, customer number) the field is empty, and the text's own word stands there.
    """
    first, *others = values
    if letters_to == LettersTo.RESIDENTS:
        return {**_same(first, others), **dict.fromkeys(_NAMES, _("residents"))}
    if not others:
        return dict(first)
    told = _same(first, others)
    told["first_name"] = joined(one["first_name"] for one in values if one.get("first_name"))
    if letters_to == LettersTo.FAMILY:
        told["full_name"] = told["salutation"] = _family(people, _("family %(name)s"))
    else:
        told["full_name"] = joined(_names(people))
        told["salutation"] = joined(one["salutation"] for one in values if one.get("salutation"))
    return told


def joined(words: Iterable[str]) -> str:
    """Return "Anna, Bas en Carla"."""
    *most, last = list(words) or [""]
    return _("%(first)s and %(last)s") % {"first": ", ".join(most), "last": last} if most else last


def _addressed_to(people: Sequence[Customer], letters_to: str) -> list[str]:
    if letters_to == LettersTo.RESIDENTS:
        return [_("To the residents of this address")]
    if len(people) == 1:
        return [people[0].full_name]
    return [_family(people, _("Family %(name)s"))] if letters_to == LettersTo.FAMILY else _names(people)


def _names(people: Iterable[Customer]) -> list[str]:
    """Return a line for each surname: "Fatima, Bas en Anna de Vries"."""
    firsts: dict[str, list[str]] = {}
    for one in people:
        firsts.setdefault(_surname(one), []).append(one.first_name or one.initials)
    return [f"{joined(filter(None, names))} {surname}".strip() for surname, names in firsts.items()]


def _family(people: Sequence[Customer], words: str) -> str:
    """Return "Familie De Vries en Jansen"; without a surname their names."""
    surnames = dict.fromkeys(surname[:1].upper() + surname[1:] for one in people if (surname := _surname(one)))
    return words % {"name": joined(surnames)} if surnames else joined(one.full_name for one in people)


def _surname(one: Customer) -> str:
    return f"{one.name_prefix} {one.last_name}".strip()


def _same(first: Mapping[str, str], others: Sequence[Mapping[str, str]]) -> dict[str, str]:
    return {name: value for name, value in first.items() if all(other.get(name) == value for other in others)}
