"""What to look at before a text message goes out: whether it is there, how long it gets, and who has no value."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from mailings.checks import fields
from mailings.checks.base import SENDING, TEXT, Check, Finding, Proof, Severity
from mailings.models import Content, SendingSettings, ShortText, TextSettings
from mailings.sms.composing import VOUCHER, example
from mailings.sms.counting import UNICODE


def find(proof: Proof) -> Iterator[Finding]:
    """Yield what is wrong with a text message."""
    short, limits = ShortText.objects.filter(content=proof.content.pk).first(), TextSettings.load()
    if short is None or not short.text:
        words = _("This text message is still empty.")
        yield Finding("texts.empty", Severity.ERROR, words, _("Write it."), place=TEXT)
        return
    if not limits.sender or not SendingSettings.load().is_complete:
        words = _("It is not known from whom text messages come.")
        yield Finding("texts.sender", Severity.ERROR, words, _("Fill it in under Sending."), place=SENDING)
    if not settings.SMS_API:
        words = _("No provider carries text messages: they are written to a folder on the server.")
        remedy = _("Whoever runs the system sets SMS_API, or has a gateway read that folder.")
        yield Finding("texts.folder", Severity.HINT, words, remedy, place=SENDING)
    yield from _size(short, proof, limits.most_parts)
    bare = Content(subject=VOUCHER.sub("", short.text), blocks=[])
    for one in fields.find(Proof(bare, proof.purpose, proof.channels, proof.now, proof.candidates)):
        yield replace(one, code="texts.field", place=TEXT)


def _size(short: ShortText, proof: Proof, most: int) -> Iterator[Finding]:
    size = example(short, purpose=proof.purpose, now=proof.now).size
    if size.parts > most:
        words = _("This takes %(parts)d parts, more than the %(most)d that the settings allow.")
        told = words % {"parts": size.parts, "most": most}
        yield Finding("texts.parts", Severity.ERROR, told, _("Make it shorter."), place=TEXT)
    if size.encoding == UNICODE:
        words = _("Because of %(signs)s a part holds 67 signs instead of 153.") % {"signs": " ".join(size.odd[:10])}
        yield Finding("texts.signs", Severity.WARNING, words, _("Leave these signs out."), place=TEXT)


CHECK = Check("texts", gettext_lazy("Text message: there, not too long, with a sender"), find, is_for_texts=True)
