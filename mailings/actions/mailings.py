"""Start, pause, resume, cancel and finish mailings."""

from __future__ import annotations

import datetime as dt

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils.translation import gettext as _

from common.blocks import blocks
from common.errors import Refused
from common.sql import execute
from customers.models import Customer, Purpose
from mailings import gate
from mailings.actions.history import By, noted
from mailings.actions.settings import ensure_sending_settings
from mailings.brake import overruns
from mailings.compiling import compile_content
from mailings.follow_ups import follow_ups
from mailings.models import Content, Decision, Link, Mailing, Message, SendingSettings
from mailings.opening import opening_hours, openings
from selections.compiler import members
from selections.models import Selection

# One gate at a time, so that two mailings that start together see each other's messages in the frequency cap.
GATE_LOCK = 0x67617465


@transaction.atomic
def start_mailing(
    *,
    name: str,
    origin: str,
    due_key: str,
    purpose: Purpose,
    channels: str,
    content: Content,
    candidates: QuerySet[Customer],
    priority: int = Mailing.Priority.NORMAL,
    hold_out: gate.HoldOut = gate.NO_HOLD_OUT,
    by: By = None,
    now: dt.datetime,
) -> Mailing:
    """Put a content before the gate for these candidates and queue a message for each yes; once per ``due_key``.

    1. the mailing with its frozen content, 2. a decision for every candidate, 3. a message for each that was accepted,
    with the audiences the reader belongs to, 4. what blocks need (vouchers) for those who will see them, 5. another
    look at those whose message gave way to one of a higher ``priority``. All of it or nothing; a large mailing then
    awaits the yes of a second person. A second call waits for the first and returns its mailing. Raises Refused when
    content or settings are not ready to go out.
    """
    content = Content.objects.get(pk=content.pk)
    fields = {
        "name": name[:160],
        "origin": origin,
        "purpose": purpose,
        "channels": channels,
        "priority": priority,
        "hold_out_percent": hold_out.percent,
        "hold_out_key": hold_out.key,
        "content": content,
        "created_by": by if isinstance(by, User) else None,
        "created_at": now,
    }
    with noted(by):
        # Waits for another transaction that inserts the same key now.
        mailing, is_new = Mailing.objects.get_or_create(due_key=due_key, defaults=fields)
    if not is_new:
        return mailing
    identity = ensure_sending_settings()
    check_ready(content, channels=channels, identity=identity)
    mailing.compiled = compile_content(content, purpose=purpose, identity=identity)
    mailing.save(update_fields=["compiled"])
    Link.objects.bulk_create(
        Link(mailing=mailing, position=position, url=url) for position, url in enumerate(mailing.compiled["links"])
    )
    execute("SELECT pg_advisory_xact_lock(%s)", [GATE_LOCK])
    gate.decide(mailing, candidates, now=now)
    _queue_messages(mailing, now)
    _prepare_blocks(mailing, now)
    _decide_about_waiting(priority_below=priority, now=now)
    if _needs_approval(mailing, identity):
        _set_state(mailing, Mailing.State.AWAITS, by=by)
    finish_mailings(now=now)
    mailing.refresh_from_db()
    return mailing


def _needs_approval(mailing: Mailing, identity: SendingSettings) -> bool:
    if not identity.approval_from or mailing.purpose.rule == Purpose.Rule.SERVICE:
        return False
    return Message.objects.filter(mailing=mailing).count() >= identity.approval_from


@transaction.atomic
def approve(mailing: Mailing, *, by: User, now: dt.datetime) -> None:
    """Let a mailing that awaits approval go out. Raises Refused for who started it, and when it awaits none."""
    mailing = _locked(mailing, Mailing.State.AWAITS)
    _check_second_person(mailing, by)
    mailing.approved_by, mailing.approved_at = by, now
    mailing.save(update_fields=["approved_by", "approved_at"])
    _set_state(mailing, Mailing.State.SENDING, by=by)
    for follow_up in follow_ups:
        follow_up.accepted(mailing, now)
    _decide_about_waiting(now=now)
    finish_mailings(now=now)


@transaction.atomic
def refuse(mailing: Mailing, *, reason: str, by: User, now: dt.datetime) -> int:
    """Cancel a mailing that awaits approval, with the reason; return how many messages that withdrew. Raises Refused
    for who started it (who may cancel it), and when it awaits none.
    """
    mailing = _locked(mailing, Mailing.State.AWAITS)
    _check_second_person(mailing, by)
    count = cancel(mailing, by=by, now=now)
    mailing.refresh_from_db()
    _set_state(mailing, mailing.State.CANCELLED, by=by, reason=reason, finished_at=mailing.finished_at)
    return count


def _check_second_person(mailing: Mailing, by: User) -> None:
    if mailing.created_by_id == by.pk:
        raise Refused("same_person", _("You started this mailing yourself; a colleague has to approve it."))


@transaction.atomic
def decide_about_waiting(*, now: dt.datetime) -> int:
    """Look again at everybody who waits for his turn in a mailing under way; return about how many that changed.

    The most important mailings come first. Those of a mailing on pause keep waiting.
    """
    execute("SELECT pg_advisory_xact_lock(%s)", [GATE_LOCK])
    changed = _decide_about_waiting(now=now)
    finish_mailings(now=now)
    return changed


def _decide_about_waiting(*, priority_below: int | None = None, now: dt.datetime) -> int:
    """The same for mailings below a priority: who gave way has another turn, or none."""
    waiting = Decision.objects.filter(mailing=OuterRef("pk"), outcome=Decision.Outcome.WAITS)
    found = Mailing.objects.filter(Exists(waiting), state=Mailing.State.SENDING).select_related("purpose", "content")
    if priority_below is not None:
        gave_way = waiting.filter(until__lte=now)
        found = found.filter(Exists(gave_way), priority__lt=priority_below)
    changed = 0
    for mailing in found.order_by("-priority", "id"):
        try:
            changed += _take_turns(mailing, now)
        except Refused as refused:  # a voucher that has run out, say: nobody waits in vain for what staff can mend
            _set_state(mailing, Mailing.State.PAUSED, by=None, reason=str(refused))
    return changed


@transaction.atomic
def _take_turns(mailing: Mailing, now: dt.datetime) -> int:
    changed = gate.decide_again(mailing, now=now)
    if changed:
        _queue_messages(mailing, now)
        _prepare_blocks(mailing, now)
        for follow_up in follow_ups:
            follow_up.accepted(mailing, now)
    return changed


def check_ready(content: Content, *, channels: str, identity: SendingSettings) -> None:
    """Refuse content without blocks or subject, and an organisation that does not say who and where it is."""
    if not content.blocks:
        raise Refused("empty_content", _("This message is still empty. Add at least one block."))
    if channels != Mailing.Channels.LETTER and not content.subject:
        raise Refused("no_subject", _("This message has no subject yet."), field="subject")
    if not identity.is_complete:
        message = _("Fill in the organisation, postal address and sender under Sending first: the law requires them.")
        raise Refused("no_identity", message)


def _queue_messages(mailing: Mailing, now: dt.datetime) -> None:
    """Write a message for everybody who was accepted at this moment, with his audiences, in one statement.

    It leaves within the sending hours of the reader's branch. A message that gave way is taken up again; nothing was
    ever tried with it.
    """
    is_service = mailing.purpose.rule == Purpose.Rule.SERVICE
    ready_at, of_branches = (now, {}) if is_service else openings(now=now)
    execute(
        f"""
        WITH accepted AS (
            SELECT customer_id, channel FROM mailings_decision
            WHERE mailing_id = %(mailing)s AND outcome = 'accepted' AND decided_at = %(now)s
        ),
        belonging AS ({_belonging_sql(mailing, now)}),
        audience AS (SELECT customer_id, jsonb_agg(key ORDER BY key) AS keys FROM belonging GROUP BY customer_id)
        INSERT INTO mailings_message (mailing_id, customer_id, channel, address, audiences, state, state_at,
            withdrawn_because, attempts, next_attempt_at, reply)
        SELECT %(mailing)s, accepted.customer_id, accepted.channel,
            CASE accepted.channel WHEN 'email' THEN email.value ELSE '' END,
            coalesce(audience.keys, '[]'::jsonb), 'queued', %(now)s, '', 0,
            CASE accepted.channel WHEN 'email' THEN coalesce(own.ready_at, %(ready_at)s) ELSE %(now)s END, ''
        FROM accepted
        LEFT JOIN audience ON audience.customer_id = accepted.customer_id
        LEFT JOIN customers_contactpoint AS email
            ON email.customer_id = accepted.customer_id AND email.channel = 'email' AND email.is_primary
        {_OF_BRANCH if of_branches else _OF_NO_BRANCH}
        ORDER BY accepted.customer_id
        ON CONFLICT (mailing_id, customer_id) DO UPDATE SET channel = excluded.channel, address = excluded.address,
            audiences = excluded.audiences, state = 'queued', state_at = excluded.state_at, withdrawn_because = '',
            next_attempt_at = excluded.next_attempt_at
        WHERE mailings_message.state = 'withdrawn' AND mailings_message.withdrawn_because = 'gave_way'
        """,  # noqa: S608 - the audiences are bound by as_subquery
        {
            "mailing": mailing.pk,
            "now": now,
            "ready_at": ready_at,
            "branches": list(of_branches),
            "moments": list(of_branches.values()),
        },
    )


_OF_BRANCH = """JOIN customers_customer AS reader ON reader.id = accepted.customer_id
        LEFT JOIN unnest(%(branches)s::bigint[], %(moments)s::timestamptz[]) AS own (branch_id, ready_at)
            ON own.branch_id = reader.branch_id"""
_OF_NO_BRANCH = "CROSS JOIN (SELECT NULL::timestamptz AS ready_at) AS own"


def postpone_closed(*, now: dt.datetime) -> int:
    """Put off what is ready for readers whose branch is closed today, until it opens; return how many messages."""
    ours, branches = opening_hours(now=now)
    closed = {branch: hours.next_opening(now) for branch, hours in branches.items() if not hours.is_open(now)}
    if not closed or not ours.is_open(now):  # outside the hours of all nothing leaves anyway
        return 0
    return execute(
        """
        UPDATE mailings_message AS message SET next_attempt_at = own.ready_at
        FROM mailings_mailing AS mailing, customers_purpose AS purpose, customers_customer AS reader,
            unnest(%(branches)s::bigint[], %(moments)s::timestamptz[]) AS own (branch_id, ready_at)
        WHERE message.mailing_id = mailing.id AND mailing.state = 'sending' AND message.channel = 'email'
        AND message.state IN ('queued', 'deferred') AND message.next_attempt_at <= %(now)s
        AND purpose.id = mailing.purpose_id AND purpose.rule <> 'service'
        AND reader.id = message.customer_id AND own.branch_id = reader.branch_id
        """,
        {"now": now, "branches": list(closed), "moments": list(closed.values())},
    )


def _belonging_sql(mailing: Mailing, now: dt.datetime) -> str:
    """Return SQL of (customer_id, key) for each audience that a block of the frozen content names."""
    segments = [*mailing.compiled["html"], *mailing.compiled["letter"]]
    keys = sorted({audience for audience, _pieces in segments if audience})
    parts = [
        f"SELECT accepted.customer_id, '{key}' AS key FROM accepted"  # noqa: S608 - keys were checked
        f" WHERE accepted.customer_id IN ({gate.ids_of(audience_members(key, now=now))})"
        for key in keys
    ]
    return " UNION ALL ".join(parts) or "SELECT customer_id, NULL::text AS key FROM accepted WHERE false"


def audience_members(key: str, *, now: dt.datetime) -> QuerySet[Customer]:
    """Return who belongs to the audience ``selection:3`` or ``label:5``; raises Refused when it is gone."""
    kind, _colon, number = key.partition(":")
    if kind == "label":
        held = Customer.objects.filter(label_assignments__label=int(number), label_assignments__until=None)
        return held.order_by()
    selection = Selection.objects.filter(pk=int(number)).first()
    if selection is None:
        raise Refused("audience", _("A block is meant for a selection that does not exist any more."))
    return members(selection, now=now)


def _prepare_blocks(mailing: Mailing, now: dt.datetime) -> None:
    """Let each block make what its readers need; block and audience come from the frozen content."""
    for one in mailing.content.blocks:
        readers = Message.objects.filter(mailing=mailing)
        if audience := one.get("audience"):
            readers = readers.filter(audiences__contains=[f"{audience['kind']}:{audience['id']}"])
        customers = Customer.objects.filter(pk__in=readers.values("customer"))
        blocks[one["type"]].prepare(
            one["data"], customers_sql=gate.ids_of(customers), origin=f"mailing:{mailing.pk}", now=now
        )


@transaction.atomic
def pause(mailing: Mailing, *, reason: str = "", by: By = None, now: dt.datetime) -> None:
    """Hold what was not sent yet; workers notice before their next message. Raises Refused unless it is being sent."""
    mailing = _locked(mailing, Mailing.State.SENDING)
    _set_state(mailing, Mailing.State.PAUSED, by=by, reason=reason or _("By hand"))


@transaction.atomic
def brake_mailings(*mailings: Mailing, now: dt.datetime) -> int:
    """Put each of these (without any: all) on pause of which too much came back; return how many that stopped."""
    running = Mailing.objects.filter(state=Mailing.State.SENDING)
    ids = [mailing.pk for mailing in mailings] or list(running.values_list("pk", flat=True))
    found = overruns(ids)
    stopped = 0
    for mailing in running.filter(pk__in=found).select_for_update(no_key=True):
        mailing.brake = Mailing.Brake.HELD
        mailing.save(update_fields=["brake"])
        _set_state(mailing, Mailing.State.PAUSED, by=None, reason=found[mailing.pk].words)
        stopped += 1
    return stopped


@transaction.atomic
def resume(mailing: Mailing, *, by: By = None, now: dt.datetime) -> None:
    """Go on with a mailing on pause; the brake does not stop it a second time. Raises Refused when it is not on
    pause.
    """
    mailing = _locked(mailing, Mailing.State.PAUSED)
    if mailing.brake == Mailing.Brake.HELD:
        mailing.brake = Mailing.Brake.RELEASED
        mailing.save(update_fields=["brake"])
    _set_state(mailing, Mailing.State.SENDING, by=by)
    finish_mailings(now=now)


@transaction.atomic
def cancel(mailing: Mailing, *, by: By = None, now: dt.datetime) -> int:
    """Send nothing more of it, for good, and return how many messages that withdrew. Raises Refused when it is over."""
    mailing = _locked(mailing, Mailing.State.SENDING, Mailing.State.PAUSED, Mailing.State.AWAITS)
    _set_state(mailing, Mailing.State.CANCELLED, by=by, finished_at=now)
    gate.stop_waiting(mailing, now=now)
    unsent = (Message.State.QUEUED, Message.State.CLAIMED, Message.State.DEFERRED)
    return Message.objects.filter(mailing=mailing, state__in=unsent).update(
        state=Message.State.WITHDRAWN, withdrawn_because=Message.Withdrawn.CANCELLED, state_at=now, claim=None
    )


def finish_mailings(*, now: dt.datetime) -> int:
    """Close every mailing of which nothing and nobody is waiting or under way any more; return how many."""
    still_open = Message.objects.filter(mailing=OuterRef("pk"), state__in=Message.OPEN)
    waiting = Decision.objects.filter(mailing=OuterRef("pk"), outcome=Decision.Outcome.WAITS)
    done = Mailing.objects.filter(~Exists(still_open), ~Exists(waiting), state=Mailing.State.SENDING)
    return done.update(state=Mailing.State.FINISHED, finished_at=now)


def _locked(mailing: Mailing, *states: Mailing.State) -> Mailing:
    mailing = Mailing.objects.select_for_update(no_key=True).get(pk=mailing.pk)
    if mailing.state not in states:
        raise Refused("wrong_state", _("That cannot be done any more: this mailing is now “%s”.") % (
            mailing.get_state_display()))  # fmt: skip
    return mailing


def _set_state(
    mailing: Mailing, state: Mailing.State, *, by: By, reason: str = "", finished_at: dt.datetime | None = None
) -> None:
    mailing.state, mailing.pause_reason, mailing.finished_at = state, reason[:200], finished_at
    with noted(by):
        mailing.save(update_fields=["state", "pause_reason", "finished_at"])
