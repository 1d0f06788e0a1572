"""How heavy the mail is for who sees all of it."""

from __future__ import annotations

from collections.abc import Iterator

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from mailings.checks.base import Check, Finding, Proof, Severity
from mailings.links import click_url
from mailings.rendering import fill

MOST_BYTES = 100_000  # Gmail cuts off what comes after 102 KB, with the link to unsubscribe
_LARGE_ID = 10**12  # the links of a message that is sent get longer as messages are counted


def html_bytes(proof: Proof) -> int:
    """Return the size of the HTML part for a reader of all blocks, with the links as they will be."""
    if proof.preview is None:
        return 0
    compiled = proof.preview.compiled
    links = {f"link:{number}": click_url(_LARGE_ID, number) for number in range(len(compiled["links"]))}
    values = {**proof.preview.values, **links}
    return sum(len(fill(pieces, values, as_html=True).encode()) for _audience, pieces in compiled["html"])


def find(proof: Proof) -> Iterator[Finding]:
    """Yield a warning when mail programs would cut it off."""
    size = html_bytes(proof) if proof.is_mail else 0
    if size > MOST_BYTES:
        words = _("The mail is %(size)d KB for who sees all of it; above %(most)d KB Gmail cuts it off.")
        remedy = _("Leave out blocks, or let texts continue on the website.")
        kilobytes = {"size": size // 1000, "most": MOST_BYTES // 1000}
        yield Finding("size.large", Severity.WARNING, words % kilobytes, remedy)


CHECK = Check("size", gettext_lazy("Smaller than 100 KB"), find)
