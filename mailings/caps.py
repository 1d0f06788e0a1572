"""The limits on messages as parts of the gate's statement: who has had enough, whose place may be taken, until when.

A message counts for a limit when it is of its purpose and channel and was sent in its period, or has yet to be sent.
One of a mailing of lower priority that nothing has been tried with yet may give way: it does not hold back who would
otherwise have had enough. One that is reserved, since nobody knows when it goes or whether it does (it waits for the
outcome of a test, or for people to go on with its mailing), keeps its place; but who has had enough only because of
such messages waits as long as he may, and has his turn when they are taken back.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Q

from customers.models import Purpose
from mailings.models import CapRule, Mailing, Message

_MESSAGES = """
        FROM mailings_message AS message
        JOIN mailings_mailing AS mailing ON mailing.id = message.mailing_id
        JOIN customers_purpose AS purpose ON purpose.id = mailing.purpose_id
        JOIN {people} AS person ON person.customer_id = message.customer_id
        WHERE purpose.rule <> 'service'
            -- what was finished before the period holds nothing that was sent in it
            AND (mailing.finished_at IS NULL OR mailing.finished_at >= %(cap_since)s)
            AND message.state NOT IN ('failed', 'withdrawn')
            AND NOT (mailing.state = 'cancelled' AND message.state IN ('queued', 'claimed', 'deferred'))
            AND (message.sent_at IS NULL OR message.sent_at >= %(cap_since)s)"""
#: Nothing of it went out, and a mailing of lower priority has time.
_GIVES_WAY = """(message.state = 'queued' AND message.attempts = 0 AND mailing.priority < %(priority)s
                AND mailing.finished_at IS NULL)"""
#: It is to go some day, unless people or the figures decide otherwise. HELD of ``experiments.splitting`` is so far off.
_RESERVED = """(message.state IN ('queued', 'deferred')
                AND (message.next_attempt_at >= '9999-01-01T00:00:00Z' OR mailing.state IN ('paused', 'awaits')))"""
#: When a message was sent, or goes out at the earliest.
_AT = "coalesce(message.sent_at, greatest(message.next_attempt_at, %(now)s))"


@dataclass(frozen=True)
class Caps:
    """The limits that hold for one mailing, as SQL over ``candidate``, ``reachable``, ``recent`` and ``judged``."""

    rules: Sequence[CapRule]
    takes_places: bool = False  # whether a mailing of lower priority is under way at all

    def values(self, *, now: dt.datetime, priority: int, deadline: dt.datetime) -> dict[str, Any]:
        """Return the values of the parts; ``deadline``: who has no turn by then need not wait."""
        since = {f"cap_since_{number}": now - dt.timedelta(days=rule.days) for number, rule in enumerate(self.rules)}
        return {**since, "cap_since": min(since.values(), default=now), "priority": priority, "deadline": deadline}

    def recent(self) -> str:
        """Return the query of how many messages each candidate has had per limit; ``firm``: that give no way."""
        counts = [
            f"count(*) FILTER (WHERE {self._counts(number)}) AS all_{number}, "
            f"count(*) FILTER (WHERE {self._counts(number)} AND {self._stays}) AS firm_{number}"
            for number in range(len(self.rules))
        ]
        people = _MESSAGES.format(people="candidate")
        if not counts:
            return "SELECT NULL::bigint AS customer_id WHERE false"
        return f"SELECT message.customer_id, {', '.join(counts)}{people} GROUP BY message.customer_id"

    @property
    def has_enough(self) -> str:
        """Return the condition that nothing may be added, whoever gives way."""
        return self._any("recent.firm_{number} >= {rule.messages}")

    @property
    def is_full(self) -> str:
        """Return the condition that nothing may be added unless somebody gives way."""
        return self._any("recent.all_{number} >= {rule.messages}")

    def full_rule(self) -> str:
        """Return branches of a CASE that tell which limit somebody reached: "3/7/own/email" is 3 messages in 7 days of
        this purpose by e-mail; empty parts are of all.
        """
        return " ".join(
            f"WHEN {self._applies(rule)} AND recent.firm_{number} >= {rule.messages} THEN "
            f"'{rule.messages:d}/{rule.days:d}/{'own' if rule.purpose_id else ''}/{rule.channel}'"
            for number, rule in enumerate(self.rules)
        )

    def needed(self) -> str:
        """Return columns with how many messages must give way per limit."""
        return "".join(
            f", CASE WHEN {self._applies(rule)} THEN recent.all_{number} - {rule.messages - 1} ELSE 0 END"
            f" AS needed_{number}"
            for number, rule in enumerate(self.rules)
        )

    def freed(self) -> str:
        """Return the query of when each of ``judged`` who has had enough will have room again.

        That is when the oldest message of as many as a limit allows falls out of its period. Of reserved ones nobody
        can tell, so who would not be over the limit without them may wait until the deadline, and after it no longer.
        """
        if not self.rules:
            return "SELECT NULL::bigint AS customer_id, NULL::timestamptz AS free_at WHERE false"
        moments = [
            self._freed_at(rule, f"{self._counts(number)} AND {self._stays}") for number, rule in enumerate(self.rules)
        ]
        people = "(SELECT customer_id, channel FROM judged WHERE outcome = 'frequency_cap')"
        return (
            f"SELECT message.customer_id, greatest({', '.join(moments)}) AS free_at"
            f"{_MESSAGES.format(people=people)} GROUP BY message.customer_id, person.channel"
        )

    def _freed_at(self, rule: CapRule, counted: str) -> str:
        is_full = f"{self._is_over(rule, 'person.channel')} AND count(*) FILTER (WHERE {counted}) >= {rule.messages}"
        certain = f"array_agg({_AT} ORDER BY {_AT} DESC) FILTER (WHERE {counted} AND NOT {_RESERVED})"
        at_last = "CASE WHEN %(now)s < %(deadline)s THEN %(deadline)s::timestamptz ELSE 'infinity' END"
        return (
            f"CASE WHEN {is_full} THEN"
            f" coalesce(({certain})[{rule.messages}] + interval '{rule.days} days', {at_last}) END"
        )

    def giving_way(self) -> str:
        """Return the query of the messages that give way to ``gate_decided``: the least important and latest first."""
        ranks = ", ".join(
            f"{self._counts(number)} AS counts_{number}, person.needed_{number}, row_number() OVER (PARTITION BY"
            f" message.customer_id, {self._counts(number)} ORDER BY mailing.priority, message.id DESC) AS rank_{number}"
            for number in range(len(self.rules))
        )
        people = "(SELECT * FROM gate_decided WHERE outcome = 'accepted' AND takes_place)"
        chosen = " OR ".join(
            f"(counts_{number} AND rank_{number} <= needed_{number})" for number in range(len(self.rules))
        )
        return f"""SELECT id, customer_id FROM (
            SELECT message.id, message.customer_id, {ranks}{_MESSAGES.format(people=people)} AND {_GIVES_WAY}
        ) AS ranked WHERE {chosen}"""  # noqa: S608 - numbers and conditions of ours

    @property
    def _stays(self) -> str:
        return f"NOT {_GIVES_WAY}" if self.takes_places else "true"

    def _any(self, condition: str) -> str:
        parts = [
            f"({self._applies(rule)} AND {condition.format(number=number, rule=rule)})"
            for number, rule in enumerate(self.rules)
        ]
        return f"({' OR '.join(parts)})" if parts else "false"

    def _applies(self, rule: CapRule) -> str:
        return self._is_over(rule, "reachable.channel")

    @staticmethod
    def _is_over(rule: CapRule, channel: str) -> str:
        return f"{channel} = '{Message.Channel(rule.channel).value}'" if rule.channel else "true"

    def _counts(self, number: int) -> str:
        rule = self.rules[number]
        parts = [f"(message.sent_at IS NULL OR message.sent_at >= %(cap_since_{number})s)"]
        if rule.purpose_id:
            parts.append(f"mailing.purpose_id = {rule.purpose_id:d}")
        if rule.channel:
            parts.append(self._is_over(rule, "message.channel"))
        return f"({' AND '.join(parts)})"


NONE = Caps(())


def caps_for(purpose: Purpose, *, channels: Iterable[str], priority: int) -> Caps:
    """Return the limits that may hold a mailing of this purpose back; service messages know none."""
    if purpose.rule == Purpose.Rule.SERVICE:
        return NONE
    about = Q(purpose=None) | Q(purpose=purpose)
    rules = list(CapRule.objects.filter(about, channel__in=["", *channels]))
    lower = Mailing.objects.filter(priority__lt=priority, finished_at=None).exclude(purpose__rule=Purpose.Rule.SERVICE)
    return Caps(rules, takes_places=bool(rules) and lower.exists())
