"""Whether the links of a mail answer, as a task found out less than a day ago (``mailings.actions.links``)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from mailings.checks.base import Check, Finding, Proof, Severity
from mailings.models import LinkCheck

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


def links_of(proof: Proof) -> list[LinkState]:
    """Return the links of a proof in the order in which they stand there."""
    if proof.preview is None:
        return []
    urls: list[str] = proof.preview.compiled["links"]
    known = LinkCheck.objects.of(urls)
    places = _places(proof)
    return [
        LinkState(url, places.get(number, ""), check := known.get(url), bool(check and check.is_fresh(proof.now)))
        for number, url in enumerate(urls)
    ]


def _places(proof: Proof) -> dict[int, str]:
    """Return link position -> id of the first block with it."""
    found: dict[int, str] = {}
    segments = proof.preview.compiled["html"] if proof.preview else []
    for place, (_audience, pieces) in zip(["", *(item.id for item in proof.items), ""], segments, strict=True):
        for piece in pieces:
            if not isinstance(piece, str) and str(piece[0]).startswith("link:"):
                found.setdefault(int(str(piece[0]).removeprefix("link:")), place)
    return found


def find(proof: Proof) -> Iterator[Finding]:
    """Yield an error for a page that is not there, warnings for what did not answer, a hint for what nobody asked."""
    found = links_of(proof)
    for one in found:
        if one.check and one.is_fresh:
            yield from _of_one(one, one.check)
    if unknown := sum(not one.is_fresh for one in found):
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
    elif one.url.startswith("http://"):
        words = _("%(url)s is not a safe address (https).") % {"url": url}
        yield Finding("links.unsafe", Severity.HINT, words, _("Try it with https://."), place=one.place)


CHECK = Check("links", gettext_lazy("Links answer"), find)
