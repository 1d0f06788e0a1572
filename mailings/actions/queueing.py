"""Messages for those whom the gate let through, and what their blocks need."""

from __future__ import annotations

import datetime as dt

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from common.blocks import blocks
from common.errors import Refused
from common.sql import execute
from customers.models import Customer, Purpose
from mailings import gate
from mailings.models import Mailing, Message
from mailings.opening import opening_hours, openings
from selections.compiler import members
from selections.models import Selection


def queue_messages(mailing: Mailing, now: dt.datetime) -> None:
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


def prepare_blocks(mailing: Mailing, now: dt.datetime) -> None:
    """Let each block make what its readers need; block and audience come from the frozen content."""
    for one in mailing.compiled["blocks"]:
        readers = Message.objects.filter(mailing=mailing)
        if audience := one.get("audience"):
            readers = readers.filter(audiences__contains=[audience])
        customers = Customer.objects.filter(pk__in=readers.values("customer"))
        blocks[one["type"]].prepare(
            one["data"], customers_sql=gate.ids_of(customers), origin=f"mailing:{mailing.pk}", now=now
        )
