"""What is in a pile of letters: which envelopes, who shares each, and the letters themselves."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import IO, NamedTuple
from zipfile import ZipFile, ZipInfo

from django.conf import settings
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import override

from common.errors import Refused
from common.sql import rows
from customers.consents import verdicts_sql
from customers.models import Channel, Customer
from customers.names import household_key
from mailings.envelopes import DOOR, HOUSE, count_sql, home_sql
from mailings.households import address_of, values_of_all
from mailings.letter_codes import letter_code
from mailings.letters import Letter, Reader, print_pdf
from mailings.models import LetterBatch, Mailing, SendingSettings
from mailings.recipients import load_recipients
from mailings.rendering import Recipient

#: What lays out letters takes a megabyte of memory for each until their PDF is done.
LETTERS_PER_PDF = 100
_READY = "message.mailing_id = %(mailing)s AND message.channel = 'post' AND message.state = 'queued'"
# As they are posted: by postal code and house number, from abroad last; who shares an envelope has one number.
_WAITING = """
    WITH waiting AS (
        SELECT message.id, message.customer_id, customer.birth_date, {home} AS home, customer.postal_code,
            customer.postal_code !~ '^[1-9][0-9]{{3}}[A-Z]{{2}}$' AS is_abroad, {house} AS house, {door} AS door
        FROM mailings_message AS message JOIN customers_customer AS customer ON customer.id = message.customer_id
        WHERE {ready}
    ),
    placed AS (
        SELECT *, dense_rank() OVER (ORDER BY is_abroad, postal_code, house, door, home) AS number FROM waiting
    )
    SELECT number, id AS message_id, customer_id FROM placed WHERE number <= %(most)s
    ORDER BY number, birth_date NULLS LAST, id
"""
_READERS = f"SELECT message.customer_id FROM mailings_message AS message WHERE {_READY}"  # noqa: S608 - our own SQL


class Place(NamedTuple):
    """A reader's letter: the number of its envelope in the pile, and whose message it is."""

    number: int
    message_id: int
    customer_id: int


def waiting_places(mailing: Mailing, *, most: int) -> list[Place]:
    """Return the letters that are printed next, in at most so many envelopes; a household is never torn apart."""
    home = home_sql(is_shared=_is_shared(mailing))
    statement = _WAITING.format(home=home, house=HOUSE, door=DOOR, ready=_READY)
    return [Place(**row) for row in rows(statement, {"mailing": mailing.pk, "most": most})]


def count_waiting(mailing: Mailing) -> int:
    """Return in how many envelopes the waiting letters will go."""
    [found] = rows(count_sql(_READERS, is_shared=_is_shared(mailing)), {"mailing": mailing.pk})
    return int(found["n"])


def _is_shared(mailing: Mailing) -> bool:
    return mailing.letters_to != Mailing.LettersTo.PERSON


def places_of(batch: LetterBatch, *, first: int = 1, last: int | None = None, now: dt.datetime) -> list[Place]:
    """Return the letters in these envelopes of a pile, without those of who may not be written any more."""
    last = batch.letter_count if last is None else last
    own = f"""SELECT message.customer_id FROM mailings_printedletter AS printed
        JOIN mailings_message AS message ON message.id = printed.message_id WHERE printed.batch_id = {batch.pk:d}"""  # noqa: S608
    verdicts = verdicts_sql(own, purpose=batch.mailing.purpose, channel=Channel.POST, as_of=now)
    found = rows(
        f"""SELECT printed.number, printed.message_id, message.customer_id
        FROM mailings_printedletter AS printed JOIN mailings_message AS message ON message.id = printed.message_id
        JOIN customers_customer AS customer ON customer.id = message.customer_id
        JOIN ({verdicts}) AS verdict ON verdict.customer_id = customer.id AND verdict.verdict = 'allowed'
        WHERE printed.batch_id = %(batch)s AND printed.number BETWEEN %(first)s AND %(last)s
        AND customer.merged_into_id IS NULL AND customer.address_state = ''
        AND '' NOT IN (customer.street, customer.postal_code, customer.city)
        ORDER BY printed.number, printed.id""",  # noqa: S608 - bound by its parts
        {"batch": batch.pk, "first": first, "last": last},
    )
    return [Place(**row) for row in found]


def write_pile(batch: LetterBatch, places: Sequence[Place], file: IO[bytes]) -> str:
    """Write the letters of a pile to ``file`` as one PDF, or as a ZIP of several when there are more than one holds, in
    the order of the post. Returns which it is: ``pdf`` or ``zip``. Raises Refused when somebody fell out meanwhile.
    """
    parts = [list(part) for _number, part in groupby(places, key=lambda place: (place.number - 1) // LETTERS_PER_PDF)]
    if len(parts) == 1:
        file.write(pdf_of(batch, places))
        return "pdf"
    at = localtime(batch.created_at)
    with ZipFile(file, "w") as whole:
        for part in parts:
            name = f"brieven-{part[0].number:04}-{part[-1].number:04}.pdf"
            one = ZipInfo(name, (at.year, at.month, at.day, at.hour, at.minute, at.second))
            one.external_attr = 0o600 << 16  # else who unpacks it may not read it
            whole.writestr(one, pdf_of(batch, part))
    return "zip"


def pdf_of(batch: LetterBatch, places: Sequence[Place], *, again: Mapping[int, int] | None = None) -> bytes:
    """Return these letters of a pile as PDF, with the day on which it was made. ``again``: the messages that go to
    another address than the first time, with the time it was that the pile was printed again.
    """
    identity = SendingSettings.load()
    with override(settings.LANGUAGE_CODE):
        letters = list(_letters(batch, places, identity, again or {}))
    return print_pdf(letters, compiled=batch.mailing.compiled, identity=identity, now=batch.created_at)


def changed() -> Refused:
    """Return the refusal of a pile of which somebody fell out while it was laid out."""
    return Refused("changed", _("Some letters were withdrawn while they were being printed. Print them once more."))


def addresses_of(batch: LetterBatch, places: Sequence[Place]) -> list[list[str]]:
    """Return the lines of each envelope as they stand in its window."""
    people = Customer.objects.in_bulk([place.customer_id for place in places])
    with override(settings.LANGUAGE_CODE):
        return [
            address_of([people[place.customer_id] for place in group], batch.mailing.letters_to)
            for group in _envelopes(places, people)
        ]


def _envelopes(places: Sequence[Place], people: Mapping[int, Customer]) -> Iterator[list[Place]]:
    """Yield those who share an envelope: of one number, as far as they live at one address by now."""
    for _number, group in groupby(places, key=lambda place: place.number):
        homes: dict[str, list[Place]] = {}
        for place in group:
            homes.setdefault(key_of(people[place.customer_id]), []).append(place)
        yield from homes.values()


def key_of(customer: Customer) -> str:
    """Return the key of somebody's address, by which it is seen that he has another one since."""
    return household_key(customer.postal_code, customer.house_number, customer.house_number_addition)


def _letters(
    batch: LetterBatch, places: Sequence[Place], identity: SendingSettings, again: Mapping[int, int]
) -> Iterator[Letter]:
    mailing = batch.mailing
    recipients = load_recipients(
        [(place.message_id, place.customer_id) for place in places],
        compiled=mailing.compiled,
        identity=identity,
        origin=f"mailing:{mailing.pk}",
        medium="post",
        now=batch.created_at,
    )
    found = {one.message_id: one for one in recipients}
    people = Customer.objects.in_bulk([place.customer_id for place in places])
    if any(place.message_id not in found or place.customer_id not in people for place in places):
        raise changed()  # erased, or found to be somebody else, since it was decided who is in the pile
    for group in _envelopes(places, people):
        readers = [(found[place.message_id], people[place.customer_id]) for place in group]
        code = letter_code(batch.pk, group[0].number, again.get(group[0].message_id, 0))
        yield _letter(readers, letters_to=mailing.letters_to, code=code)


def _letter(readers: list[tuple[Recipient, Customer]], *, letters_to: str, code: str) -> Letter:
    """Return one letter, for one reader or for all who share it, the oldest first."""
    people = [customer for _recipient, customer in readers]
    own = [Reader(customer.full_name, frozenset(one.audiences), one.values) for one, customer in readers]
    return Letter(
        address_lines=address_of(people, letters_to),
        audiences=frozenset().union(*(reader.audiences for reader in own)),
        values=values_of_all(people, [reader.values for reader in own], letters_to),
        branch_id=readers[0][0].branch_id,
        code=code,
        readers=own if len(own) > 1 else (),
    )
