"""Messages for those whom the gate let through, and what their blocks need."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from common.blocks import blocks
from common.errors import Refused
from common.sql import execute
from customers.models import Customer, Purpose
from mailings import gate
from mailings.content import parts_of
from mailings.experiments.arms import every_version
from mailings.experiments.splitting import HELD, divide, experiment_of
from mailings.models import Arm, Mailing, Message
from mailings.opening import closed_now, openings
from selections.compiler import members
from selections.models import Selection


def queue_messages(mailing: Mailing, now: dt.datetime) -> None:
    """Write a message for everybody who was accepted at this moment, with his audiences, in one statement.

    It leaves within the sending hours of the reader's branch; in a test with a version, or waits for its outcome. A
    message that gave way is taken up again; nothing was ever tried with it.
    """
    is_service = mailing.purpose.rule == Purpose.Rule.SERVICE
    ready_at, of_branches = (now, {}) if is_service else openings(now=now)
    _lay_down_accepted(mailing, now)
    execute(
        f"""
        WITH accepted AS NOT MATERIALIZED (TABLE queue_accepted),
        belonging AS ({_belonging_sql(mailing, now)}),
        audience AS (SELECT customer_id, jsonb_agg(key ORDER BY key) AS keys FROM belonging GROUP BY customer_id)
        INSERT INTO mailings_message (mailing_id, customer_id, channel, address, audiences, state, state_at,
            withdrawn_because, attempts, next_attempt_at, reply)
        SELECT %(mailing)s, accepted.customer_id, accepted.channel,
            CASE accepted.channel WHEN 'post' THEN '' ELSE point.value END,
            coalesce(audience.keys, '[]'::jsonb), 'queued', %(now)s, '', 0,
            CASE accepted.channel WHEN 'post' THEN %(now)s ELSE coalesce(own.ready_at, %(ready_at)s) END, ''
        FROM accepted
        LEFT JOIN audience ON audience.customer_id = accepted.customer_id
        LEFT JOIN customers_contactpoint AS point
            ON point.customer_id = accepted.customer_id AND point.channel = %(point)s AND point.is_primary
        {_OF_BRANCH if of_branches else _OF_NO_BRANCH}
        ORDER BY accepted.customer_id
        {_TAKEN_UP_AGAIN if mailing.messages.exists() else ""}
        """,  # noqa: S608 - the audiences are bound by as_subquery
        {
            "mailing": mailing.pk,
            "now": now,
            "point": "phone" if mailing.channels in (Mailing.Channels.SMS, Mailing.Channels.CALLS) else "email",
            "ready_at": ready_at,
            "branches": list(of_branches),
            "moments": list(of_branches.values()),
        },
    )
    divide(mailing, now=now)


def _lay_down_accepted(mailing: Mailing, now: dt.datetime) -> None:
    """Put who was accepted at this moment in a table that the planner has counted: of decisions that were written a
    moment ago it expects one, and looks everybody up apart.
    """
    execute("DROP TABLE IF EXISTS pg_temp.queue_accepted")
    execute(
        """CREATE TEMPORARY TABLE queue_accepted ON COMMIT DROP AS SELECT customer_id, channel FROM mailings_decision
        WHERE mailing_id = %(mailing)s AND outcome = 'accepted' AND decided_at = %(now)s""",
        {"mailing": mailing.pk, "now": now},
    )
    execute("ANALYZE queue_accepted")


_TAKEN_UP_AGAIN = """ON CONFLICT (mailing_id, customer_id) DO UPDATE SET channel = excluded.channel,
            address = excluded.address, audiences = excluded.audiences, state = 'queued', state_at = excluded.state_at,
            withdrawn_because = '', next_attempt_at = excluded.next_attempt_at
        WHERE mailings_message.state = 'withdrawn' AND mailings_message.withdrawn_because = 'gave_way'"""
_OF_BRANCH = """JOIN customers_customer AS reader ON reader.id = accepted.customer_id
        LEFT JOIN unnest(%(branches)s::bigint[], %(moments)s::timestamptz[]) AS own (branch_id, ready_at)
            ON own.branch_id = reader.branch_id"""
_OF_NO_BRANCH = "CROSS JOIN (SELECT NULL::timestamptz AS ready_at) AS own"


def postpone_closed(mailing: Mailing | None = None, *, now: dt.datetime) -> int:
    """Put off what is ready, of one mailing or of all, for readers whose branch is closed today, until it opens; return
    how many messages.
    """
    closed = closed_now(now=now)
    if not closed:
        return 0
    return execute(
        """
        UPDATE mailings_message AS message SET next_attempt_at = own.ready_at
        FROM mailings_mailing AS mailing, customers_purpose AS purpose, customers_customer AS reader,
            unnest(%(branches)s::bigint[], %(moments)s::timestamptz[]) AS own (branch_id, ready_at)
        WHERE message.mailing_id = mailing.id AND mailing.state = 'sending' AND message.channel IN ('email', 'sms')
        AND message.state IN ('queued', 'deferred') AND message.next_attempt_at <= %(now)s
        AND (%(mailing)s::bigint IS NULL OR mailing.id = %(mailing)s)
        AND purpose.id = mailing.purpose_id AND purpose.rule <> 'service'
        AND reader.id = message.customer_id AND own.branch_id = reader.branch_id
        """,
        {
            "now": now,
            "mailing": mailing and mailing.pk,
            "branches": list(closed),
            "moments": list(closed.values()),
        },
    )


def _belonging_sql(mailing: Mailing, now: dt.datetime) -> str:
    """Return SQL of (customer_id, key) for each audience that a block of the frozen content names."""
    versions = every_version(experiment_of(mailing), mailing.compiled)
    segments = [segment for one in versions for segment in (*one["html"], *one["letter"])]
    keys = sorted({part for audience, _pieces in segments for part in parts_of(audience)})
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


def prepare_blocks(mailing: Mailing, now: dt.datetime) -> None:
    """Let each block make what its readers need; block, audience and version come from the frozen content. Who waits
    for the outcome of a test needs nothing yet.
    """
    for one in mailing.compiled["blocks"]:
        readers = Message.objects.filter(mailing=mailing, arm=one.get("arm")).exclude(next_attempt_at=HELD)
        _prepare(one, mailing, readers, now)


def rehearse_blocks(mailing: Mailing, now: dt.datetime) -> None:
    """Do the same and undo it: whoever starts a mailing that awaits approval hears at once what stands in its way, yet
    nobody owns a voucher that a second person may still refuse.
    """
    with transaction.atomic():
        prepare_blocks(mailing, now)
        transaction.set_rollback(True)


@transaction.atomic
def prepare_rest(mailing: Mailing, winner: Arm, now: dt.datetime) -> None:
    """Let each block of the version that the rest of a test gets make what they need: those who wait for the outcome,
    and whose letter is still to be printed. Raises Refused when that cannot be.
    """
    readers = Message.objects.filter(mailing=mailing, arm=None, state=Message.State.QUEUED)
    for one in winner.compiled["blocks"] if readers.exists() else []:  # nobody waits for a voucher that ran out
        _prepare(one, mailing, readers, now)


def _prepare(one: Mapping[str, Any], mailing: Mailing, readers: QuerySet[Message], now: dt.datetime) -> None:
    if audience := one.get("audience"):
        readers = readers.filter(audiences__contains=[audience])
    customers = Customer.objects.filter(pk__in=readers.values("customer"))
    blocks[one["type"]].prepare(
        one["data"], customers_sql=gate.ids_of(customers), origin=f"mailing:{mailing.pk}", now=now
    )
