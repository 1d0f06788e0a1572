"""Pure rules for Dutch names, addresses, phone numbers and e-mail: one normal form each. The import says the
same in SQL.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_LETTERS = str.maketrans(
    {"ø": "o", "ß": "ss", "æ": "ae", "œ": "oe", "ł": "l", "đ": "d", "ð": "d", "ı": "i", "’": "'", "‘": "'"}
)
_POSTAL_CODE = re.compile(r"([1-9][0-9]{3})([A-Z]{2})")
_NEVER_ISSUED = {"SA", "SD", "SS"}
_LOCAL_PART = r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+"
_EMAIL = re.compile(rf"{_LOCAL_PART}(?:\.{_LOCAL_PART})*@(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z][a-z0-9-]*[a-z0-9]")
_PHONE = re.compile(r"\+[1-9][0-9]{7,14}")


@lru_cache(maxsize=16_384)
def fold_name(text: str) -> str:
    """Return lower case without accents and with single spaces, as ``Customer.name_key`` holds names."""
    plain = unicodedata.normalize("NFKD", text.lower().translate(_LETTERS))
    return " ".join("".join(sign for sign in plain if not unicodedata.combining(sign)).split())


def normalise_postal_code(text: str) -> str:
    """Return ``1441AB`` for ``1441 ab``; other text only loses its spaces."""
    return re.sub(r"\s", "", text).upper()


def is_postal_code(text: str) -> bool:
    """Say whether a normalised Dutch postal code can exist (the letters SA, SD and SS are never issued)."""
    match = _POSTAL_CODE.fullmatch(text)
    return bool(match) and match[2] not in _NEVER_ISSUED  # type: ignore[index]


def normalise_phone(text: str) -> str:
    """Return ``+31612345678`` for ``06-12345678``, ``0031 6…`` and ``+31 (0)6…``; an empty text stays empty."""
    digits = re.sub(r"[^0-9+]", "", text.replace("(0)", ""))
    if digits.startswith("00"):
        return "+" + digits[2:]
    return "+31" + digits[1:] if digits.startswith("0") else digits


#: Mobile, and areas of three digits; the others have four.
_AREA = re.compile(r"06|0(?:10|13|15|20|23|24|26|30|33|35|36|38|40|43|45|46|50|53|55|58|7\d|85|88)|0\d{3}")


def national_phone(number: str) -> str:
    """Return a normal form as Dutch people dial it, with a dash behind the area: ``06-12345678``, ``0299-123456``. A
    number of another country stays as it is.
    """
    if not number.startswith("+31") or not is_phone(number):
        return number
    digits = "0" + number[3:]
    area = _AREA.match(digits)
    return f"{area[0]}-{digits[area.end() :]}" if area else digits


def is_phone(text: str) -> bool:
    """Say whether a normalised phone number is complete, with its country."""
    return bool(_PHONE.fullmatch(text))


def normalise_email(text: str) -> str:
    """Return the address as it is kept: lower case, without spaces around it."""
    return text.strip().lower()


def is_email(text: str) -> bool:
    """Say whether a normalised address has a shape that mail servers take."""
    return len(text) <= 254 and text.find("@") <= 64 and bool(_EMAIL.fullmatch(text))


def household_key(postal_code: str, house_number: str, addition: str) -> str:
    """Return the key of an address, ``1441AB|12|a``, or empty text when it is not complete enough to share a
    home.
    """
    number = re.match(r"[0-9]{1,9}", house_number.strip())
    if not (postal_code and number):
        return ""
    rest = re.sub(r"[^a-z0-9]", "", (house_number.strip()[number.end() :] + addition).lower())
    return f"{postal_code}|{int(number[0])}|{rest}"[:60]
