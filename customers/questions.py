"""What somebody typed to find a person, taken apart: dates, a postal code, and the words of a name in their forms."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from dataclasses import dataclass

from customers.names import fold_name, normalise_postal_code

_POSTAL = re.compile(
    r"(?<!\S)([1-9]\d{3})\s?([a-z]{2})(?![a-z])[\s,-]*"
    r"(?:(\d{1,5})(?!\d)(?:[\s-]?([a-z0-9]{1,2}|bis)(?!\S))?)?",
    re.IGNORECASE,
)
_DATE = re.compile(r"(?<!\d)(?:(\d{1,2})[-/.](\d{1,2})[-/.](\d{4})|(\d{4})-(\d{1,2})-(\d{1,2}))(?!\d)")
_MONTHS = {
    word: number
    for number, words in enumerate(
        (
            "januari january jan", "februari february feb", "maart march mrt mar", "april apr", "mei may",
            "juni june jun", "juli july jul", "augustus august aug", "september sept sep", "oktober october okt oct",
            "november nov", "december dec",
        ), start=1,
    )
    for word in words.split()
}  # fmt: skip
_WRITTEN_DATE = re.compile(
    rf"(?<!\d)(\d{{1,2}})\s+({'|'.join(sorted(_MONTHS, key=len, reverse=True))})\.?\s+(\d{{4}})(?!\d)", re.IGNORECASE
)
_FOUR_DIGITS = re.compile(r"(?<!\S)([1-9]\d{3})(?!\S)")
TITLES = {"mevrouw", "mevr", "mevr.", "mw", "mw.", "dhr", "dhr.", "heer", "meneer", "fam", "fam.", "familie"}
#: Name prefixes that say little; ``ABBREVIATED`` as people shorten them.
PREFIXES = {"van", "de", "der", "den", "het", "'t", "t", "te", "ten", "ter", "in", "op", "aan"}
ABBREVIATED = {"v.d.", "vd", "v/d", "v.d", "vd.", "v.", "v.den", "v.der", "v.de"}
_GLUED = re.compile(r"(van ?der|van ?den|van ?de|van|der|den|de|ter|ten|te)(?=[a-z]{3})")
_INITIALS = re.compile(r"([a-z]\.)+")
_APOSTROPHE = re.compile(r"[dlot](?=[a-z]{3})")


@dataclass(frozen=True)
class Question:
    """A text taken apart: a birth date and a postal code are taken out, ``words`` are what is left, folded.

    ``four`` are four digits beside words: the digits of a postal code, or a year of birth.
    """

    text: str
    words: str
    born: dt.date | None = None
    postal_code: str = ""
    house_number: str = ""
    addition: str = ""
    four: str = ""

    @classmethod
    def read(cls, text: str) -> Question:
        """Take the text apart; a date that does not exist stays words. Marks that do not show are left out."""
        visible = "".join(sign for sign in text if unicodedata.category(sign) not in ("Cf", "Cc") or sign.isspace())
        text = " ".join(visible.split())[:200]
        rest, born = _take_date(text)
        if place := _POSTAL.search(rest):
            code = normalise_postal_code(place[1] + place[2])
            words = _words(rest.replace(place[0], " "))
            return cls(text, words, born, code, place[3] or "", place[4] or "")
        if born is None and (four := _FOUR_DIGITS.search(rest)) and rest != four[0]:
            return cls(text, _words(rest.replace(four[0], " ")), four=four[1])
        return cls(text, _words(rest), born)

    @property
    def other_forms(self) -> list[str]:
        """The same as such names are written too, the nearest first: "vanderberg", "v.d. Berg", "oneill", "mevrouw X".

        Only for when the words themselves find nobody.
        """
        said = self.words.split()
        named = [word for word in said if word not in TITLES] or said
        words = [word[0] if _INITIALS.fullmatch(word) and word not in ABBREVIATED else word for word in named]
        weighty = [word for word in words if word not in PREFIXES | ABBREVIATED]
        forms = [" ".join(words)]
        if weighty and len(weighty) < len(words):
            if set(words) & ABBREVIATED:
                forms.append(" ".join([*weighty, "van", "de"]))
            forms += [" ".join(weighty), "".join(words)]
        for place, word in enumerate(words):
            beside = words[:place] + words[place + 1 :]
            if glued := _GLUED.match(word):
                prefix = re.sub("van(?=de)", "van ", glued[0])
                forms.append(" ".join([word[glued.end() :], prefix, *beside]))
            if _APOSTROPHE.match(word):
                forms.append(" ".join([f"{word[0]}'{word[1:]}", *beside]))
        return [form for form in dict.fromkeys(forms) if form and form != self.words]


def spellings(word: str) -> list[str]:
    """Return what somebody may have meant who made one mistake in this short word: two letters that changed places,
    one too many, too few or another; the word itself is not among them.
    """
    letters = "abcdefghijklmnopqrstuvwxyz"
    parts = [(word[:place], word[place:]) for place in range(len(word) + 1)]
    found = {head + tail[1] + tail[0] + tail[2:] for head, tail in parts if len(tail) > 1}
    found |= {head + tail[1:] for head, tail in parts if tail and len(word) > 3}
    found |= {head + letter + tail for head, tail in parts for letter in letters}
    found |= {head + letter + tail[1:] for head, tail in parts if head and tail for letter in letters}
    return sorted(found - {word})


def _take_date(text: str) -> tuple[str, dt.date | None]:
    if match := _DATE.search(text):
        day, month, year = (match[1], match[2], match[3]) if match[3] else (match[6], match[5], match[4])
        born = _date(int(year), int(month), int(day))
    elif match := _WRITTEN_DATE.search(text):
        born = _date(int(match[3]), _MONTHS[match[2].lower()], int(match[1]))
    else:
        return text, None
    return (text.replace(match[0], " ") if born else text), born


def _date(year: int, month: int, day: int) -> dt.date | None:
    try:
        return dt.date(year, month, day)
    except ValueError:
        return None


def date_in(digits: str) -> dt.date | None:
    """Return the date in 14031979."""
    return _date(int(digits[4:]), int(digits[2:4]), int(digits[:2]))


def _words(text: str) -> str:
    """Return the words of a name: folded, without commas."""
    return " ".join(re.sub(r"[,;]", " ", fold_name(text)).split())
