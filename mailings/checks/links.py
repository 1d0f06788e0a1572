"""Whether the links of a mail answer, as a task found out less than a day ago (``mailings.actions.links``)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from mailings.checks.base import TEXT, Check, Finding, Proof, Severity
from mailings.models import LinkCheck, Mailing, ShortText
from mailings.sms.composing import links_in

State = LinkCheck.State
SHOWN = 60  # characters of an address


@dataclass(frozen=True)
class LinkState:
    """A link of a proof, the first place where it stands, and what became of looking it up; None is never asked."""

    url: str
    place: str
    check: LinkCheck | None
    is_fresh: bool

    @property
    def is_awaited(self) -> bool:
        """Whether a task is about to look it up."""
        return self.check is not None and self.check.checked_at is None

    @property
    def counts(self) -> bool:
        """Whether what is known of it counts: an answer of less than a day ago, or that of before the look that is
        under way, so that asking again does not make a page that is gone look well for a moment.
        """
        is_known = self.check is not None and self.check.state not in (State.WAITING, State.FINE)
        return self.is_fresh or (self.is_awaited and is_known)

    @property
    def may_be_asked(self) -> bool:
        """Whether it makes sense to have it looked up: it is not under way, and no answer counts or it was no good."""
        is_bad = self.check is not None and self.check.is_bad
        return not self.is_awaited and (not self.is_fresh or is_bad)


def links_of(proof: Proof) -> list[LinkState]:
    """Return the links of a proof in the order in which they stand there."""
    if proof.channels == Mailing.Channels.SMS:
        short = ShortText.objects.filter(content=proof.content.pk).first()
        urls = links_in(short.text) if short else []
    elif proof.preview is None:
        return []
    else:
        urls = proof.preview.compiled["links"]
    known = LinkCheck.objects.of(urls)
    places = {} if proof.channels == Mailing.Channels.SMS else _places(proof)
    usual = TEXT if proof.channels == Mailing.Channels.SMS else ""
    return [
        LinkState(url, places.get(number, usual), check := known.get(url), bool(check and check.is_fresh(proof.now)))
        for number, url in enumerate(urls)
    ]


def _places(proof: Proof) -> dict[int, str]:
    """Return link position -> id of the first block with it."""
    found: dict[int, str] = {}
    compiled = proof.preview.compiled if proof.preview else {"places": [], "html": []}
    for place, (_audience, pieces) in zip(compiled["places"], compiled["html"], strict=True):
        for piece in pieces:
            if not isinstance(piece, str) and str(piece[0]).startswith("link:"):
                found.setdefault(int(str(piece[0]).removeprefix("link:")), place)
    return found


def find(proof: Proof) -> Iterator[Finding]:
    """Yield an error for a page that is not there, warnings for what did not answer, a hint for what nobody asked."""
    found = links_of(proof)
    for one in found:
        if one.check and one.counts:
            yield from _of_one(one, one.check)
    if unknown := sum(not one.counts for one in found):
        words = ngettext(
            "%(count)d link was not looked up today.", "%(count)d links were not looked up today.", unknown
        )
        yield Finding("links.unknown", Severity.HINT, words % {"count": unknown}, _("Have the links looked up."))


def _of_one(one: LinkState, check: LinkCheck) -> Iterator[Finding]:
    url = one.url if len(one.url) <= SHOWN else one.url[: SHOWN - 1] + "…"
    if check.state == State.BROKEN:
        words = _("There is no page at %(url)s (%(detail)s).") % {"url": url, "detail": check.detail}
        yield Finding("links.broken", Severity.ERROR, words, _("Mend the link."), place=one.place)
    elif check.state == State.UNREACHABLE:
        words = _("%(url)s did not answer: %(detail)s.") % {"url": url, "detail": check.detail}
        yield Finding("links.unreachable", Severity.WARNING, words, _("Try it yourself."), place=one.place)
    elif check.state == State.INTERNAL:
        words = _("%(url)s lies in a closed network: customers cannot get there.") % {"url": url}
        yield Finding("links.internal", Severity.WARNING, words, _("Use a public address."), place=one.place)
    elif one.is_fresh and one.url.startswith("http://"):
        words = _("%(url)s is not a safe address (https).") % {"url": url}
        yield Finding("links.unsafe", Severity.HINT, words, _("Try it with https://."), place=one.place)


CHECK = Check("links", gettext_lazy("Links answer"), find, is_for_all=True)
