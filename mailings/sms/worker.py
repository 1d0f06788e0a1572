"""One run of a worker that sends text messages: claim, write, mark, hand over, record; until nothing is ready.

Each message is sent at most once by itself: it is marked ``sending`` and that is committed before the provider sees it,
and never more are marked than the provider takes at once.
"""

from __future__ import annotations

import logging
import time
from dataclasses import replace
from uuid import UUID, uuid4

from django.db import transaction
from django.utils.translation import gettext

from common.time import clock
from customers.models import Purpose
from mailings import queue
from mailings.actions.queueing import postpone_closed
from mailings.actions.states import brake_mailings, finish_mailings
from mailings.delivery.envelope import FAILED, IN_DOUBT, SENT
from mailings.delivery.texts import Text, TextOutcome, TextProvider, text_provider
from mailings.models import Mailing, SendingSettings, SentText, TextSettings
from mailings.opening import closed_now
from mailings.persisting import persist
from mailings.queue import Outcome
from mailings.recipients import load_recipients
from mailings.rendering import Recipient
from mailings.sms import queue as text_queue
from mailings.sms.composing import write_text
from mailings.sms.counting import measure
from mailings.sms.opening import rules_open

log = logging.getLogger(__name__)

CHUNK = 200
HEARTBEAT_SECONDS = 15


def send_ready_texts(*, seconds: float, provider: TextProvider | None = None) -> dict[str, int]:
    """Send what is ready, for about that long, and return outcomes by state; safe to run in several processes."""
    carrier, until = provider or text_provider(), time.monotonic() + seconds
    counts: dict[str, int] = {}
    done_with: list[int] = []  # mailings that gave no message though they seemed to have some: others are at them
    while time.monotonic() < until:
        mailing = persist(lambda: text_queue.next_mailing(rules=rules_open(now=clock()), skip=done_with))
        if mailing is None:
            break
        outcomes, count = _send_chunk(mailing, carrier, until)
        for outcome in outcomes:
            counts[outcome.state] = counts.get(outcome.state, 0) + 1
        if not count or any(map(_ends_it, outcomes)):
            done_with.append(mailing.pk)
    persist(lambda: finish_mailings(now=clock()))
    return counts


def _send_chunk(mailing: Mailing, carrier: TextProvider, until: float) -> tuple[list[Outcome], int]:
    token = uuid4()
    claimed = persist(lambda: text_queue.claim(mailing, token=token, limit=CHUNK))
    outcomes: list[Outcome] = []
    try:
        if claimed:
            recipients = _prepare(mailing, claimed)
            outcomes = _work_off(mailing, _open_now(mailing, recipients, token), carrier, token, until)
    finally:
        persist(lambda: queue.release(token))
    persist(lambda: brake_mailings(mailing, now=clock()))
    return outcomes, len(claimed)


def _prepare(mailing: Mailing, claimed: list[tuple[int, int]]) -> list[Recipient]:
    """Return the readers; a text that cannot be written for anybody puts its mailing on pause, so others go on."""
    try:
        return persist(lambda: _recipients(mailing, claimed))
    except (LookupError, TypeError, ValueError) as error:
        log.exception("text messages of mailing %s cannot be prepared", mailing.pk)
        reason = gettext("The content cannot be written: %s") % type(error).__name__
        running = Mailing.objects.filter(pk=mailing.pk, state=Mailing.State.SENDING)
        persist(lambda: running.update(state=Mailing.State.PAUSED, pause_reason=reason))
        return []


def _open_now(mailing: Mailing, recipients: list[Recipient], token: UUID) -> list[Recipient]:
    """Return whose branch is open; others are put off, and with the first of them all of this mailing."""
    now = clock()
    is_service = mailing.purpose.rule == Purpose.Rule.SERVICE
    closed = {} if is_service or not recipients else persist(lambda: closed_now(now=now))
    waits = {
        one.message_id: (closed[one.branch_id] - now).total_seconds() for one in recipients if one.branch_id in closed
    }
    if waits:
        persist(lambda: queue.put_off(waits, token=token))
        persist(lambda: postpone_closed(mailing, now=now))
    return [one for one in recipients if one.message_id not in waits]


def _recipients(mailing: Mailing, claimed: list[tuple[int, int]]) -> list[Recipient]:
    return load_recipients(
        claimed,
        compiled=mailing.compiled,
        identity=SendingSettings.load(),
        origin=f"mailing:{mailing.pk}",
        medium="sms",
        now=clock(),
    )


def _work_off(
    mailing: Mailing, recipients: list[Recipient], carrier: TextProvider, token: UUID, until: float
) -> list[Outcome]:
    """Hand over as many at a time as the provider takes, each time marked before and recorded after."""
    done: list[Outcome] = []
    limits, beat = TextSettings.load(), time.monotonic()
    for start in range(0, len(recipients), carrier.at_once):
        if time.monotonic() >= until or any(map(_ends_it, done)):
            break
        batch = recipients[start : start + carrier.at_once]
        texts, failed = _written(mailing, batch, limits.sender)
        ids = [text.message_id for text in texts]
        marked = persist(lambda ids=ids: text_queue.mark(mailing, ids, token=token, now=clock()))  # type: ignore[misc]
        going = [text for text in texts if text.message_id in marked]
        outcomes: list[Outcome] = [*failed, *(_held_when_silent(carrier.send(going)) if going else [])]
        persist(lambda: _record(mailing, outcomes, going, limits, token))  # noqa: B023 - run at once
        done += outcomes
        if time.monotonic() - beat >= HEARTBEAT_SECONDS:
            persist(lambda: queue.extend(token))
            beat = time.monotonic()
    return done


def _ends_it(outcome: Outcome) -> bool:
    """Tell whether nothing more of the mailing is worth trying now."""
    return outcome.pause or outcome.is_unreachable


def _held_when_silent(outcomes: list[TextOutcome]) -> list[TextOutcome]:
    """Let the mailing pause when of several messages at once nobody knows what became of them: else each next one
    would be in doubt too, and somebody would have to settle thousands.
    """
    if len(outcomes) > 1 and all(one.state == IN_DOUBT for one in outcomes):
        return [*outcomes[:-1], replace(outcomes[-1], pause=True)]
    return outcomes


def _written(mailing: Mailing, batch: list[Recipient], sender: str) -> tuple[list[Text], list[Outcome]]:
    """Return the texts; one that cannot be written fails by itself and is shown."""
    texts: list[Text] = []
    failed: list[Outcome] = []
    for one in batch:
        try:
            body = write_text(mailing.compiled, one.values, message_id=one.message_id)
            texts.append(Text(one.message_id, one.address, body, sender))
        except (KeyError, TypeError, ValueError, IndexError) as error:
            log.exception("text message %s cannot be written", one.message_id)
            words = gettext("The message could not be written: %s") % type(error).__name__
            failed.append(Outcome(one.message_id, FAILED, words, reached=False))
    return texts, failed


@transaction.atomic
def _record(mailing: Mailing, outcomes: list[Outcome], texts: list[Text], limits: TextSettings, token: UUID) -> None:
    """Write down what became of each, and of those that left what they cost."""
    queue.record(mailing, outcomes, token=token)
    parts = {text.message_id: measure(text.text).parts for text in texts}
    SentText.objects.bulk_create(
        [
            SentText(
                message_id=one.message_id,
                reference=one.reference,
                parts=parts[one.message_id],
                cost_mills=parts[one.message_id] * limits.price_mills,
            )
            for one in outcomes
            if isinstance(one, TextOutcome) and one.state == SENT
        ],
        update_conflicts=True,  # a report may have been quicker
        unique_fields=["message"],
        update_fields=["reference", "parts", "cost_mills"],
    )
