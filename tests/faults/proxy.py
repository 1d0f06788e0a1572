"""A line to a server that can be cut, closed, or made to lose an answer that is on its way."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field
from pathlib import Path

Pair = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass
class Proxy:
    """Listens on 127.0.0.1 and passes on to a port or a socket. Everything here runs on the loop of a ``Stage``.

    ``is_shut``: whoever comes is turned away. ``loses_answers``: what the client says still arrives, then the line
    breaks instead of the answer: a commit nobody heard of.
    """

    target: int | Path
    port: int = 0
    is_shut: bool = False
    loses_answers: bool = False
    _lines: set[asyncio.StreamWriter] = field(default_factory=set)

    async def start(self) -> asyncio.Server:
        server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = int(server.sockets[0].getsockname()[1])
        return server

    def cut(self) -> None:
        """Break every line that there is now."""
        for line in list(self._lines):
            line.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            if self.is_shut:
                return writer.transport.abort()
            there = await self._reach()
            self._lines |= {writer, there[1]}
            try:
                await asyncio.gather(self._pass_on(reader, there[1]), self._pass_on(there[0], writer, is_answer=True))
            finally:
                self._lines -= {writer, there[1]}
                there[1].close()
        writer.transport.abort()
        return None

    async def _reach(self) -> Pair:
        if isinstance(self.target, Path):
            return await asyncio.open_unix_connection(self.target)
        return await asyncio.open_connection("127.0.0.1", self.target)

    async def _pass_on(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, is_answer: bool = False
    ) -> None:
        try:
            while data := await reader.read(65_536):
                if is_answer and self.loses_answers:
                    break
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        finally:
            # what was said before the end still arrives; who only stops listening is no reason to hang up
            with contextlib.suppress(OSError):
                if is_answer:
                    writer.transport.abort() if self.loses_answers else writer.close()
                else:
                    writer.write_eof() if writer.can_write_eof() else writer.close()
