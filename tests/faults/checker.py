"""Compares the book of the mail server with the rows of the database. Plain SQL and plain Python: it shares nothing
with the product but the names of two tables, so a fault of the product cannot hide here too.
"""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Ask = Callable[..., list[dict[str, Any]]]
#: Faults after which nobody can know: all of a short mail is on its way before its sender sees that nobody reads it.
DOUBTFUL = {"hang up in body", "lost after dot", "taken after dot"}
TERMINAL = {"sent", "failed", "in_doubt", "withdrawn", "erased", "gone"}


@dataclass
class Verdict:
    """What was found: addresses by kind of fault; none at all is what we want."""

    twice: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)  # nobody knows of them, or they were said to be sent and were not
    unknown: list[str] = field(default_factory=list)  # taken by the server, and the database says something else
    mixed: list[str] = field(default_factory=list)  # who got a mail that another got too
    stuck: list[str] = field(default_factory=list)
    wronged: list[str] = field(default_factory=list)  # said to have failed though no server refused it
    against_will: list[str] = field(default_factory=list)  # marked after their no was committed
    doubts: int = 0  # that no fault of the server explains
    doubts_allowed: int = 0
    states: Mapping[str, int] = field(default_factory=dict)
    accepted: int = 0

    @property
    def faults(self) -> dict[str, int]:
        """Return how many of each kind; empty when all is well."""
        found = {name: len(value) for name, value in vars(self).items() if isinstance(value, list) and value}
        if self.doubts > self.doubts_allowed:
            found["doubts"] = self.doubts
        return found


def judge(
    ask: Ask,
    ledger: Path,
    *,
    messages: Mapping[int, str],
    doubts_allowed: int = 0,
    said_no: Mapping[int, dt.datetime] | None = None,
) -> Verdict:
    """Judge a mailing that should be over.

    ``messages``: the address of every message as it was at the start, by id; ``said_no``: whose readers took permission
    away in the meantime, with the moment by the clock of the database at which that was known to be committed.
    """
    said_no = said_no or {}
    taken, events, mixed = read_book(ledger, set(messages.values()))
    found = {
        row["id"]: row["state"]
        for row in ask("SELECT id, state FROM mailings_message WHERE id = ANY(%s)", list(messages))
    }
    states = {
        address: found.get(number, "erased" if number in said_no else "gone") for number, address in messages.items()
    }
    unwilling = {messages[number] for number in said_no}
    excused = {who for who, kinds in events.items() if kinds & DOUBTFUL}
    refused = {who for who, kinds in events.items() if kinds & {"refused at rcpt", "refused after dot"}}
    verdict = Verdict(states=Counter(states.values()), doubts_allowed=doubts_allowed, accepted=taken.total())
    verdict.mixed = mixed
    for who, state in states.items():
        is_said_to_be_sent_only = state == "sent" and not taken[who]
        if state == "gone" or is_said_to_be_sent_only or (state == "withdrawn" and who not in unwilling):
            verdict.lost.append(who)
        if taken[who] > 1:
            verdict.twice.append(who)
        if taken[who] and state not in ("sent", "in_doubt", "erased"):
            verdict.unknown.append(f"{who} {state}")
        if state not in TERMINAL:
            verdict.stuck.append(who)
        if state == "failed" and who not in refused:
            verdict.wronged.append(who)
        verdict.doubts += state == "in_doubt" and who not in excused
    verdict.against_will = [messages[number] for number in after_no(ask, said_no)]
    return verdict


def read_book(ledger: Path, wanted: set[str]) -> tuple[Counter[str], dict[str, set[str]], list[str]]:
    """Return how often each address accepted a mail, the faults that befell it, and who got another's mail."""
    taken: Counter[str] = Counter()
    events: dict[str, set[str]] = defaultdict(set)
    readers: dict[str, set[str]] = defaultdict(set)
    for line in ledger.read_text().splitlines():
        entry = json.loads(line)
        if entry["to"] not in wanted:
            continue
        if entry["what"] == "accept":
            taken[entry["to"]] += 1
            readers[entry["identity"]].add(entry["to"])
        else:
            events[entry["to"]].add(entry["kind"])
    return taken, events, sorted({who for several in readers.values() if len(several) > 1 for who in several})


def after_no(ask: Ask, said_no: Mapping[int, dt.datetime]) -> list[int]:
    """Return which messages were marked for sending by a statement that began after the no was committed."""
    marks = ask(
        "SELECT message_id, statement_at FROM rig.history WHERE becomes = 'sending' AND message_id = ANY(%s)",
        list(said_no),
    )
    return [row["message_id"] for row in marks if row["statement_at"] > said_no[row["message_id"]]]
