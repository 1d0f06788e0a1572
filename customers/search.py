"""Find people by what one has at hand: a name, a number, a card, an address, a phone number, a birth date.

The shape of the text tells what is looked for, so that each way has its own index; every way stops at the best
few hundred, so that a common name costs no more than a rare one among a million. Names may hold typing errors.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.contrib.postgres.search import TrigramWordSimilarity
from django.db import connection, models, transaction
from django.db.models import Case, Q, Value, When
from django.utils.translation import gettext_lazy as _

from customers.names import fold_name, normalise_phone, normalise_postal_code

if TYPE_CHECKING:
    from customers.models.querysets import CustomerQuerySet

MOST = 200  # of which a list shows pages
CANDIDATES = 600  # that are compared to find the best
ENOUGH = 20  # exact matches, so that what merely resembles is not looked for
SIMILAR = 200


class Why(models.TextChoices):
    """What of a person matched."""

    NUMBER = "number", _("customer number")
    CARD = "card", _("card")
    EMAIL = "email", _("e-mail address")
    PHONE = "phone", _("phone number")
    ADDRESS = "address", _("address")
    BORN = "born", _("birth date")
    NAME = "name", _("name")
    SIMILAR = "similar", _("similar name")


#: Customer id -> what matched, the best first.
Found = dict[int, Why]

_POSTAL = re.compile(
    r"(?<!\S)([1-9]\d{3})\s?([a-z]{2})(?![a-z])[\s,]*"
    r"(?:(\d{1,5})(?!\d)(?:[\s-]?([a-z0-9]{1,2}|bis)(?!\S))?)?",
    re.IGNORECASE,
)
_DATE = re.compile(r"(?<!\d)(?:(\d{1,2})[-/.](\d{1,2})[-/.](\d{4})|(\d{4})-(\d{1,2})-(\d{1,2}))(?!\d)")
_DIGITS = re.compile(r"[\d\s()+-]+")


@dataclass(frozen=True)
class Question:
    """A text taken apart: a birth date and a postal code are taken out, ``words`` are what is left."""

    text: str
    words: str
    born: dt.date | None = None
    postal_code: str = ""
    house_number: str = ""
    addition: str = ""

    @classmethod
    def read(cls, text: str) -> Question:
        """Take the text apart; a date that does not exist stays a word."""
        text = " ".join(text.replace("\0", "").split())[:200]
        rest, born = text, None
        if match := _DATE.search(rest):
            born = _date(match)
            rest = rest.replace(match[0], " ") if born else rest
        place = _POSTAL.search(rest)
        if place is None:
            return cls(text, fold_name(rest), born)
        code = normalise_postal_code(place[1] + place[2])
        return cls(text, fold_name(rest.replace(place[0], " ")), born, code, place[3] or "", place[4] or "")


def _date(match: re.Match[str]) -> dt.date | None:
    day, month, year = (match[1], match[2], match[3]) if match[3] else (match[6], match[5], match[4])
    try:
        return dt.date(int(year), int(month), int(day))
    except ValueError:
        return None


def find(people: CustomerQuerySet, text: str, *, limit: int = MOST) -> Found:
    """Return whom of ``people`` the text finds, at most ``limit``, the best first, with what matched."""
    question = Question.read(text)
    people = people.order_by()
    with _through_indexes():
        if question.born or question.postal_code:
            return _in_place_and_time(people, question, limit)
        if "@" in question.text:
            return _by_email(people, question.text.lower(), limit)
        if _DIGITS.fullmatch(question.text):
            return _by_digits(people, question.text, limit)
        return _by_words(people, question, limit)


@contextmanager
def _through_indexes() -> Iterator[None]:
    """Read through indexes only: the planner thinks a scan will soon meet enough rows, and a rare name ends at the
    last.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('enable_seqscan')")
        before = cursor.fetchone()[0]
        cursor.execute("SELECT set_config('enable_seqscan', 'off', true)")
        yield
        cursor.execute("SELECT set_config('enable_seqscan', %s, true)", [before])


def _in_place_and_time(people: CustomerQuerySet, question: Question, limit: int) -> Found:
    """Birth date, address and name narrow each other; which of them leads tells the reason."""
    if question.born:
        born = question.born  # month and day have the index, of birthdays
        people = people.filter(birth_date__month=born.month, birth_date__day=born.day, birth_date=born)
    if question.postal_code:
        people = people.filter(postal_code=question.postal_code)
        if question.house_number:
            people = people.filter(house_number=question.house_number)
        if question.addition:
            people = people.filter(house_number_addition__iexact=question.addition)
    for word in question.words.split():
        people = people.filter(_starts_with(word))
    order = ("house_number", "house_number_addition", "name_key", "pk") if question.postal_code else ("name_key", "pk")
    why = Why.BORN if question.born else Why.ADDRESS
    return dict.fromkeys(people.order_by(*order).values_list("pk", flat=True)[:limit], why)


def _points(people: CustomerQuerySet, channel: str, start: str, limit: int) -> list[int]:
    """Return whose address or number begins like this, in its order; those that ``people`` leaves out too."""
    from customers.models.customers import ContactPoint

    points = ContactPoint.objects.filter(channel=channel, value__startswith=start)
    near = list(points.order_by("value", "customer_id").values_list("customer_id", flat=True)[:limit])
    here = set(people.filter(pk__in=near).values_list("pk", flat=True))
    return [pk for pk in dict.fromkeys(near) if pk in here]


def _by_email(people: CustomerQuerySet, text: str, limit: int) -> Found:
    """The first letters find an address; when nobody has it, what stands before the at-sign does."""
    found = _points(people, "email", text, limit)
    name, _sign, domain = text.partition("@")
    if not found and name and domain:
        found = _points(people, "email", f"{name}@", limit)
    return dict.fromkeys(found, Why.EMAIL)


def _by_digits(people: CustomerQuerySet, text: str, limit: int) -> Found:
    digits = re.sub(r"\D", "", text)
    found: Found = {}
    if not digits:
        return found
    ways = {
        Why.NUMBER: (Q(number__startswith=digits), "number"),
        Why.CARD: (Q(card_number__startswith=digits) & ~Q(card_number=""), ""),
    }
    if len(digits) == 4 and digits[0] != "0":
        ways[Why.ADDRESS] = (Q(postal_code__gte=digits, postal_code__lt=f"{digits}a"), "postal_code")
    if len(digits) == 8 and (born := _date_in(digits)):
        ways[Why.BORN] = (Q(birth_date__month=born.month, birth_date__day=born.day, birth_date=born), "name_key")
    for why, (condition, order) in ways.items():
        rows = people.filter(condition).values_list("pk", flat=True)
        # The index of cards yields them in order, but the planner does not know and would sort all that begin alike.
        _add(found, (rows.order_by(order, "pk") if order else rows)[:limit], why)
    if len(digits) >= 6 and re.match(r"[\s(]*[0+]", text):
        _add(found, _points(people, "phone", normalise_phone(text), limit), Why.PHONE)
    return dict(list(found.items())[:limit])


def _date_in(digits: str) -> dt.date | None:
    """Return the date in 14031979."""
    try:
        return dt.date(int(digits[4:]), int(digits[2:4]), int(digits[:2]))
    except ValueError:
        return None


def _by_words(people: CustomerQuerySet, question: Question, limit: int) -> Found:
    found: Found = {}
    text = question.text
    if re.search(r"\d", text) and " " not in text:  # K-3; the unique index knows no difference of case
        spellings = {text, text.upper(), text.lower()}
        _add(found, people.filter(number__in=spellings).values_list("pk", flat=True), Why.NUMBER)
        _add(found, people.filter(card_number__in=spellings).values_list("pk", flat=True), Why.CARD)
    if len(found) < limit and question.words.strip():
        _add(found, _by_name(people, question.words, limit), Why.NAME)
        if len(found) < min(limit, ENOUGH) and len(question.words) > 3:
            _add(found, _by_likeness(people, question.words, limit), Why.SIMILAR)
        if len(found) < limit and " " not in text and len(text) > 3:
            _add(found, _points(people, "email", text.lower(), limit), Why.EMAIL)
    return dict(list(found.items())[:limit])


def _add(found: Found, more: Any, why: Why) -> None:
    for pk in more:
        found.setdefault(pk, why)


def _starts_with(word: str) -> Q:
    """Match names in which a word begins like this."""
    return Q(name_key__regex=rf"(^|[ '-]){re.escape(word)}")


def _by_name(people: CustomerQuerySet, words: str, limit: int) -> list[int]:
    """Return in whose name each word begins one; last names before first names, whole words before beginnings.

    One or two letters would be in too many names: those are sought at the beginning of the last name only.
    """
    first, *others = words.split()
    last_names = people.filter(name_key__startswith=first)
    for word in others:
        last_names = last_names.filter(_starts_with(word))
    near = list(last_names.order_by("name_key", "pk").values_list("pk", flat=True)[:limit])
    if max(map(len, words.split())) > 2:
        anywhere = people
        for word in words.split():
            anywhere = anywhere.filter(_starts_with(word))
        near += anywhere.values_list("pk", flat=True)[:CANDIDATES]
    rank = Case(
        When(name_key__startswith=f"{words} ", then=Value(0)),
        When(name_key=words, then=Value(0)),
        When(name_key__startswith=f"{first} ", then=Value(1)),
        When(name_key__contains=f" {first} ", then=Value(2)),
        When(name_key__endswith=f" {first}", then=Value(2)),
        When(name_key__startswith=first, then=Value(3)),
        default=Value(4),
    )
    best = people.filter(pk__in=set(near)).annotate(rank=rank).order_by("rank", "name_key", "pk")
    return list(best.values_list("pk", flat=True)[:limit])


def _by_likeness(people: CustomerQuerySet, words: str, limit: int) -> list[int]:
    """Return whose name resembles the words, typing errors and all."""
    near = people.filter(name_key__trigram_word_similar=words).values_list("pk", flat=True)[:CANDIDATES]
    likeness = TrigramWordSimilarity(words, "name_key")
    best = people.filter(pk__in=list(near)).annotate(likeness=likeness).order_by("-likeness", "name_key", "pk")
    return list(best.values_list("pk", flat=True)[: min(limit, SIMILAR)])
