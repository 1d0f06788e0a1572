"""Find people by what one has at hand: a name, a number, a card, an address, a phone number, a birth date.

The shape of the text tells what is looked for, so that each way has its own index; every way stops at the best
few hundred, so that a common name costs no more than a rare one among a million. Names may hold typing errors.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from django.contrib.postgres.search import TrigramWordSimilarity
from django.db import connection, models, transaction
from django.db.models import Case, Q, Value, When
from django.utils.translation import gettext_lazy as _

from common.sql import rows
from customers.names import normalise_phone
from customers.questions import ABBREVIATED, PREFIXES, Question, date_in, spellings

if TYPE_CHECKING:
    from customers.models.querysets import CustomerQuerySet

MOST = 200  # of which a list shows pages
CANDIDATES = 600  # that are compared to find the best
ENOUGH = 20  # exact matches, so that what merely resembles is not looked for
SIMILAR = 200
SHORT_WORD = range(3, 8)  # letters; a mistake in a word of this length leaves too little that resembles
EARLIER_DIGITS = 4  # so many digits of the number of who was merged find him


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
    EARLIER = "earlier", _("merged, earlier number")
    EARLIER_CARD = "earlier_card", _("merged, earlier card")
    ELSEWHERE = "elsewhere", _("number at the source")


class Match(NamedTuple):
    """What matched, and the text of it where the customer's own fields do not show it."""

    why: Why
    text: str = ""


#: Customer id -> what matched, the best first.
Found = dict[int, Match]

_DIGITS = re.compile(r"[\d\s()+-]+")


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
    people = _with_words(people, question.words)
    order = ("house_number", "house_number_addition", "name_key", "pk") if question.postal_code else ("name_key", "pk")
    why = Why.BORN if question.born else Why.ADDRESS
    return dict.fromkeys(people.order_by(*order).values_list("pk", flat=True)[:limit], Match(why))


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
    return dict.fromkeys(found, Match(Why.EMAIL))


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
    if len(digits) == 8 and (born := date_in(digits)):
        ways[Why.BORN] = (Q(birth_date__month=born.month, birth_date__day=born.day, birth_date=born), "name_key")
    for why, (condition, order) in ways.items():
        rows = people.filter(condition).values_list("pk", flat=True)
        # The index of cards yields them in order, but the planner does not know and would sort all that begin alike.
        _add(found, (rows.order_by(order, "pk") if order else rows)[:limit], why)
    if len(digits) >= 6 and re.match(r"[\s(]*[0+]", text):
        _add(found, _points(people, "phone", normalise_phone(text), limit), Why.PHONE)
    elif len(digits) == 9:  # without its zero
        _add(found, _points(people, "phone", f"+31{digits}", limit), Why.PHONE)
    _add_merged(found, people, [text.strip(), digits], digits if len(digits) >= EARLIER_DIGITS else "")
    return dict(list(found.items())[:limit])


def _add_merged(found: Found, people: CustomerQuerySet, numbers: list[str], start: str = "") -> None:
    """Add who has these numbers no more, or never had them here: who was merged leads to who was kept, and what a
    source calls somebody to him. ``start`` finds longer numbers of who was merged.
    """
    from customers.models import Customer, Source, SourceRecord

    gone = Customer.everyone.filter(merged_into__isnull=False)
    told: list[tuple[int, Match]] = []
    for field, why in (("number", Why.EARLIER), ("card_number", Why.EARLIER_CARD)):
        condition = Q(**{f"{field}__in": numbers}) | (Q(**{f"{field}__startswith": start}) if start else Q())
        narrowed = gone.filter(condition).exclude(**{field: ""}).order_by(field)
        told += [(kept, Match(why, said)) for kept, said in narrowed.values_list("merged_into", field)[:SIMILAR]]
    records = SourceRecord.objects.filter(source__in=list(Source.objects.values_list("pk", flat=True)), key__in=numbers)
    named = records.order_by("source", "key").values_list("customer", "source__name", "key")[:SIMILAR]
    told += [(customer, Match(Why.ELSEWHERE, f"{source} {key}")) for customer, source, key in named]
    here = set(people.filter(pk__in={pk for pk, _match in told}).values_list("pk", flat=True)) if told else set()
    for pk, match in told:
        if pk in here:
            found.setdefault(pk, match)


def _by_words(people: CustomerQuerySet, question: Question, limit: int) -> Found:
    found: Found = {}
    text = question.text
    if re.search(r"\d", text) and " " not in text:  # K-3; the unique index knows no difference of case
        written = [text, text.upper(), text.lower()]
        _add(found, people.filter(number__in=written).values_list("pk", flat=True), Why.NUMBER)
        _add(found, people.filter(card_number__in=written).values_list("pk", flat=True), Why.CARD)
        _add_merged(found, people, written)
    if question.four:
        people = people.filter(
            Q(postal_code__gte=question.four, postal_code__lt=f"{question.four}a") | Q(birth_date__year=question.four)
        )
    if len(found) < limit and question.words.strip():
        _by_name_or_nearly(found, people, question, limit)
        if len(found) < limit and " " not in text and len(text) > 3:
            _add(found, _points(people, "email", text.lower(), limit), Why.EMAIL)
    return dict(list(found.items())[:limit])


def _by_name_or_nearly(found: Found, people: CustomerQuerySet, question: Question, limit: int) -> None:
    """Add who is called so; when that is nobody, who is in another way of writing; when few, who is nearly."""
    _add(found, _by_name(people, question.words, limit), Why.NAME)
    for form in question.other_forms if not found else ():
        if len(found) < min(limit, ENOUGH):
            _add(found, _by_name(people, form, limit), Why.NAME)
    if len(found) < min(limit, ENOUGH) and len(question.words) > 3:
        _add(found, _by_likeness(people, question.words, limit), Why.SIMILAR)
    if not found:
        _add(found, _by_one_mistake(people, question.words, limit), Why.SIMILAR)


def _add(found: Found, more: Any, why: Why) -> None:
    for pk in more:
        found.setdefault(pk, Match(why))


def _starts_with(word: str) -> Q:
    """Match names in which a word begins like this."""
    return Q(name_key__regex=rf"(^|[ '-]){re.escape(word)}")


def _with_words(people: CustomerQuerySet, words: str) -> CustomerQuerySet:
    for word in words.split():
        people = people.filter(_starts_with(word))
    return people


def _by_name(people: CustomerQuerySet, words: str, limit: int) -> list[int]:
    """Return in whose name each word begins one; last names before first names, whole words before beginnings.

    One or two letters would be in too many names: those are sought at the beginning of the last name only.
    """
    first, *others = words.split()
    last_names = _with_words(people.filter(name_key__startswith=first), " ".join(others))
    near = list(last_names.order_by("name_key", "pk").values_list("pk", flat=True)[:limit])
    if max(map(len, words.split())) > 2:
        near += _with_words(people, words).values_list("pk", flat=True)[:CANDIDATES]
    elif len(words) == 2:  # as a whole word: first names such as Bo and Li
        near += people.filter(name_key__regex=rf"(^|[ '-]){re.escape(words)}($|[ '-])").values_list("pk", flat=True)[
            :CANDIDATES
        ]
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


def _by_one_mistake(people: CustomerQuerySet, words: str, limit: int) -> list[int]:
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
    best = _with_words(people.filter(pk__in=[row["id"] for row in near]), others)
    return list(best.order_by("name_key", "pk").values_list("pk", flat=True)[: min(limit, SIMILAR)])
