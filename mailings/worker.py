"""One run of a worker: claim, write, mark, hand to the connections, record; until nothing is ready or time is up.

Each message is sent at most once by itself: it is marked ``sending`` and that is committed before its first byte of
DATA goes out. A worker keeps N connections and never has more than N messages marked, so a crash leaves at most N in
doubt.
"""

from __future__ import annotations

import contextlib
import logging
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TypeVar
from uuid import UUID, uuid4

from django.db import InterfaceError, OperationalError, connection
from django.utils.translation import gettext

from common.time import clock
from customers.models import Purpose
from mailings import pacing, queue
from mailings.actions.queueing import postpone_closed
from mailings.actions.states import brake_mailings, finish_mailings
from mailings.delivery import FAILED, Crew, Envelope, Lane, Route, routes
from mailings.links import bounce_address
from mailings.models import Mailing, SendingSettings
from mailings.opening import opening_hours
from mailings.queue import Outcome
from mailings.recipients import load_recipients
from mailings.rendering import PreparedMail, Recipient, Sender, in_style_of, sender_of

log = logging.getLogger(__name__)
T = TypeVar("T")

CONNECTIONS = 16
CHUNK = 400
HEARTBEAT_SECONDS = 15
DATABASE_RETRY_SECONDS = 45
THROTTLED_SECONDS = 0.05


@dataclass
class Summary:
    """What one run did: outcomes by state, and why it stopped early if it did."""

    counts: dict[str, int] = field(default_factory=dict)
    is_unreachable: bool = False
    has_more: bool = False

    def add(self, outcomes: list[Outcome]) -> None:
        """Count outcomes."""
        for outcome in outcomes:
            self.counts[outcome.state] = self.counts.get(outcome.state, 0) + 1


@contextlib.contextmanager
def _crew(connections: int) -> Iterator[Crew]:
    crew = Crew(_persist(lambda: routes(connections)))
    try:
        yield crew
    finally:
        crew.dismiss()


def send_ready(*, seconds: float, connections: int = CONNECTIONS, chunk: int = CHUNK) -> Summary:
    """Send what is ready, for about that long; safe to run in several processes at once.

    Stops early when no server can be reached: then the rest is put back, to be tried at the next ring.
    """
    summary, until = Summary(), time.monotonic() + seconds
    sent_nothing: list[int] = []  # mailings that gave no message though they seemed to have some: others are at them
    _persist(lambda: postpone_closed(now=clock()))
    with _crew(connections) as crew:
        while not summary.is_unreachable:
            mailing = _persist(lambda: queue.next_mailing(has_hours=_within_hours(), skip=sent_nothing))
            if mailing is None:
                break
            if time.monotonic() >= until:
                summary.has_more = True
                break
            if not _send_chunk(mailing, crew, summary, chunk, until):
                sent_nothing.append(mailing.pk)
    _persist(lambda: finish_mailings(now=clock()))
    return summary


def _within_hours() -> bool:
    ours, _branches = opening_hours(now=clock())
    return ours.is_open(clock())


def _send_chunk(mailing: Mailing, crew: Crew, summary: Summary, size: int, until: float) -> int:
    """Claim a chunk of one mailing and send it, what can be until then; return how many were claimed."""
    token = uuid4()
    claimed = _persist(lambda: queue.claim(mailing, token=token, limit=size))
    try:
        if claimed and (chunk := _prepare(mailing, token, claimed)):
            _hold_back(chunk)
            _work_off(chunk, crew, summary, until)
    finally:
        _persist(lambda: queue.release(token))
    _persist(lambda: brake_mailings(mailing, now=clock()))
    return len(claimed)


def _prepare(mailing: Mailing, token: UUID, claimed: list[tuple[int, int]]) -> _Chunk | None:
    """Return what sending needs; content that cannot be written for anybody puts its mailing on pause."""
    try:
        return _persist(lambda: _Chunk(mailing, token, claimed))
    except (LookupError, TypeError, ValueError) as error:
        log.exception("mailing %s cannot be prepared", mailing.pk)
        reason = gettext("The content cannot be written: %s") % type(error).__name__
        running = Mailing.objects.filter(pk=mailing.pk, state=Mailing.State.SENDING)
        _persist(lambda: running.update(state=Mailing.State.PAUSED, pause_reason=reason))
        return None


class _Chunk:
    """What is needed to send some claimed messages of one mailing: its prepared mail, readers, senders."""

    def __init__(self, mailing: Mailing, token: UUID, claimed: list[tuple[int, int]]) -> None:
        self.mailing, self.token = mailing, token
        self.was_refused = False  # the last attempt to mark something marked nothing
        self.identity = SendingSettings.load()
        self.styled = frozenset(mailing.compiled.get("styles", {}))  # ids of branches with a style, as text
        self.mails: dict[int | None, tuple[PreparedMail, Sender]] = {}
        self._mail_of(None)
        self.recipients = load_recipients(
            claimed,
            compiled=mailing.compiled,
            identity=self.identity,
            origin=f"mailing:{mailing.pk}",
            medium="email",
            now=clock(),
        )

    def _mail_of(self, branch_id: int | None) -> tuple[PreparedMail, Sender]:
        """Return the mail in the style of a branch and its sender, prepared when first asked for."""
        if branch_id not in self.mails:
            compiled, purpose = in_style_of(self.mailing.compiled, branch_id), self.mailing.purpose
            mail = PreparedMail(
                compiled,
                mailing_id=self.mailing.pk,
                identity=self.identity,
                list_name=purpose.name,
                list_code=purpose.code,
                is_service=purpose.rule == Purpose.Rule.SERVICE,
            )
            self.mails[branch_id] = mail, sender_of(compiled, self.identity)
        return self.mails[branch_id]

    def envelope(self, recipient: Recipient) -> Envelope:
        """Return the message for one reader, ready to go, as his branch sends it."""
        mail, sender = self._mail_of(recipient.branch_id if str(recipient.branch_id) in self.styled else None)
        content = mail.render(recipient, sender=sender, now=clock())
        return_path = bounce_address(recipient.message_id) or self.identity.sender_email
        return Envelope(recipient.message_id, return_path, recipient.address, content)


def _hold_back(chunk: _Chunk) -> None:
    """Put back who has to wait because his mail domain gets no more at once; others get their turn meanwhile."""
    chunk.recipients, later = _persist(lambda: pacing.split_by_domain(chunk.recipients))
    if later:
        _persist(lambda: queue.put_off(later, token=chunk.token))


def _work_off(chunk: _Chunk, crew: Crew, summary: Summary, until: float) -> None:
    """Keep every connection busy until the chunk is done, or the time is up: then the rest is left to the next run.

    Each round 1. records what came back and marks as many messages as there are free connections, in one commit;
    2. hands those out; 3. writes the next messages while the connections work; 4. waits for outcomes.
    """
    waiting, ready = deque(chunk.recipients), deque[Envelope]()
    done: list[Outcome] = []
    busy, beat = 0, time.monotonic()
    while waiting or ready or busy or done:
        if not ready:
            _compose(chunk, waiting, ready, crew, done)
        marked = _mark_next(chunk, ready, crew, done, summary)
        for envelope, lane in marked:
            crew.give(envelope, lane)
        busy += len(marked)
        done = []
        _compose(chunk, waiting, ready, crew, done)
        if busy:
            outcomes = crew.collect(wanted=max(1, busy // 2), timeout=HEARTBEAT_SECONDS)
            busy -= len(outcomes)
            done += outcomes
        elif ready and not marked and not chunk.was_refused:
            time.sleep(THROTTLED_SECONDS)  # every relay has had what it gets in this second
        summary.is_unreachable = crew.size == 0
        is_over = summary.is_unreachable or time.monotonic() >= until
        if is_over or any(outcome.pause for outcome in done) or _was_stopped(chunk):
            if busy and (waiting or ready):  # others may have these while the last answers are awaited
                _persist(lambda: queue.release(chunk.token))
            waiting.clear()
            ready.clear()
        if time.monotonic() - beat >= HEARTBEAT_SECONDS:
            _persist(lambda: queue.extend(chunk.token))
            beat = time.monotonic()


def _mark_next(
    chunk: _Chunk, ready: deque[Envelope], crew: Crew, done: list[Outcome], summary: Summary
) -> list[tuple[Envelope, Lane]]:
    """Record what is done, mark what comes next, in one commit; return what may go out, and over which lane."""
    batch = [(ready.popleft(), lane) for lane in _allowed(crew.choose(len(ready)))]
    chunk.was_refused = False
    if not batch and not done:
        return []
    ids = [envelope.message_id for envelope, _lane in batch]
    relays = [lane.route.name for _envelope, lane in batch]
    marked = _persist(
        lambda: queue.record_and_mark(chunk.mailing, done, ids, token=chunk.token, now=clock(), relays=relays)
    )
    summary.add(done)
    chunk.was_refused = bool(batch) and not marked
    return [(envelope, lane) for envelope, lane in batch if envelope.message_id in marked]


def _allowed(lanes: list[Lane]) -> list[Lane]:
    """Return those of the chosen lanes that may have their message now, by the speed of their relays."""
    allowed = list(lanes)
    for lane in {lane for lane in lanes if lane.route.per_second}:
        granted = _granted(lane.route, lanes.count(lane))
        others = [one for one in allowed if one is not lane]
        allowed = others + [lane] * granted
    return allowed


def _granted(route: Route, wanted: int) -> int:
    if route.relay_id is None or route.per_second is None:
        return wanted
    pk, speed = route.relay_id, route.per_second
    return _persist(lambda: pacing.take_from_relay(pk, per_second=speed, wanted=wanted))


def _was_stopped(chunk: _Chunk) -> bool:
    """Say whether the mailing is not being sent any more; asked only when nothing could be marked."""
    return chunk.was_refused and not _persist(
        lambda: Mailing.objects.filter(pk=chunk.mailing.pk, state=Mailing.State.SENDING).exists()
    )


def _compose(chunk: _Chunk, waiting: deque[Recipient], ready: deque[Envelope], crew: Crew, done: list[Outcome]) -> None:
    """Write messages until there is one for each connection, which go on working meanwhile; one that cannot be written
    fails by itself and is shown.
    """
    while waiting and len(ready) < crew.size:
        recipient = waiting.popleft()
        crew.attend()
        try:
            ready.append(chunk.envelope(recipient))
        except (KeyError, TypeError, ValueError) as error:
            log.exception("message %s cannot be composed", recipient.message_id)
            words = gettext("The message could not be written: %s") % type(error).__name__
            done.append(Outcome(recipient.message_id, FAILED, words, reached=False))


def _persist(work: Callable[[], T]) -> T:
    """Run database work, again when the database went away or broke off a deadlock; every statement here may be
    repeated.
    """
    until = time.monotonic() + DATABASE_RETRY_SECONDS
    while True:
        try:
            return work()
        except (OperationalError, InterfaceError):
            if time.monotonic() >= until or connection.in_atomic_block:
                raise
            log.warning("the database is away; trying again")
            connection.close()
            time.sleep(0.5)
