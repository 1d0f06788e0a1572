"""What a mailing says, as it was frozen when it started; whatever became of its content since."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from customers.models import Branch, Customer
from mailings.content import fingerprint
from mailings.experiments.arms import in_arm
from mailings.experiments.splitting import experiment_of
from mailings.models import Arm, Content, Mailing, Message, SendingSettings, ShortText, TextSettings
from mailings.previewing import Preview, preview_pieces
from mailings.sms.composing import Example, example_of_pieces


@dataclass(frozen=True)
class Frozen:
    """One text of a mailing, in a test that of one version (``arm``). ``version`` is the number of the content's that
    it was made of (0: not kept, or a text message, which has none), ``newest`` its number now, ``is_behind`` whether
    somebody changed the content since.
    """

    content: Content
    arm: Arm | None
    version: int
    newest: int
    changed_at: dt.datetime
    is_behind: bool


def texts_of(mailing: Mailing) -> list[Frozen]:
    """Return the texts that go out: one, or those of the versions of its test."""
    if mailing.channels == Mailing.Channels.SMS:
        return [_short(mailing)]
    if test := experiment_of(mailing):
        return [_frozen(arm.content or mailing.content, arm, arm.compiled.get("of", 0)) for arm in test.versions]
    return [_frozen(mailing.content, None, mailing.compiled.get("of", 0))]


def _frozen(content: Content, arm: Arm | None, version: int) -> Frozen:
    return Frozen(
        content, arm, version, content.version, content.updated_at, bool(version) and version != content.version
    )


def _short(mailing: Mailing) -> Frozen:
    short = ShortText.objects.filter(content=mailing.content_id).first()
    made_of, mark = mailing.compiled.get("of", ""), short.mark if short else ""
    changed_at = short.updated_at if short else mailing.created_at
    return Frozen(mailing.content, None, 0, 0, changed_at, bool(made_of) and made_of != mark)


def mark_of_mailing(mailing: Mailing) -> str:
    """Return a mark that differs when something else would go out, its sender included, or when the text that it was
    made of was changed: who approves names what was seen.
    """
    identity, test = SendingSettings.load(), experiment_of(mailing)
    sender = [identity.organisation, identity.sender_name, identity.sender_email, identity.reply_to]
    if mailing.channels == Mailing.Channels.SMS:
        sender.append(TextSettings.load().sender)
    arms = [arm.compiled for arm in test.versions] if test else []
    return fingerprint(
        mailing.compiled, arms, sender, [[one.version, one.newest, one.is_behind] for one in texts_of(mailing)]
    )


def preview_mailing(
    mailing: Mailing,
    *,
    arm: Arm | None = None,
    customer: Customer | None = None,
    audience: str = "",
    branch: Branch | None = None,
    now: dt.datetime,
) -> Preview:
    """Return the message as it goes out (or went): of a version of its test, or as a customer gets it, who belongs to
    the audiences that he had at the start. Without all of these nobody in particular.
    """
    message = (
        Message.objects.filter(mailing=mailing, customer=customer).select_related("arm").first() if customer else None
    )
    if message and message.arm:
        arm = message.arm
    return preview_pieces(
        in_arm(mailing.compiled, arm.compiled if arm else None),
        content=mailing.content,
        customer=customer,
        audiences=frozenset(message.audiences) if message else None,
        audience=audience,
        branch=branch,
        now=now,
    )


def example_of_mailing(mailing: Mailing, *, customer: Customer | None = None, now: dt.datetime) -> Example:
    """Return the text message as it goes out, as a customer reads it or with examples in its fields."""
    return example_of_pieces(mailing.compiled, customer_id=customer.pk if customer else None, now=now)


def audience_keys_of(mailing: Mailing, arm: Arm | None = None) -> list[str]:
    """Return the keys of the audiences that see a block of their own."""
    compiled = in_arm(mailing.compiled, arm.compiled if arm else None)
    return sorted({key for part in ("html", "letter") for key, _pieces in compiled.get(part, []) if key})
