"""Who it comes from, and the way out: what the law and the large mail providers ask of each mail."""

from __future__ import annotations

from collections.abc import Iterator

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from customers.models import Purpose
from mailings.checks.base import SENDING, Check, Finding, Proof, Severity
from mailings.models import SendingSettings

#: Providers whose policy (DMARC) has mail under their names refused when it comes from elsewhere.
FREE_PROVIDERS = frozenset({
    "gmail.com", "googlemail.com", "hotmail.com", "hotmail.nl", "outlook.com", "live.nl", "live.com", "msn.com",
    "yahoo.com", "icloud.com", "me.com", "aol.com", "ziggo.nl", "kpnmail.nl", "planet.nl", "hetnet.nl", "xs4all.nl",
    "telfort.nl", "gmx.net", "gmx.com", "proton.me", "protonmail.com",
})  # fmt: skip


def find(proof: Proof) -> Iterator[Finding]:
    """Yield what lacks in the head and foot of the mail."""
    settings = SendingSettings.load()
    if not settings.is_complete:
        yield Finding(
            "identity.missing",
            Severity.ERROR,
            _("The organisation, its postal address or its sender address is not known."),
            _("Fill them in under Sending: the law requires them."),
            place=SENDING,
        )
    if not proof.is_mail:
        return
    senders = {settings.sender_email, *(style.sender_email for _branch, style in proof.styles)}
    for address in sorted(one for one in senders if one.rpartition("@")[2].lower() in FREE_PROVIDERS):
        words = _("Mail from %(address)s is refused or called spam, for it does not come from that provider.")
        remedy = _("Choose a sender address in a domain of your own, under Sending.")
        yield Finding("identity.sender", Severity.WARNING, words % {"address": address}, remedy, place=SENDING)
    if not settings.privacy_url:
        words = _("There is no link to a privacy statement.")
        yield Finding("identity.privacy", Severity.HINT, words, _("Fill it in under Sending."), place=SENDING)
    yield from _way_out(proof)


def _way_out(proof: Proof) -> Iterator[Finding]:
    """Yield an error for each part of the mail without a link to unsubscribe that everybody sees."""
    if proof.preview is None or proof.purpose.rule == Purpose.Rule.SERVICE:
        return
    for part in ("html", "text"):
        shown = [pieces for audience, pieces in proof.preview.compiled[part] if not audience]
        if not any(piece[0] == "unsubscribe_url" for pieces in shown for piece in pieces if not isinstance(piece, str)):
            words = _("There is no link to unsubscribe in this mail.")
            yield Finding("identity.unsubscribe", Severity.ERROR, words, _("Tell the administrator."))


CHECK = Check("identity", gettext_lazy("Sender, postal address, unsubscribing"), find)
