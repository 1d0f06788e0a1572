"""Keyed hashes of what was erased: they tell whether an address comes back, and nobody what it was.

``digest`` and the SQL function ``customers_erased_digest`` (migration 0025) are twins. Without the key a hash of an
e-mail address is undone by trying addresses; the key (``settings.PRIVACY_KEY``) is not in the database.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable, Mapping

from django.conf import settings
from django.utils.translation import gettext as _

from common.errors import Refused
from customers.models import ErasedKey
from customers.names import fold_name, household_key

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


def remember(pairs: Iterable[Pair], *, now: dt.datetime) -> int:
    """Keep the hashes of what is erased; return how many were not there yet."""
    rows = [ErasedKey(what=what, digest=digest(what, value), erased_at=now) for what, value in set(pairs) if value]
    before = ErasedKey.objects.count()
    ErasedKey.objects.bulk_create(rows, ignore_conflicts=True)
    return ErasedKey.objects.count() - before


def release(pairs: Iterable[Pair]) -> int:
    """Forget the hashes of these values, because their owner asks for something again; return how many there were."""
    found = 0
    for what, value in set(pairs):
        if value:
            found += ErasedKey.objects.filter(what=what, digest=digest(what, value)).delete()[0]
    return found


def refuse_erased(values: Mapping[str, str]) -> None:
    """Raise Refused ``erased`` when a system brings back what was erased on request.

    ``values`` holds any of ``number``, ``email`` and ``phone``, in normal form.
    """
    for field in (What.NUMBER, What.EMAIL, What.PHONE):
        if is_erased(field, values.get(field, "")):
            raise Refused(
                "erased",
                _(
                    "This number or address was erased at its owner’s request. "
                    "Let it in on the page Privacy when the owner asks for it."
                ),
                field=str(field),
            )
