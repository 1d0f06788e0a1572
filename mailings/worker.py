"""One run of a worker: claim, write, mark, hand to the connections, record; until nothing is ready or time is up.

Each message is sent at most once by itself: it is marked ``sending`` and that is committed before its first byte of
DATA goes out. A worker keeps N connections and never has more than N messages marked, so a crash leaves at most N in
doubt.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from dataclasses import dataclass, field, replace
from uuid import UUID, uuid4

from django.utils.translation import gettext

from common.time import clock
from customers.models import Purpose
from mailings import pacing, queue, stragglers
from mailings.actions.queueing import postpone_closed
from mailings.actions.states import brake_mailings, finish_mailings
from mailings.delivery import FAILED, Crew, Envelope, Lane, Route, routes
from mailings.experiments.arms import in_arm, load_arms
from mailings.links import bounce_address
from mailings.models import Mailing, SendingSettings
from mailings.opening import closed_now, opening_hours
from mailings.persisting import persist
from mailings.queue import Outcome
from mailings.recipients import load_recipients
from mailings.rendering import PreparedMail, Recipient, Sender, in_style_of, sender_of

log = logging.getLogger(__name__)

CONNECTIONS = 16
CHUNK = 400
HEARTBEAT_SECONDS = 15
PATIENCE_SECONDS = 10  # for the last answers of a chunk, before others go first
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


class _Run:
    """One run: its connections, until when it goes on, and what it did so far."""

    def __init__(self, seconds: float, connections: int, patience: float) -> None:
        self.until, self.connections, self.patience = time.monotonic() + seconds, connections, patience
        self.summary = Summary()
        self.crew = self._call()

    def _call(self) -> Crew:
        """Return connections for this run: those that still wait for an earlier answer are not there for it."""
        waiting = stragglers.busy_by_relay()
        known = [
            replace(one, size=one.size - waiting[one.relay_id]) for one in persist(lambda: routes(self.connections))
        ]
        crew = Crew([route for route in known if route.size > 0])
        self.summary.is_unreachable = crew.size == 0
        return crew

    def leave_behind(self, chunk: _Chunk) -> None:
        """Go on with other connections than those that keep silent."""
        stragglers.leave(self.crew, chunk.mailing, chunk.token)
        self.crew = self._call()

    @property
    def is_over(self) -> bool:
        """Whether nothing more should be begun."""
        return self.summary.is_unreachable or time.monotonic() >= self.until


def send_ready(
    *, seconds: float, connections: int = CONNECTIONS, chunk: int = CHUNK, patience: float = PATIENCE_SECONDS
) -> Summary:
    """Send what is ready, for about that long; safe to run in several processes at once.

    After ``patience`` seconds in which no server said anything a thread waits for the last answers instead. Stops
    early when no server can be reached: then the rest is put back, to be tried at the next ring.
    """
    run = _Run(seconds, connections, patience)
    try:
        _send_all(run, chunk)
    finally:
        run.crew.dismiss()
    persist(lambda: finish_mailings(now=clock()))
    return run.summary


def _send_all(run: _Run, size: int) -> None:
    sent_nothing: list[int] = []  # mailings that gave no message though they seemed to have some: others are at them
    while not run.summary.is_unreachable:
        mailing = persist(lambda: queue.next_mailing(has_hours=_within_hours(), skip=sent_nothing))
        if mailing is None:
            return
        if run.is_over:
            run.summary.has_more = True
            return
        if not _send_chunk(mailing, run, size):
            sent_nothing.append(mailing.pk)


def _within_hours() -> bool:
    ours, _branches = opening_hours(now=clock())
    return ours.is_open(clock())


def _send_chunk(mailing: Mailing, run: _Run, size: int) -> int:
    """Claim a chunk of one mailing and send it, what can be until then; return how many were claimed."""
    token = uuid4()
    claimed = persist(lambda: queue.claim(mailing, token=token, limit=size))
    try:
        if claimed and (chunk := _prepare(mailing, token, claimed)):
            _wait_for_opening(chunk)
            _hold_back(chunk)
            _work_off(chunk, run)
    finally:
        persist(lambda: queue.release(token))
    persist(lambda: brake_mailings(mailing, now=clock()))
    return len(claimed)


def _prepare(mailing: Mailing, token: UUID, claimed: list[tuple[int, int]]) -> _Chunk | None:
    """Return what sending needs; content that cannot be written for anybody puts its mailing on pause."""
    try:
        return persist(lambda: _Chunk(mailing, token, claimed))
    except (LookupError, TypeError, ValueError) as error:
        log.exception("mailing %s cannot be prepared", mailing.pk)
        reason = gettext("The content cannot be written: %s") % type(error).__name__
        running = Mailing.objects.filter(pk=mailing.pk, state=Mailing.State.SENDING)
        persist(lambda: running.update(state=Mailing.State.PAUSED, pause_reason=reason))
        return None


class _Chunk:
    """What is needed to send some claimed messages of one mailing: its prepared mail, readers, senders."""

    def __init__(self, mailing: Mailing, token: UUID, claimed: list[tuple[int, int]]) -> None:
        self.mailing, self.token = mailing, token
        self.was_refused = False  # the last attempt to mark something marked nothing
        self.is_throttled = False  # a connection is free whose relay has had what it gets at this moment
        self.identity = SendingSettings.load()
        self.styled = frozenset(mailing.compiled.get("styles", {}))  # ids of branches with a style, as text
        self.mails: dict[tuple[int | None, int | None], tuple[PreparedMail, Sender]] = {}
        self.recipients = load_recipients(
            claimed,
            compiled=mailing.compiled,
            identity=self.identity,
            origin=f"mailing:{mailing.pk}",
            medium="email",
            now=clock(),
        )
        self.arms = load_arms({one.arm_id for one in self.recipients if one.arm_id})
        self._mail_of(None, None)

    def _mail_of(self, branch_id: int | None, arm_id: int | None) -> tuple[PreparedMail, Sender]:
        """Return the mail in the style of a branch, in a version, and its sender; prepared when first asked for."""
        key = branch_id, arm_id
        if key not in self.mails:
            version = in_arm(self.mailing.compiled, self.arms[arm_id] if arm_id else None)
            compiled, purpose = in_style_of(version, branch_id), self.mailing.purpose
            mail = PreparedMail(
                compiled,
                mailing_id=self.mailing.pk,
                identity=self.identity,
                list_name=purpose.name,
                list_code=purpose.code,
                is_service=purpose.rule == Purpose.Rule.SERVICE,
            )
            self.mails[key] = mail, sender_of(compiled, self.identity)
        return self.mails[key]

    def envelope(self, recipient: Recipient) -> Envelope:
        """Return the message for one reader, ready to go, as his branch sends it."""
        branch_id = recipient.branch_id if str(recipient.branch_id) in self.styled else None
        mail, sender = self._mail_of(branch_id, recipient.arm_id)
        content = mail.render(recipient, sender=sender, now=clock())
        return_path = bounce_address(recipient.message_id) or self.identity.sender_email
        return Envelope(recipient.message_id, return_path, recipient.address, content)


def _wait_for_opening(chunk: _Chunk) -> None:
    """Put off readers whose branch closed after the mailing started, and with the first of them all others of it."""
    now = clock()
    closed = {} if chunk.mailing.purpose.rule == Purpose.Rule.SERVICE else persist(lambda: closed_now(now=now))
    waits = {
        one.message_id: (closed[one.branch_id] - now).total_seconds()
        for one in chunk.recipients
        if one.branch_id in closed
    }
    if waits:
        persist(lambda: queue.put_off(waits, token=chunk.token))
        persist(lambda: postpone_closed(chunk.mailing, now=now))
        chunk.recipients = [one for one in chunk.recipients if one.message_id not in waits]


def _hold_back(chunk: _Chunk) -> None:
    """Put back who has to wait because his mail domain gets no more at once; others get their turn meanwhile.

    Whoever else is ready at such a domain is put behind them: else each would be claimed and put back again and again.
    """
    split = persist(lambda: pacing.split_by_domain(chunk.recipients))
    chunk.recipients = split.now
    if split.later:
        persist(lambda: queue.put_off(split.later, token=chunk.token))
        persist(lambda: queue.line_up(chunk.mailing, split.dry, longest=pacing.LONGEST_WAIT_SECONDS))


def _work_off(chunk: _Chunk, run: _Run) -> None:
    """Keep every connection busy until the chunk is done, or the time is up: then the rest is left to the next run.

    Each round 1. records what came back and marks as many messages as there are free connections, in one commit;
    2. hands those out; 3. writes the next messages while the connections work; 4. waits for outcomes. When all that
    have a message keep silent, they are left behind.
    """
    crew, summary = run.crew, run.summary
    waiting, ready = deque(chunk.recipients), deque[Envelope]()
    done: list[Outcome] = []
    busy, beat, heard = 0, time.monotonic(), time.monotonic()
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
            patience = THROTTLED_SECONDS if chunk.is_throttled else run.patience
            outcomes = crew.collect(wanted=max(1, busy // 2), timeout=patience)
            busy -= len(outcomes)
            done += outcomes
        elif ready and not marked and not chunk.was_refused:
            time.sleep(THROTTLED_SECONDS)  # every relay has had what it gets at this moment
        if marked or done:
            heard = time.monotonic()
        summary.is_unreachable = crew.size == 0
        if run.is_over or _is_refused(done) or _was_stopped(chunk):
            if busy and (waiting or ready):  # others may have these while the last answers are awaited
                persist(lambda: queue.release(chunk.token))
            waiting.clear()
            ready.clear()
        beat = _keep_lease(chunk, beat)
        if busy and time.monotonic() - heard >= run.patience:
            run.leave_behind(chunk)
            return


def _mark_next(
    chunk: _Chunk, ready: deque[Envelope], crew: Crew, done: list[Outcome], summary: Summary
) -> list[tuple[Envelope, Lane]]:
    """Record what is done, mark what comes next, in one commit; return what may go out, and over which lane."""
    chosen = crew.choose(len(ready))
    allowed = _allowed(chosen)
    batch = [(ready.popleft(), lane) for lane in allowed]
    chunk.was_refused, chunk.is_throttled = False, len(allowed) < len(chosen)
    if not batch and not done:
        return []
    ids = [envelope.message_id for envelope, _lane in batch]
    relays = [lane.route.name for _envelope, lane in batch]
    marked = persist(
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
    return persist(lambda: pacing.take_from_relay(pk, per_second=speed, wanted=wanted))


def _keep_lease(chunk: _Chunk, since: float) -> float:
    """Renew the lease now and then; return when that was done last."""
    if time.monotonic() - since < HEARTBEAT_SECONDS:
        return since
    persist(lambda: queue.extend(chunk.token))
    return time.monotonic()


def _is_refused(outcomes: list[Outcome]) -> bool:
    """Say whether a server will not have us, whoever the message is for."""
    return any(outcome.pause for outcome in outcomes)


def _was_stopped(chunk: _Chunk) -> bool:
    """Say whether the mailing is not being sent any more; asked only when nothing could be marked."""
    return chunk.was_refused and not persist(
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
