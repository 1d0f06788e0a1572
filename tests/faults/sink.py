"""A mail server that breaks as a script says, with a book of its own: what it accepted is on disk before the client
hears of it. PIPELINING is offered, so clients that speak in one breath are met as the world meets them.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

#: What may go wrong before it is known whom a mail is for ...
EARLY = ("hang up at greeting", "421 at greeting", "hang up at mail", "451 at mail")
#: ... and then. Before the dot nothing was taken; "lost" and "taken" hang up after it, and only the latter took the
#: mail. "refused" is for good; the numbers are answers in the place of 250 or 354.
KINDS = (
    "hang up at rcpt", "450 at rcpt", "421 at rcpt", "refused at rcpt", "hang up at data", "451 at data",
    "hang up in body", "lost after dot", "taken after dot", "452 after dot", "refused after dot", "answer in pieces",
    "many lines",
)  # fmt: skip
AT_RCPT = {
    "450 at rcpt": "450 4.7.1 come back later",
    "421 at rcpt": "421 4.3.2 going down",
    "refused at rcpt": "550 5.7.1 not here",
}
AFTER_DOT = {"452 after dot": "452 4.2.2 full", "refused after dot": "554 5.7.1 looks like spam"}


@dataclass
class Script:
    """What a fault befalls: ``rate`` of the attempts, drawn from ``kinds`` by ``seed``, address and attempt; and a
    quarter of that of what is said before.
    """

    seed: int = 0
    rate: float = 0.0
    kinds: tuple[str, ...] = KINDS

    def fault(self, recipient: str, attempt: int) -> str:
        chance = random.Random(f"{self.seed}:{recipient}:{attempt}")
        return chance.choice(self.kinds) if chance.random() < self.rate else ""

    def early(self, place: str, number: int) -> str:
        chance = random.Random(f"{self.seed}:{place}:{number}")
        kinds = [kind for kind in EARLY if kind.endswith(place) and self.kinds == KINDS]
        return chance.choice(kinds) if kinds and chance.random() < self.rate / 4 else ""


@dataclass
class Sink:
    """Serve on a loop of ``stage.Stage``. ``hold`` names a place ("data": before 354, "dot": taken, not answered)
    where everybody is kept waiting until it is "" again; ``seconds`` is how long the taking of a mail lasts.
    """

    ledger: Path
    script: Script = field(default_factory=Script)
    seconds: float = 0.0
    hold: str = ""
    port: int = 0
    accepted: int = 0
    in_body: int = 0  # connections that have been told to go ahead and not been answered yet
    held: set[str] = field(default_factory=set)
    _attempts: Counter[str] = field(default_factory=Counter)
    _book: IO[str] | None = None

    async def start(self) -> asyncio.Server:
        self._book = self.ledger.open("a")
        server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, limit=2**22)
        self.port = int(server.sockets[0].getsockname()[1])
        return server

    def note(self, what: str, recipient: str, **more: str) -> None:
        """Write a line in the book and see it on disk."""
        assert self._book
        self._book.write(json.dumps({"what": what, "to": recipient, **more}) + "\n")
        self._book.flush()
        os.fsync(self._book.fileno())

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await Session(self, reader, writer).run()
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            return
        finally:
            writer.close()

    async def wait_at(self, place: str, recipient: str) -> None:
        """Keep a client waiting here as long as the script says so."""
        while self.hold == place:
            self.held.add(recipient)
            await asyncio.sleep(0.002)
        self.held.discard(recipient)

    def attempt(self, recipient: str) -> str:
        """Count an attempt and return the fault that befalls it."""
        self._attempts[recipient] += 1
        return self.script.fault(recipient, self._attempts[recipient])

    def early(self, place: str) -> str:
        """Return the fault at the greeting, or at MAIL; one that hangs up does so here."""
        self._attempts[place] += 1
        fault = self.script.early(place, self._attempts[place])
        if fault.startswith("hang up"):
            raise HangUp
        return fault

    def take(self, recipient: str, content: bytes) -> None:
        identity = next(
            (line.partition(b":")[2].strip() for line in content.split(b"\r\n") if line[:11].lower() == b"message-id:"),
            b"",
        )
        self.note("accept", recipient, identity=identity.decode())
        self.accepted += 1


class HangUp(Exception):  # noqa: N818 - not a fault of the program
    """The server goes away without a word."""


class Session:
    """One connection."""

    def __init__(self, sink: Sink, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.sink, self.reader, self.writer = sink, reader, writer
        self.fault = self.recipient = ""
        self.has_sender = False

    async def run(self) -> None:
        with contextlib.suppress(HangUp):
            fault = self.sink.early("greeting")
            await self.say("421 4.3.2 closed" if fault == "421 at greeting" else "220 sink ready")
            while line := await self.reader.readline():
                await self.answer(line[:4].strip().upper().decode("ascii", "replace"), line)

    async def answer(self, verb: str, line: bytes) -> None:
        if verb == "EHLO":
            await self.say("250-sink\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SIZE 50000000")
        elif verb == "MAIL":
            self.recipient, self.has_sender = "", not self.sink.early("mail")
            await self.say("250 2.1.0 ok" if self.has_sender else "451 4.3.0 not now")
        elif verb == "RCPT" and self.has_sender:
            await self.rcpt(line.decode().partition("<")[2].partition(">")[0])
        elif verb == "DATA" and self.recipient:
            await self.data()
        elif verb == "QUIT":
            await self.say("221 2.0.0 bye")
            raise HangUp
        else:
            await self.say("503 5.5.1 not now" if verb in ("RCPT", "DATA") else "250 2.0.0 ok")

    async def rcpt(self, recipient: str) -> None:
        self.fault = self.sink.attempt(recipient)
        if self.fault == "hang up at rcpt":
            self.hang_up(recipient)
        if refusal := AT_RCPT.get(self.fault):
            await self.refuse(recipient, refusal)
        else:
            self.recipient = recipient
            await self.say("250-2.1.5 yes\r\n250 2.1.5 ok" if self.fault == "many lines" else "250 2.1.5 ok")

    async def data(self) -> None:
        recipient, fault = self.recipient, self.fault
        if fault == "hang up at data":
            self.hang_up(recipient)
        if fault == "451 at data":
            await self.refuse(recipient, "451 4.3.0 not now")
            return
        await self.sink.wait_at("data", recipient)
        self.sink.in_body += 1
        try:
            await self.body(recipient, fault)
        finally:
            self.sink.in_body -= 1

    async def body(self, recipient: str, fault: str) -> None:
        await self.say("354 go ahead")
        if fault == "hang up in body":
            await self.reader.readline()
            self.hang_up(recipient)
        content = await self.reader.readuntil(b"\r\n.\r\n")
        await asyncio.sleep(self.sink.seconds)
        if fault == "lost after dot":
            self.hang_up(recipient)
        if refusal := AFTER_DOT.get(fault):
            await self.refuse(recipient, refusal)
            return
        if fault == "taken after dot":
            self.sink.note("fault", recipient, kind=fault)
        self.sink.take(recipient, content)
        await self.sink.wait_at("dot", recipient)
        await self.taken(fault)

    async def taken(self, fault: str) -> None:
        if fault == "taken after dot":
            raise HangUp
        if fault == "answer in pieces":
            self.writer.write(b"25")
            await self.writer.drain()
            await asyncio.sleep(0.01)
            self.writer.write(b"0 2.0.0 taken\r\n")
        else:
            await self.say("250 2.0.0 taken")

    def hang_up(self, recipient: str) -> None:
        self.sink.note("fault", recipient, kind=self.fault)
        raise HangUp

    async def refuse(self, recipient: str, words: str) -> None:
        self.sink.note("refuse", recipient, kind=self.fault, words=words)
        await self.say(words)

    async def say(self, words: str) -> None:
        self.writer.write(f"{words}\r\n".encode())
        await self.writer.drain()
        if words.startswith("421"):
            raise HangUp
