"""The two lines by which people choose to open a mail or not."""

from __future__ import annotations

import re
from collections.abc import Iterator

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common.blocks import plain
from mailings.checks.base import PREHEADER, SUBJECT, Check, Finding, Proof, Severity

ON_A_PHONE, ON_A_SCREEN = 45, 78  # characters of a subject that are shown
SHORTEST_PREHEADER, LONGEST_PREHEADER = 30, 110
_WORD = re.compile(r"[^\W\d_]{3,}")


def find(proof: Proof) -> Iterator[Finding]:
    """Yield what is wrong with subject and preview text."""
    if not proof.is_mail or not proof.content.subject.strip():
        return
    subject = proof.with_examples(plain(proof.content.subject)).strip()
    yield from _length(subject)
    yield from _loudness(subject)
    yield from _preheader(proof.with_examples(plain(proof.content.preheader)).strip(), subject)


def _length(subject: str) -> Iterator[Finding]:
    if len(subject) > ON_A_SCREEN:
        words = _("The subject is %(length)d characters long; most programs show %(shown)d at most.")
        severity, shown = Severity.WARNING, ON_A_SCREEN
    elif len(subject) > ON_A_PHONE:
        words = _("The subject is %(length)d characters long; a phone shows the first %(shown)d.")
        severity, shown = Severity.HINT, ON_A_PHONE
    else:
        return
    yield Finding(
        "subject.long",
        severity,
        words % {"length": len(subject), "shown": shown},
        _("Make it shorter, or put what matters first."),
        place=SUBJECT,
    )


def _loudness(subject: str) -> Iterator[Finding]:
    words = _WORD.findall(subject)
    if len(words) >= 3 and sum(word.isupper() for word in words) * 2 > len(words):
        yield Finding(
            "subject.capitals",
            Severity.WARNING,
            _("The subject is written in capitals; it reads as shouting, and spam filters count it."),
            _("Write it in ordinary letters."),
            place=SUBJECT,
        )
    if subject.count("!") + subject.count("?") > 2 or "!!" in subject:
        yield Finding(
            "subject.marks",
            Severity.WARNING,
            _("The subject has many exclamation or question marks; spam filters count them."),
            _("Leave one at most."),
            place=SUBJECT,
        )


def _preheader(preheader: str, subject: str) -> Iterator[Finding]:
    if not preheader:
        yield Finding(
            "preheader.missing",
            Severity.HINT,
            _("There is no preview text; the list of mails shows the first words of the mail instead."),
            _("Write a line that goes on where the subject ends."),
            place=PREHEADER,
        )
    elif preheader.casefold() == subject.casefold():
        words = _("The preview text says the same as the subject.")
        yield Finding("preheader.same", Severity.HINT, words, _("Say something more."), place=PREHEADER)
    elif len(preheader) > LONGEST_PREHEADER or len(preheader) < SHORTEST_PREHEADER:
        words = _("The preview text is %(length)d characters long; between %(least)d and %(most)d is shown best.")
        counts = {"length": len(preheader), "least": SHORTEST_PREHEADER, "most": LONGEST_PREHEADER}
        yield Finding("preheader.length", Severity.HINT, words % counts, place=PREHEADER)


CHECK = Check("subject", gettext_lazy("Subject and preview text"), find)
