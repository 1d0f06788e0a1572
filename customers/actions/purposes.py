"""Decide what customers are reached for and on what ground: purposes, their channels, and the words people answer."""

from __future__ import annotations

import datetime as dt
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

import pghistory
from django.apps import apps
from django.db import transaction
from django.utils.translation import gettext as _

from common.errors import Refused
from customers.consents.channels import ensure_channels
from customers.consents.rules import PROCESSING
from customers.models import Channel, Consent, Purpose, PurposeChannel, Wording

if TYPE_CHECKING:
    from django.contrib.auth.models import User

Basis = PurposeChannel.Basis
_ONLY_YES = (Basis.CONSENT, Basis.NONE)
# What the law leaves open per channel: Tw 11.7(1) and (3) for mail and SMS, since 1 July 2026 no customer exception for
# the telephone any more, AVG 6(1)(f) for paper.
_MARKETING: dict[str, tuple[Basis, ...]] = {
    Channel.EMAIL: (Basis.CONSENT, Basis.RELATION, Basis.NONE),
    Channel.SMS: (Basis.CONSENT, Basis.RELATION, Basis.NONE),
    Channel.PHONE: _ONLY_YES,
    Channel.POST: (Basis.INTEREST, Basis.CONSENT, Basis.NONE),
}


class ChannelFields(TypedDict, total=False):
    """What may be set of a channel; the four conditions are those of the customer relation (Tw 11.7(3))."""

    basis: str
    same_entity: bool
    was_informed: bool
    could_refuse: bool
    own_similar: bool
    needs_double_opt_in: bool


def bases_for(purpose: Purpose, channel: str) -> tuple[Basis, ...]:
    """Return the grounds that the law leaves open for a purpose over a channel; no ground but "not used" when the
    purpose is not about being reached over it.
    """
    if purpose.code in PROCESSING:
        if channel != Channel.EMAIL:
            return (Basis.NONE,)
        # A tracking pixel reads from somebody's device: only with a yes (Tw 11.7a).
        return (Basis.CONSENT, Basis.INTEREST, Basis.NONE) if purpose.code == "profiling" else _ONLY_YES
    if purpose.rule == Purpose.Rule.SERVICE:
        return (Basis.SERVICE, Basis.CONSENT, Basis.NONE)
    return _MARKETING[channel] if purpose.rule == Purpose.Rule.MARKETING else _ONLY_YES


@transaction.atomic
def create_purpose(
    *, code: str, name: str, description: str = "", rule: str, is_public: bool = True, by: User | None
) -> Purpose:
    """Make a purpose with the channels of its rule. Raises Refused on a code in use."""
    if Purpose.objects.filter(code=code).exists():
        raise Refused("code_taken", _("There is a purpose with this code already."), field="code")
    with _noted(by):
        purpose = Purpose.objects.create(
            code=code, name=name, description=description, rule=rule, is_public=is_public
        )  # fmt: skip
        ensure_channels(lambda model: apps.get_model("customers", model))
    return purpose


@transaction.atomic
def change_purpose(
    purpose: Purpose, *, name: str, description: str, is_public: bool, by: User | None
) -> Purpose:  # fmt: skip
    """Change what customers read about a purpose; its sort and code stay, since the ledger refers to them."""
    purpose = Purpose.objects.select_for_update().get(pk=purpose.pk)
    purpose.name, purpose.description, purpose.is_public = name, description, is_public
    with _noted(by):
        purpose.save(update_fields=["name", "description", "is_public"])
    return purpose


@transaction.atomic
def change_channel(
    purpose: Purpose, channel: str, *, by: User | None, now: dt.datetime, **fields: Unpack[ChannelFields]
) -> PurposeChannel:
    """Set the ground on which a purpose uses a channel from now on, and what belongs to it; what is not given stays.

    What held before stays known, for whoever asks what was allowed at a moment then. Raises Refused when the law does
    not allow that ground for this channel.
    """
    if channel not in Channel.values:
        raise Refused("unknown_channel", _("This channel does not exist."), field="channel")
    known = PurposeChannel.objects.filter(purpose=purpose, channel=channel).first() or PurposeChannel()
    if fields.get("basis", known.basis) not in bases_for(purpose, channel):
        raise Refused(
            "basis",
            _("The law does not allow this ground here. Choose another one, for example permission."),
            field="basis",
        )
    if fields.get("needs_double_opt_in") and (channel != Channel.EMAIL or purpose.code in PROCESSING):
        words = _("Only a sign-up for e-mail can be confirmed by e-mail.")
        raise Refused("not_by_email", words, field="needs_double_opt_in")
    with _noted(by):
        row, _created = PurposeChannel.objects.select_for_update().get_or_create(purpose=purpose, channel=channel)
        if any(getattr(row, field) != value for field, value in fields.items()):
            for field, value in fields.items():
                setattr(row, field, value)
            row.since = now
            row.save()
    return row


@transaction.atomic
def confirm_relation(purpose: Purpose, channel: str, *, by: User | None, now: dt.datetime) -> PurposeChannel:
    """Confirm the four conditions of the customer relation that the organisation answers for."""
    return change_channel(
        purpose, channel, by=by, now=now, same_entity=True, was_informed=True, could_refuse=True, own_similar=True
    )


@transaction.atomic
def save_wording(
    purpose: Purpose, *, version: str, text: str, valid_from: dt.datetime, by: User | None
) -> Wording:  # fmt: skip
    """Add a version of the words to which people say yes, or change one that nobody answered yet.

    Raises Refused for a version that somebody answered: what he said yes to must stay readable.
    """
    known = Wording.objects.select_for_update().filter(purpose=purpose, version=version).first()
    if known and (known.text, known.valid_from) == (text, valid_from):
        return known
    if known and is_answered(known):
        raise Refused(
            "wording_answered",
            _("People have answered this version, so it stays as it is. Give the new words a new version."),
            field="version",
        )
    with _noted(by):
        values = {"text": text, "valid_from": valid_from}
        return Wording.objects.update_or_create(purpose=purpose, version=version, defaults=values)[0]


def is_answered(wording: Wording) -> bool:
    """Whether anybody's answer in the ledger refers to this version."""
    return Consent.objects.filter(purpose=wording.purpose_id, wording_version=wording.version).exists()


def current_wording(purpose: Purpose, *, now: dt.datetime) -> Wording | None:
    """Return the words that people see now, if there are any."""
    return Wording.objects.current(now=now).filter(purpose=purpose).first()


def _noted(by: User | None) -> AbstractContextManager[Any]:
    return pghistory.context(user=by.pk) if by else nullcontext()
