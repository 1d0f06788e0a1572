"""What text messages will cost, worked out on a sample of who gets one."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace

from django.db.models import QuerySet

from customers.models import Customer
from mailings import gate
from mailings.gate import Terms
from mailings.models import Content, Decision, Mailing, SentText, ShortText, TextReply
from mailings.sms.composing import examples
from workbench.changes import Moment, changes_of

SAMPLE = 200


@dataclass(frozen=True)
class Cost:
    """For ``count`` readers: about how many parts, and for how many cents; ``longest`` is the most of one message."""

    count: int
    parts: int
    cents: int
    longest: int
    is_exact: bool


def cost_of(content: Content, terms: Terms, *, candidates: QuerySet[Customer], now: dt.datetime) -> Cost | None:
    """Return what it would cost to send this now; None for what is no text message, or goes to nobody."""
    short = ShortText.objects.filter(content=content).first()
    if terms.channels != Mailing.Channels.SMS or short is None:
        return None
    accepted = Decision.Outcome.ACCEPTED
    count, ids = gate.people(terms, accepted, candidates=candidates, first=0, count=SAMPLE, now=now)
    found = examples(short, purpose=terms.purpose, customer_ids=ids, now=now)
    if not found:
        return None
    share = count / len(found)
    parts = round(sum(one.size.parts for one in found) * share)
    cents = round(sum(one.cost_mills for one in found) * share / 10)
    return Cost(count, parts, cents, max(one.size.parts for one in found), is_exact=count == len(found))


def history_of(short: ShortText) -> list[Moment]:
    """Return what happened to a text, latest first, with what it said: so nothing that a colleague wrote is lost."""
    moments = changes_of(short)
    said = short.events.order_by("-pgh_id").values_list("text", flat=True)[: len(moments)]  # type: ignore[attr-defined]
    return [replace(one, text=text) for one, text in zip(moments, said, strict=True)]


def figures_of(mailing: Mailing) -> dict[str, int] | None:
    """Return what became of the text messages of a mailing and what they cost; None when it is none of those."""
    if mailing.channels != Mailing.Channels.SMS:
        return None
    found = SentText.objects.filter(message__mailing=mailing).figures()
    answers = TextReply.objects.filter(message__mailing=mailing).count()
    return {
        **found,
        "cents": round(found["cost_mills"] / 10),
        "unknown": found["count"] - found["delivered"] - found["undelivered"],
        "answers": answers,
    }
