"""The shapes of checking: what is checked, what is found, and the report of all of it."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

from django.core.exceptions import ObjectDoesNotExist
from django.db import models
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common.blocks import SLOT
from common.errors import Refused
from common.registry import Registry
from customers.models import Branch, Customer, Purpose
from mailings.checks.readers import Tally, tally
from mailings.models import Content, Mailing
from mailings.previewing import Preview, preview_content
from mailings.rendering import fill
from mailings.styles import Style, load_styles

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

SUBJECT, PREHEADER, SENDING, TEXT = "subject", "preheader", "sending", "text"  # places beside the blocks


class Severity(models.TextChoices):
    """How bad it is."""

    ERROR = "error", gettext_lazy("Must be mended")
    WARNING = "warning", gettext_lazy("Warning")
    HINT = "hint", gettext_lazy("Hint")


@dataclass(frozen=True)
class Finding:
    """One thing that is not as it should be.

    ``code`` is stable, ``words`` say what it is and ``remedy`` what to do; ``place`` is the id of a block, ``subject``,
    ``preheader``, ``sending`` (the settings) or empty. ``count``: customers it hits, where that was counted.
    """

    code: str
    severity: Severity
    words: str
    remedy: str = ""
    place: str = ""
    count: int | None = None


@dataclass(frozen=True)
class Proof:
    """A content as it would go out now. ``candidates``: for whom it is meant; None is not known yet."""

    content: Content
    purpose: Purpose
    channels: str
    now: dt.datetime
    candidates: QuerySet[Customer] | None = None

    @property
    def is_mail(self) -> bool:
        """Whether any of it goes by e-mail."""
        return self.channels in (Mailing.Channels.EMAIL, Mailing.Channels.EMAIL_OR_LETTER)

    @cached_property
    def preview(self) -> Preview | None:
        """The message with examples for values; None when a block is broken, which ``ready`` tells."""
        try:
            return preview_content(self.content, purpose=self.purpose, now=self.now)
        except (Refused, ObjectDoesNotExist):
            return None

    @cached_property
    def html(self) -> list[tuple[str, str]]:
        """The HTML of the mail as (place, part): the head, each block, the foot; for all audiences at once."""
        return parts_of(self.preview, "html") if self.preview else []

    @cached_property
    def looks(self) -> list[tuple[str, Preview]]:
        """The message in each house style that readers get: (name of the branch, preview); the organisation's comes
        first, under an empty name. What looks the same stands there once.
        """
        if self.preview is None:
            return []
        styles, looks = load_styles(self.tally.branches), dict[Style, int]()
        for branch_id, style in sorted(styles.items(), key=lambda one: one[0] or 0):
            looks.setdefault(replace(style, sender_name="", sender_email=""), branch_id or 0)
        return [("", self.preview), *(
            (branch.name, preview_content(self.content, purpose=self.purpose, branch=branch, now=self.now))
            for branch in Branch.objects.filter(pk__in=looks.values())
        )]  # fmt: skip

    @cached_property
    def texts(self) -> list[tuple[str, str]]:
        """What each block says in words, as (place, plain text); fields are examples."""
        found: dict[str, str] = {}
        for place, words in parts_of(self.preview, "text")[1:-1] if self.preview else []:
            found[place] = found.get(place, "") + words
        return list(found.items())

    def with_examples(self, text: str) -> str:
        """Return text with an example for each slot."""
        values = self.preview.values if self.preview else {}
        return SLOT.sub(lambda match: values.get(match[1], ""), text)

    @cached_property
    def styles(self) -> list[tuple[str, Style]]:
        """The house style of the organisation (under an empty name) and of each branch of readers with its own."""
        named = dict(Branch.objects.filter(pk__in=self.tally.branches).values_list("pk", "name"))
        return [(named[branch] if branch else "", style) for branch, style in load_styles(list(named)).items()]

    @cached_property
    def tally(self) -> Tally:
        """How many read each block and lack each field, in one statement."""
        return tally(self.content, candidates=self.candidates, now=self.now)


def parts_of(preview: Preview, kind: str, **values: str) -> list[tuple[str, str]]:
    """Return a part of a mail as (place, words), for all audiences at once, with examples in the fields."""
    values = {**preview.values, **values}
    filled = [fill(pieces, values, as_html=kind == "html") for _audience, pieces in preview.compiled[kind]]
    return list(zip(preview.compiled["places"], filled, strict=True))


def in_style(words: str, branch: str) -> str:
    """Return what was found with the branch in whose house style it was; empty is the organisation's."""
    return _("For readers of %(branch)s: %(words)s") % {"branch": branch, "words": words} if branch else words


@dataclass(frozen=True)
class Check:
    """One kind of check; ``find`` yields what is wrong."""

    code: str
    label: str | _StrPromise
    find: Callable[[Proof], Iterable[Finding]]
    is_for_texts: bool = False  # looks at text messages, and at nothing else
    is_for_all: bool = False  # looks at text messages as well


checks: Registry[Check] = Registry("check")


@dataclass(frozen=True)
class Report:
    """What all checks found, the worst first; ``passed`` found nothing."""

    findings: list[Finding] = field(default_factory=list)
    passed: list[Check] = field(default_factory=list)

    def of(self, severity: Severity) -> list[Finding]:
        """Return the findings of one severity."""
        return [one for one in self.findings if one.severity == severity]

    @property
    def errors(self) -> list[Finding]:
        """What stops a sending."""
        return self.of(Severity.ERROR)

    @property
    def warnings(self) -> list[Finding]:
        """What is to be confirmed by who sends."""
        return self.of(Severity.WARNING)

    @property
    def hints(self) -> list[Finding]:
        """Advice."""
        return self.of(Severity.HINT)

    @property
    def fingerprint(self) -> str:
        """What a confirmation of the warnings names, so that it counts for those that were shown; empty without any.

        A number in the words may change meanwhile.
        """
        told = sorted(f"{one.code} {one.place}" for one in self.warnings)
        return hashlib.sha256("\n".join(told).encode()).hexdigest()[:16] if told else ""


def check_content(
    content: Content,
    *,
    purpose: Purpose,
    channels: str,
    candidates: QuerySet[Customer] | None = None,
    now: dt.datetime,
) -> Report:
    """Look at a content as it would go out now for this purpose; nothing is written or sent."""
    proof = Proof(content, purpose, channels, now, candidates)
    is_text = channels == Mailing.Channels.SMS
    asked = [check for check in checks if check.is_for_all or check.is_for_texts == is_text]
    found = {check.code: list(check.find(proof)) for check in asked}
    order = list(Severity)
    findings = sorted((one for some in found.values() for one in some), key=lambda one: order.index(one.severity))
    return Report(findings, [check for check in asked if not found[check.code]])


def confirm(*reports: Report, confirmed: str | None) -> None:
    """Raise Refused on an error, and on warnings that ``confirmed`` (fingerprints) does not name.

    None: nobody was there to be shown warnings.
    """
    for report in reports:
        if report.errors:
            raise Refused("check_errors", f"{report.errors[0].words} {report.errors[0].remedy}")
    if confirmed is None:
        return
    if not {report.fingerprint for report in reports if report.warnings} <= set(confirmed.split()):
        raise Refused("check_warnings", _("Look at the warnings first and confirm that you have seen them."))
