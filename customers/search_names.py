"""Find people by the words of their name, as they are written: each begins a word of the name."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from django.db.models import Q

from customers.questions import PREFIXES

if TYPE_CHECKING:
    from customers.models.querysets import CustomerQuerySet

CANDIDATES = 600  # that are compared to find the best
_MOST_WORDS = 4  # of which each may be the last name


def with_words(people: CustomerQuerySet, words: str) -> CustomerQuerySet:
    """Keep those in whose name each of the words begins one."""
    for word in words.split():
        people = people.filter(name_key__regex=rf"(^|[ '-]){re.escape(word)}")
    return people


def by_name(people: CustomerQuerySet, words: str, limit: int) -> list[int]:
    """Return in whose name each word begins one; last names before first names, whole words before beginnings."""
    near = _by_last_name(people, words, limit)
    if not _is_full(near, words, limit):
        near |= dict(
            _in_any_place(people, words, is_full=len(near) >= limit).values_list("pk", "name_key")[:CANDIDATES]
        )
    return sorted(near, key=lambda pk: (_rank(near[pk], words), near[pk], pk))[:limit]


def _by_last_name(people: CustomerQuerySet, words: str, limit: int) -> dict[int, str]:
    """Return who has one of the words as last name and the others behind it, in their order; of a single word, also
    whose last name begins so. Straight from the index, however many there are.
    """
    said = words.split()
    weighty = [word for word in said if word not in PREFIXES] or said
    behind = " ".join(word for word in said if word not in weighty)
    starts = [" ".join([word, *weighty[:place], *weighty[place + 1 :]]) for place, word in enumerate(weighty)]
    found: dict[int, str] = {}
    for start in [f"{weighty[0]} "] if len(weighty) == 1 < len(said) else starts[:_MOST_WORDS]:
        named = with_words(people.filter(name_key__startswith=start), behind).order_by("name_key", "pk")
        found |= dict(named.values_list("pk", "name_key")[:limit])
    return found


def _is_full(near: dict[int, str], words: str, limit: int) -> bool:
    """Say whether nobody else can be better: of a single word, only who has it whole as last name."""
    return len(near) >= limit and (" " in words or all(_rank(name, words) < 2 for name in near.values()))


def _in_any_place(people: CustomerQuerySet, words: str, *, is_full: bool) -> CustomerQuerySet:
    """Keep those in whose name the words stand anywhere. When last names that begin so fill the list, only a whole word
    is better. One or two letters begin too many names: those are sought as a whole word.
    """
    if is_full:  # not as a regular expression: its trigrams leave out the end of the word, which is what tells
        return people.filter(Q(name_key__contains=f" {words} ") | Q(name_key__endswith=f" {words}"))
    if max(map(len, words.split())) > 2:
        return with_words(people, words)
    if len(words) == 2:  # first names such as Bo and Li
        return people.filter(name_key__regex=rf"(^|[ '-]){re.escape(words)}($|[ '-])")
    return people.none()


def _rank(name: str, words: str) -> int:
    """Return how good a match is, 0 the best."""
    first = words.split(maxsplit=1)[0]
    if name == words or name.startswith(f"{words} "):
        return 0
    if name.startswith(f"{first} "):
        return 1
    if f" {first} " in name or name.endswith(f" {first}"):
        return 2
    return 3 if name.startswith(first) else 4
