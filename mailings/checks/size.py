"""How heavy the mail is for who sees all of it."""

from __future__ import annotations

from collections.abc import Iterator

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from mailings.checks.base import Check, Finding, Proof, Severity, in_style, parts_of
from mailings.links import click_url
from mailings.previewing import Preview

MOST_BYTES = 100_000  # Gmail cuts off what comes after 102 KB, with the link to unsubscribe
_LARGE_ID = 10**12  # the links of a message that is sent get longer as messages are counted


def html_bytes(preview: Preview) -> int:
    """Return the size of the HTML part for a reader of all blocks, with the links as they will be."""
    links = {f"link:{number}": click_url(_LARGE_ID, number) for number in range(len(preview.compiled["links"]))}
    return sum(len(part.encode()) for _place, part in parts_of(preview, "html", **links))


def find(proof: Proof) -> Iterator[Finding]:
    """Yield a warning when mail programs would cut it off, in the house style in which it is largest."""
    sizes = [(html_bytes(preview), branch) for branch, preview in proof.looks] if proof.is_mail else []
    size, branch = max(sizes, default=(0, ""), key=lambda one: one[0])
    if size > MOST_BYTES:
        words = _("The mail is %(size)d KB for who sees all of it; above %(most)d KB Gmail cuts it off.")
        remedy = _("Leave out blocks, or let texts continue on the website.")
        kilobytes = {"size": size // 1000, "most": MOST_BYTES // 1000}
        yield Finding("size.large", Severity.WARNING, in_style(words % kilobytes, branch), remedy)


CHECK = Check("size", gettext_lazy("Smaller than 100 KB"), find)
