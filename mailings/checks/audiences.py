"""Whether there is somebody for each block, and a block for everybody."""

from __future__ import annotations

from collections.abc import Iterator

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from mailings.checks.base import Check, Finding, Proof, Severity
from mailings.content import parts_of, with_readers


def find(proof: Proof) -> Iterator[Finding]:
    """Yield a warning for a block that nobody will see, and for customers who would see no block."""
    tally = proof.tally
    for one, key in with_readers(proof.content.blocks):
        if one.get("audience") and not tally.gone & set(parts_of(key)) and not tally.readers[key]:
            yield Finding(
                "audiences.empty",
                Severity.WARNING,
                _("Nobody will see this block: there is nobody in its audience now."),
                _("Choose for whom it is, or remove it."),
                place=str(one["id"]),
                count=0,
            )
    if tally.left_out:
        words = ngettext(
            "For %(shown)s customer there is no block at all: he would get an empty message.",
            "For %(shown)s customers there is no block at all: they would get an empty message.",
            tally.left_out,
        ) % {"shown": number_format(tally.left_out, force_grouping=True)}
        remedy = _("Add a block for everybody, or choose a selection of those for whom there is something.")
        yield Finding("audiences.left_out", Severity.WARNING, words, remedy, count=tally.left_out)


CHECK = Check("audiences", gettext_lazy("Each block has readers, each reader a block"), find)
