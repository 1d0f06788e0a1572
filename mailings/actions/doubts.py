"""Settle what happened to messages of which nobody knows whether they arrived."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from common.errors import Refused
from common.sql import as_subquery, execute, rows
from mailings.actions.history import By, name_of
from mailings.actions.states import finish_mailings, set_state
from mailings.models import Mailing, Message, Settlement

Decision = Settlement.Decision
#: Mailings of which nothing more may leave; one that has finished goes on for what is sent again.
_OVER = (Mailing.State.CANCELLED, Mailing.State.AWAITS)


@transaction.atomic
def settle_doubts(messages: QuerySet[Message], *, decision: str, by: By = None, now: dt.datetime) -> int:
    """Settle those of these messages that are in doubt, and return how many; who decided what is kept.

    ``sent``: it arrived, as the log of the mail server says. ``again``: it goes back to the queue, and the gate looks
    again when it leaves; the reader may get it twice, which only people may choose. ``dropped``: it did not arrive, and
    that is that. Raises Refused when none of them is in doubt any more, or when nothing more may leave of its mailing.
    """
    if decision not in Decision.values:
        raise Refused("decision", _("Choose what happened to the message."))
    doubtful = messages.in_doubt().order_by()  # type: ignore[attr-defined]
    if decision == Decision.AGAIN:
        _take_up_again(doubtful, by=by)
    settled = rows(
        _SETTLE.format(doubtful=as_subquery(doubtful.values("pk"))),
        {
            "decision": decision,
            "user": by.pk if isinstance(by, User) else None,
            "now": now,
            "words": _words(decision, by),
        },
    )[0]["n"]
    if not settled:
        raise Refused("wrong_state", _("This message is not in doubt any more."))
    finish_mailings(now=now)
    return int(settled)


def end_doubts(message_ids: Iterable[int], *, now: dt.datetime) -> int:
    """Write down that these messages arrived, as their readers or servers showed, and return of how many that was
    news: of those in doubt, and of those that somebody chose to send again and that have not left a second time.
    """
    known = {"ids": sorted(message_ids), "words": _("It had arrived after all, so it was not sent again"), "now": now}
    return execute(_ARRIVED, known) if known["ids"] else 0


# What a worker is sending at this moment is left alone: its outcome is the last word.
_ARRIVED = """
WITH arrived AS (
    SELECT message.id, message.state <> 'in_doubt' AS is_again FROM mailings_message AS message
    WHERE message.id = ANY(%(ids)s::bigint[]) AND (message.state = 'in_doubt'
        OR (message.state IN ('queued', 'claimed', 'deferred') AND EXISTS (SELECT FROM mailings_settlement AS settled
            WHERE settled.message_id = message.id AND settled.decision = 'again')))
    ORDER BY message.id FOR NO KEY UPDATE
)
UPDATE mailings_message AS message SET state = 'sent', claim = NULL, lease_until = NULL,
    sent_at = coalesce(message.sent_at, (SELECT max(settled.settled_at) FROM mailings_settlement AS settled
        WHERE settled.message_id = message.id AND arrived.is_again), message.state_at), state_at = %(now)s,
    reply = CASE WHEN arrived.is_again THEN left(%(words)s || '. ' || message.reply, 300) ELSE message.reply END
FROM arrived WHERE message.id = arrived.id
"""


def _take_up_again(doubtful: QuerySet[Message], *, by: By) -> None:
    """Let mailings that were finished go on; holds them all, in order."""
    ids = doubtful.values("mailing")
    for mailing in Mailing.objects.filter(pk__in=ids).order_by("pk").select_for_update(no_key=True):
        if mailing.state in _OVER:
            told: dict[str, Any] = {"name": mailing, "state": mailing.get_state_display()}
            raise Refused("wrong_state", _("Nothing more leaves of “%(name)s”: it is now “%(state)s”.") % told)
        if mailing.state == Mailing.State.FINISHED:
            set_state(mailing, Mailing.State.SENDING, by=by)


def _words(decision: str, by: By) -> str:
    return _("Settled by %(user)s: %(state)s") % {"user": name_of(by), "state": Decision(decision).label.lower()}


# A message that a click or a bounce settled in the meantime is left alone: its row is locked before it is judged.
_SETTLE = """
WITH doubt AS MATERIALIZED (
    SELECT message.id, message.reply FROM mailings_message AS message
    WHERE message.state = 'in_doubt' AND message.id IN ({doubtful}) ORDER BY message.id FOR UPDATE
),
noted AS (
    INSERT INTO mailings_settlement (message_id, decision, reply, settled_by_id, settled_at)
    SELECT id, %(decision)s, reply, %(user)s, %(now)s FROM doubt
),
done AS (
    UPDATE mailings_message AS message SET
        state = CASE %(decision)s WHEN 'sent' THEN 'sent' WHEN 'again' THEN 'queued' ELSE 'failed' END,
        sent_at = CASE %(decision)s WHEN 'sent' THEN message.state_at END,
        first_attempt_at = CASE %(decision)s WHEN 'again' THEN NULL ELSE message.first_attempt_at END,
        next_attempt_at = CASE %(decision)s WHEN 'again' THEN %(now)s ELSE message.next_attempt_at END,
        state_at = %(now)s, claim = NULL, lease_until = NULL,
        reply = left(%(words)s || '. ' || message.reply, 300)
    FROM doubt WHERE doubt.id = message.id RETURNING message.id
)
SELECT count(*) AS n FROM done
"""
