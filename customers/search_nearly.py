"""Find people whose name somebody mistyped, among a million as well.

A trigram index reads all names that have some letters in common: tens of thousands when a name is common. So the
different names are looked at first, by skipping along the index of names from one to the next; few begin with the same
two letters. Who is called so is then a look-up. Trigrams are for what that does not find.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from django.contrib.postgres.search import TrigramWordSimilarity

from common.sql import rows
from customers.questions import ABBREVIATED, PREFIXES, TITLES, spellings
from customers.search_names import CANDIDATES, with_words

if TYPE_CHECKING:
    from customers.models.querysets import CustomerQuerySet

ENOUGH = 20  # found, so that what resembles less is not looked for
SIMILAR = 200
SHORT_WORD = range(3, 8)  # letters; a mistake in a word of this length leaves too little that resembles
_MISTAKEN = range(3, 30)  # letters of a word of a name that may hold mistakes
_MOST_WORDS = 4  # of a name; each may be the one with the mistakes
_SURE = 0.5  # likeness of two words; with a mistake only long words have it
_STEPS = 3000  # different names that are compared with a word
_ALONE = 5  # letters of a single word that is looked for with a mistake in its first two letters too


class _Attempt(NamedTuple):
    """Look for names like ``word`` behind ``before`` ("" or a last name and a space), with ``rest`` behind them."""

    before: str
    word: str
    rest: str


# "!" is the first sign behind the space that ends a word; the last sign there is comes behind all that begin so.
_ALIKE = """
    WITH RECURSIVE attempt AS MATERIALIZED (
        SELECT * FROM unnest(%(befores)s::text[], %(words)s::text[], %(rests)s::text[])
            WITH ORDINALITY AS given (before, word, rest, place)
    ), walk AS (
        SELECT place, before, before || left(word, 2) AS start, before || left(word, 2) AS "from",
            NULL::text AS name, 0 AS steps
        FROM attempt
        UNION ALL
        SELECT place, before, start, before || behind.name || '!', behind.name, steps + 1
        FROM walk CROSS JOIN LATERAL (
            SELECT split_part(substr(name_key, length(before) + 1), ' ', 1) AS name FROM customers_customer
            WHERE name_key >= walk."from" AND name_key < walk.start || chr(1114111) ORDER BY name_key LIMIT 1
        ) AS behind
        WHERE steps < %(steps)s
    ), spelt AS (
        SELECT of AS place, name
        FROM unnest(%(spelt)s::bigint[], %(spellings)s::text[]) AS given (of, name) JOIN attempt ON place = of
        WHERE EXISTS (
            SELECT FROM customers_customer WHERE name_key >= before || name AND name_key < before || name || '!'
        )
    ), alike AS MATERIALIZED (
        SELECT place, name, similarity(name, word) AS likeness,
            row_number() OVER (PARTITION BY place ORDER BY similarity(name, word) DESC, name) AS rank
        FROM (
            SELECT place, name FROM walk JOIN attempt USING (place) WHERE word_similarity(word, name) >= 0.5
            UNION ALL SELECT place, name FROM spelt
        ) AS there JOIN attempt USING (place)
    )
    SELECT found.id, name, likeness FROM (SELECT * FROM alike WHERE rank <= 30 ORDER BY rank) AS alike
    JOIN attempt USING (place)
    CROSS JOIN LATERAL (
        SELECT customer.id FROM customers_customer AS customer
        WHERE name_key >= before || name || CASE WHEN rest = '' THEN '' ELSE ' ' || rest END
            AND name_key < before || name || CASE WHEN rest = '' THEN '!' ELSE ' ' || rest || chr(1114111) END
        ORDER BY name_key LIMIT %(each)s
    ) AS found
    LIMIT %(candidates)s
"""


def by_likeness(people: CustomerQuerySet, words: str, limit: int) -> list[int]:
    """Return whose name resembles the words, typing errors and all."""
    alike, sure = _by_different_names(words)
    near = set(people.filter(pk__in=alike).values_list("pk", flat=True)) if alike else set()
    if len(near & sure) < min(limit, ENOUGH):
        near |= set(people.filter(name_key__trigram_word_similar=words).values_list("pk", flat=True)[:CANDIDATES])
    likeness = TrigramWordSimilarity(words, "name_key")
    best = people.filter(pk__in=near).annotate(likeness=likeness).order_by("-likeness", "name_key", "pk")
    return list(best.values_list("pk", flat=True)[: min(limit, SIMILAR)])


def _by_different_names(words: str) -> tuple[set[int], set[int]]:
    """Return who is called like the words, and of those who surely are meant: another word says it too, or it is but
    one mistake, or more in a long word.
    """
    weighty = _weighty(words)
    attempts = _attempts(weighty)
    if not attempts:
        return set(), set()
    spelt = [
        (place, spelling)
        for place, (_before, word, _rest) in enumerate(attempts, 1)
        if word.isalpha() and (len(weighty) > 1 or len(word) >= _ALONE)
        for spelling in spellings(word)
        if spelling[:2] != word[:2]  # the others are met on the walk
    ]
    found = rows(
        _ALIKE,
        {
            "befores": [attempt.before for attempt in attempts],
            "words": [attempt.word for attempt in attempts],
            "rests": [attempt.rest for attempt in attempts],
            "spelt": [place for place, _spelling in spelt],
            "spellings": [spelling for _place, spelling in spelt],
            "steps": _STEPS,
            "each": SIMILAR,
            "candidates": CANDIDATES,
        },
    )
    close = set(spellings(weighty[0]))
    sure = {row["id"] for row in found if len(weighty) > 1 or row["name"] in close or row["likeness"] >= _SURE}
    return {row["id"] for row in found}, sure


def _weighty(words: str) -> list[str]:
    """Return the words that make the name, initials without their point."""
    kept = (word.rstrip(".") for word in words.split() if word not in PREFIXES | ABBREVIATED | TITLES)
    return [word for word in kept if word]


def _attempts(weighty: list[str]) -> list[_Attempt]:
    """Return where each word may stand if it holds a mistake: as the last name, or behind another word."""
    attempts: list[_Attempt] = []
    for place, word in enumerate(weighty if len(weighty) <= _MOST_WORDS else ()):
        if len(word) not in _MISTAKEN or any(sign.isdigit() for sign in word):  # names hold no digits
            continue
        others = weighty[:place] + weighty[place + 1 :]
        attempts.append(_Attempt("", word, " ".join(others)))
        for at, other in enumerate(others):
            attempts.append(_Attempt(f"{other} ", word, " ".join(others[:at] + others[at + 1 :])))
    return attempts


def by_one_mistake(people: CustomerQuerySet, words: str, limit: int) -> list[int]:
    """Return whose last name is the longest of these words but for one letter ("Breg"): short words have too few
    trigrams to resemble each other. By index, a look-up per spelling.
    """
    weighty = [word for word in words.split() if word not in PREFIXES | ABBREVIATED]
    word = max(weighty, key=len, default="")
    if len(word) not in SHORT_WORD or not word.isalpha():
        return []
    near = rows(
        """
        SELECT id FROM (
            SELECT customer.id FROM unnest(%(spellings)s) AS spelling JOIN customers_customer AS customer
                ON customer.name_key >= spelling || ' ' AND customer.name_key < spelling || '!'
            UNION ALL
            SELECT customer.id FROM customers_customer AS customer WHERE name_key = ANY (%(spellings)s)
        ) AS near LIMIT %(candidates)s
        """,
        {"spellings": spellings(word), "candidates": CANDIDATES},
    )
    others = " ".join(other for other in weighty if other != word)
    best = with_words(people.filter(pk__in=[row["id"] for row in near]), others)
    return list(best.order_by("name_key", "pk").values_list("pk", flat=True)[: min(limit, SIMILAR)])
