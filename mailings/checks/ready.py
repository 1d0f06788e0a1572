"""What keeps a message from going out at all: nothing in it, or something in it that is not there any more."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common.blocks import blocks
from common.errors import Refused
from mailings.checks.base import PREHEADER, SUBJECT, Check, Finding, Proof, Severity
from mailings.content import audience_key, every_block
from mailings.fields import check_merge_fields
from mailings.models import Content


def find(proof: Proof) -> Iterator[Finding]:
    """Yield what makes a sending impossible."""
    content = proof.content
    if not content.blocks:
        words = _("This message is still empty.")
        yield Finding("ready.empty", Severity.ERROR, words, _("Add at least one block."))
    if proof.is_mail and not content.subject.strip():
        yield Finding(
            "ready.subject", Severity.ERROR, _("This message has no subject yet."), _("Write one."), place=SUBJECT
        )
    yield from _unknown_fields(content)
    for one in content.blocks:
        if proof.preview is None:
            yield from _broken(proof, one)
        if not all(one["data"].get("columns", [True])):
            words = _("A column of this block is still empty.")
            remedy = _("Put something in it, or choose fewer columns.")
            yield Finding("ready.column", Severity.WARNING, words, remedy, place=str(one["id"]))
    for one in every_block(content.blocks):
        if audience_key(one.get("audience")) in proof.tally.gone:
            yield Finding(
                "ready.audience",
                Severity.ERROR,
                _("A block is meant for a selection or label that does not exist any more."),
                _("Choose for whom it is, or remove it."),
                place=str(one["id"]),
            )


def _unknown_fields(content: Content) -> Iterator[Finding]:
    for place, text in ((SUBJECT, content.subject), (PREHEADER, content.preheader)):
        try:
            check_merge_fields(text)
        except Refused as refused:
            yield Finding("ready.field", Severity.ERROR, str(refused), _("Write it anew."), place=place)


def _broken(proof: Proof, one: dict[str, Any]) -> Iterator[Finding]:
    """Yield an error when a block cannot be drawn: its type is not installed, or what it shows is gone."""
    place = str(one["id"])
    if one["type"] not in blocks:
        words = _("There is no block of type “%s”.") % one["type"]
        yield Finding("ready.block", Severity.ERROR, words, _("Remove it, or have its part installed."), place=place)
    elif Proof(Content(blocks=[one]), proof.purpose, proof.channels, proof.now).preview is None:
        yield Finding(
            "ready.gone",
            Severity.ERROR,
            _("What this block shows does not exist any more."),
            _("Choose something else, or remove it."),
            place=place,
        )


CHECK = Check("ready", gettext_lazy("Complete: subject, blocks, and what they show"), find)
