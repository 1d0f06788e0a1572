"""Words and signs that spam filters count, in Dutch and English; most of all in the subject."""

from __future__ import annotations

import re
from collections.abc import Iterator

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common.blocks import plain
from mailings.checks.base import SUBJECT, Check, Finding, Proof, Severity

#: Each alone is harmless in a text; a mail full of them is not. "Gratis" is an honest word of a library.
TRIGGERS = (
    "$$$", "100% free", "100% gratis", "act now", "als u niet reageert", "apply now", "bel nu", "bestel nu",
    "buy now", "cash bonus", "casino", "cialis", "click here", "compleet gratis", "congratulations", "dear friend",
    "direct winst", "dit is geen spam", "double your", "earn money", "eenmalige kans", "exclusieve deal",
    "extra cash", "extra geld", "extra inkomen", "free gift", "free money", "gegarandeerd", "geld terug",
    "geld verdienen", "geluksvogel", "gratis cadeau", "gratis geld", "guaranteed", "haast je", "hurry", "invest now",
    "klik hier", "koop nu", "kredietkaart", "laatste kans", "last chance", "limited time", "loterij", "lottery",
    "make money", "miljoen euro", "million dollars", "miss deze kans niet", "no catch", "no obligation", "no risk",
    "nu of nooit", "once in a lifetime", "only today", "order now", "prijs gewonnen", "reageer direct", "risicoloos",
    "risk free", "risk-free", "snel rijk", "this is not spam", "u bent geselecteerd", "u heeft gewonnen", "urgent",
    "verdien geld", "verdubbel je", "viagra", "vrijblijvend geld", "winnaar", "winner", "work from home",
    "you have been selected", "you won", "zonder risico", "€€€",
)  # fmt: skip
MOST_IN_TEXT = 2
_FOUND = re.compile(
    "|".join(rf"(?<!\w){re.escape(words)}(?!\w)" for words in sorted(TRIGGERS, key=len, reverse=True)), re.IGNORECASE
)


def triggers_in(text: str) -> list[str]:
    """Return the trigger words in a text, each once, as they stand in the list."""
    return sorted({match[0].lower() for match in _FOUND.finditer(text)})


def find(proof: Proof) -> Iterator[Finding]:
    """Yield a warning for the subject, and for the whole text when there are several."""
    if not proof.is_mail:
        return
    remedy = _("Say it in other words.")
    if found := triggers_in(proof.with_examples(plain(proof.content.subject))):
        words = _("Spam filters count these words in the subject: %(words)s.") % {"words": ", ".join(found)}
        yield Finding("spam.subject", Severity.WARNING, words, remedy, place=SUBJECT)
    by_place = {place: triggers_in(text) for place, text in proof.texts}
    everything = sorted({word for found in by_place.values() for word in found})
    severity = Severity.WARNING if len(everything) > MOST_IN_TEXT else Severity.HINT
    for place, found in by_place.items():
        if found:
            words = _("Spam filters count these words: %(words)s.") % {"words": ", ".join(found)}
            yield Finding("spam.text", severity, words, remedy, place=place)


CHECK = Check("spam", gettext_lazy("Words that spam filters count"), find)
