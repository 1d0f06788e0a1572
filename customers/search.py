"""Find people by what one has at hand: a name, a number, a card, an address, a phone number, a birth date.

The shape of the text tells what is looked for, so that each way has its own index; every way stops at the best
few hundred, so that a common name costs no more than a rare one among a million. Names may hold typing errors.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from django.db import connection, models, transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from customers.names import normalise_phone
from customers.questions import Question, date_in
from customers.search_names import by_name, with_words
from customers.search_nearly import ENOUGH, SIMILAR, by_likeness, by_one_mistake

if TYPE_CHECKING:
    from customers.models.querysets import CustomerQuerySet

MOST = 200  # of which a list shows pages
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
    people = with_words(people, question.words)
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
    _add(found, by_name(people, question.words, limit), Why.NAME)
    for form in question.other_forms if not found else ():
        if len(found) < min(limit, ENOUGH):
            _add(found, by_name(people, form, limit), Why.NAME)
    if len(found) < min(limit, ENOUGH) and len(question.words) > 3:
        _add(found, by_likeness(people, question.words, limit), Why.SIMILAR)
    if not found:
        _add(found, by_one_mistake(people, question.words, limit), Why.SIMILAR)


def _add(found: Found, more: Any, why: Why) -> None:
    for pk in more:
        found.setdefault(pk, Match(why))
