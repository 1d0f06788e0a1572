"""Plain Dutch (B1), by simple measures: long sentences, long and difficult words, passive sentences."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from mailings.checks.base import Check, Finding, Proof, Severity

LONG_SENTENCE, LONG_ON_AVERAGE = 20, 14  # words
LONG_WORD = 18  # letters
MOST_PASSIVE = 0.25  # of the sentences
LEAST_SENTENCES = 4  # or a share says nothing

#: Words of letters from the town hall, and what people say instead.
PLAIN = {
    "aangaande": "over", "aldus": "zo", "alsmede": "en ook", "alvorens": "voordat", "betreffende": "over",
    "bewerkstelligen": "zorgen voor", "conform": "volgens", "daar": "omdat", "derhalve": "daarom", "desalniettemin":
    "toch", "desgewenst": "als je wilt", "dientengevolge": "daardoor", "doch": "maar", "echter": "maar",
    "faciliteren": "helpen", "gaarne": "graag", "hedendaags": "van nu", "hieromtrent": "hierover",
    "implementeren": "invoeren", "inclusief": "met", "indien": "als", "inzake": "over", "middels": "met",
    "mits": "als", "momenteel": "nu", "namelijk": "want", "nochtans": "toch", "omtrent": "over", "participeren":
    "meedoen", "reeds": "al", "slechts": "maar", "teneinde": "om", "tevens": "ook", "trachten": "proberen",
    "uiterst": "heel", "uitsluitend": "alleen", "verstrekken": "geven", "vervaardigen": "maken", "vigerend": "geldend",
    "voorts": "verder", "voornoemd": "eerder genoemd", "wederom": "weer", "wenselijk": "goed", "woonachtig": "wonend",
    "zodoende": "zo", "zulks": "dat",
}  # fmt: skip
_AMBIGUOUS = {"daar", "uiterst"}  # ordinary words as well
_WORD = re.compile(r"[^\W\d_]+(?:[-’'][^\W\d_]+)*")
_SENTENCE_END = re.compile(r"(?<=[.!?…])[\"”’)]*\s+|\n\s*\n|\n(?![a-zà-ÿ])")  # lines of a card
_ADDRESS = re.compile(r"\(?https?://\S+|\S+@\S+")
_RULE = re.compile(r"^[=\-_*]{3,}$", re.MULTILINE)
_PASSIVE = re.compile(
    r"\b(?:word|wordt|worden|werd|werden)\b(?:\s+\S+){0,8}?\s+(?:ge|be|ver|ont|her|op|aan|uit|af|in|toe|voor|om)\w*(?:d|t|en)\b"
    r"|\b(?:ge|be|ver|ont|her)\w+(?:d|t|en)\s+(?:word|wordt|worden|werd|werden)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Sentence:
    """A sentence and its words."""

    text: str
    words: list[str]

    @property
    def is_passive(self) -> bool:
        """Whether something is done in it and nobody does it."""
        return bool(_PASSIVE.search(self.text))


def sentences_of(text: str) -> list[Sentence]:
    """Return the sentences of a plain text; addresses and lines under headings are no words."""
    text = _RULE.sub("\n", _ADDRESS.sub("", text))
    parts = (" ".join(part.split()) for part in _SENTENCE_END.split(text))
    return [Sentence(part, words) for part in parts if (words := _WORD.findall(part))]


def find(proof: Proof) -> Iterator[Finding]:
    """Yield hints per block, and about the whole."""
    everything = []
    for place, text in proof.texts:
        found = sentences_of(text)
        everything += found
        yield from _of_block(place, found)
    yield from _of_all([one for one in everything if len(one.words) > 2])


def _of_block(place: str, found: list[Sentence]) -> Iterator[Finding]:
    longest = max(found, key=lambda one: len(one.words), default=None)
    if longest and len(longest.words) > LONG_SENTENCE:
        words = _("A sentence of %(count)d words: “%(start)s…”")
        values = {"count": len(longest.words), "start": " ".join(longest.text.split()[:6])}
        yield Finding("language.sentence", Severity.HINT, words % values, _("Make two of it."), place=place)
    said = {word.lower(): None for one in found for word in one.words}
    if difficult := [word for word in said if word in PLAIN and word not in _AMBIGUOUS]:
        pairs = ", ".join(f"{word} → {PLAIN[word]}" for word in difficult)
        words = _("There are simpler words: %(pairs)s.") % {"pairs": pairs}
        yield Finding("language.difficult", Severity.HINT, words, place=place)
    if long := [word for word in said if len(word) > LONG_WORD and "-" not in word]:
        words = _("Long words: %(words)s.") % {"words": ", ".join(long[:5])}
        yield Finding("language.word", Severity.HINT, words, _("Cut them in two, or describe them."), place=place)


def _of_all(found: list[Sentence]) -> Iterator[Finding]:
    if len(found) < LEAST_SENTENCES:
        return
    average = sum(len(one.words) for one in found) / len(found)
    if average > LONG_ON_AVERAGE:
        words = _("Sentences have %(average)d words on average; up to %(most)d reads easily.")
        values = {"average": round(average), "most": LONG_ON_AVERAGE}
        yield Finding("language.average", Severity.HINT, words % values, _("Write shorter sentences."))
    passive = sum(one.is_passive for one in found)
    if passive > MOST_PASSIVE * len(found):
        words = _("%(passive)d of %(count)d sentences are passive (“is done”, “will be sent”).")
        remedy = _("Say who does it: “we send you”, “you get”.")
        yield Finding("language.passive", Severity.HINT, words % {"passive": passive, "count": len(found)}, remedy)


CHECK = Check("language", gettext_lazy("Plain Dutch (B1)"), find)
