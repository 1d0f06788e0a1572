"""On what ground a purpose uses a channel: what a new purpose starts with, and over which channels it is asked for."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

from common.sql import rows
from customers.consents.rules import PROCESSING
from customers.models import Channel, Purpose, PurposeChannel

Basis = PurposeChannel.Basis


def default_channels(*, code: str, rule: str) -> dict[str, dict[str, Any]]:
    """Return channel -> fields of its ``PurposeChannel``, for a purpose that is new.

    The customer relation starts without its conditions confirmed, so it counts for nobody until staff confirm them.
    """
    if rule == Purpose.Rule.SERVICE:
        return {channel.value: {"basis": Basis.SERVICE.value} for channel in Channel}
    if rule == Purpose.Rule.MARKETING:
        bases = {
            Channel.EMAIL: Basis.RELATION,
            Channel.POST: Basis.INTEREST,
            Channel.PHONE: Basis.CONSENT,
            Channel.SMS: Basis.CONSENT,
        }
        return {channel.value: {"basis": basis.value} for channel, basis in bases.items()}
    return {Channel.EMAIL.value: {"basis": Basis.CONSENT.value, "needs_double_opt_in": code not in PROCESSING}}


def ensure_channels(get_model: Callable[[str], Any]) -> int:
    """Give every purpose that has no channel yet those of its rule; return how many rows. ``get_model`` serves
    migrations too.
    """
    rows = [
        get_model("PurposeChannel")(purpose=purpose, channel=channel, **fields)
        for purpose in get_model("Purpose").objects.filter(channels__isnull=True)
        for channel, fields in default_channels(code=purpose.code, rule=purpose.rule).items()
    ]
    get_model("PurposeChannel").objects.bulk_create(rows, ignore_conflicts=True)
    return len(rows)


def grounds_at(as_of: dt.datetime) -> dict[tuple[int, str], str]:
    """Return (purpose, channel) -> the basis that really held at a moment; one that is not named needs a yes.

    The database's own function, which ``verdicts_sql`` asks too: they cannot differ.
    """
    found = rows("SELECT purpose_id, channel, basis FROM customers_grounds(%s)", [as_of])
    return {(row["purpose_id"], row["channel"]): row["basis"] for row in found}


def channels_of(purpose: Purpose) -> list[Channel]:
    """Return the channels over which this purpose is asked for: those it has a ground for."""
    used = {one.channel for one in purpose.channels.all() if one.basis != Basis.NONE}
    return [channel for channel in Channel if channel.value in used]
