"""Keyed hashes of what was erased: they tell whether an address comes back, and nobody what it was.

``digest`` and the SQL function ``customers_erased_digest`` (migration 0025) are twins. Without the key a hash of an
e-mail address is undone by trying addresses; the key (``settings.PRIVACY_KEY``) is not in the database.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping

from django.conf import settings
from django.db.models import Q
from django.utils.translation import gettext as _

from common.errors import Refused
from customers.models import ErasedKey, Erasure
from customers.names import fold_name, household_key, normalise_email, normalise_phone
from customers.privacy import journal

What = ErasedKey.What
Pair = tuple[str, str]  # what it is, its value in normal form


def key() -> str:
    """Return the key as text, to bind in a statement that calls ``customers_erased_digest(key, what, value)``."""
    return str(settings.PRIVACY_KEY)


def digest(what: str, value: str) -> bytes:
    """Return the 32 bytes that stand for a value in normal form: sha256(key || sha256(key || what || ':' || value)).

    ``what`` is one of ErasedKey.What: an e-mail address in lower case, a phone number as +31612345678, a number with
    its source's prefix, a ``home``.
    """
    secret = key().encode()
    inner = hashlib.sha256(secret + f"{what}:{value}".encode()).digest()
    return hashlib.sha256(secret + inner).digest()


def home(*, postal_code: str, house_number: str, addition: str, first_name: str, last_name: str) -> str:
    """Return name and address as one value, or empty text when they are too little to tell one person.

    ``first_name`` are the initials where the name is unknown. In SQL:
    ``customers_erased_home(postal_code, house_number, addition, first_name, last_name)``.
    """
    at = household_key(postal_code, house_number, addition)
    first, last = fold_name(first_name), fold_name(last_name)
    return f"{at}|{last}|{first}" if at and first and last else ""


def is_erased(what: str, value: str) -> bool:
    """Say whether this value was erased, and its owner has not asked for anything since."""
    return bool(value) and ErasedKey.objects.filter(what=what, digest=digest(what, value)).exists()


def erased_among(values: Iterable[str], *, prefix: str) -> set[str]:
    """Return those of these texts that are an erased number of a source (with its prefix), address or telephone."""
    digests: defaultdict[bytes, set[str]] = defaultdict(set)  # one address may be written in several ways
    for value in values:
        digests[digest(What.NUMBER, prefix + value.strip())].add(value)
        digests[digest(What.EMAIL, normalise_email(value))].add(value)
        digests[digest(What.PHONE, normalise_phone(value))].add(value)
    found = ErasedKey.objects.filter(digest__in=list(digests)).values_list("digest", flat=True)
    return {value for one in found for value in digests[bytes(one)]}


def remember(pairs: Iterable[Pair], *, now: dt.datetime, erasure: Erasure | None = None) -> int:
    """Keep the hashes of what is erased; return how many were not there yet."""
    digests = {(what, digest(what, value)) for what, value in set(pairs) if value}
    return remember_digests(digests, at=now, erasure=erasure)


def remember_digests(digests: Iterable[tuple[str, bytes]], *, at: dt.datetime, erasure: Erasure | None = None) -> int:
    """Keep these hashes; return how many were not there yet."""
    rows = [ErasedKey(what=what, digest=one, erased_at=at, erasure=erasure) for what, one in digests]
    before = ErasedKey.objects.count()
    ErasedKey.objects.bulk_create(rows, ignore_conflicts=True)
    return ErasedKey.objects.count() - before


def release(pairs: Iterable[Pair], *, now: dt.datetime, whole: bool = False) -> int:
    """Forget the hashes of these values, because their owner asks for something again; return how many there were.

    A number, or name with home, is one person's: the others of that person go with it. An e-mail address may be that
    of somebody who takes it over; ``whole`` says that it is the person.
    """
    digests = [(what, digest(what, value)) for what, value in set(pairs) if value]
    found = ErasedKey.objects.filter(digest__in=[one for _what, one in digests])
    telling = found if whole else found.filter(what__in=(What.NUMBER, What.HOME))
    persons = list(telling.exclude(erasure=None).values_list("erasure", flat=True))
    released = ErasedKey.objects.filter(Q(pk__in=found.values("pk")) | Q(erasure__in=persons))
    going = [(row.what, bytes(row.digest)) for row in released]
    released.delete()
    if going:
        journal.write(journal.RELEASED, going, at=now)
    return len(going)


def refuse_erased(values: Mapping[str, str]) -> None:
    """Raise Refused ``erased`` when a system brings back what was erased on request.

    ``values`` holds any of ``number``, ``email``, ``phone`` and ``home``, in normal form.
    """
    for field in (What.NUMBER, What.EMAIL, What.PHONE, What.HOME):
        if is_erased(field, values.get(field, "")):
            raise Refused(
                "erased",
                _(
                    "This number or address was erased at its owner’s request. "
                    "Let it in on the page Privacy when the owner asks for it."
                ),
                field="last_name" if field == What.HOME else str(field),
            )
