"""A mail server that takes everything and keeps nothing: Postfix's smtp-sink, else one of our own."""

from __future__ import annotations

import os
import selectors
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

HOST = "127.0.0.1"


@contextmanager
def running_sink() -> Iterator[tuple[int, int]]:
    """Run a sink; gives its port and process id."""
    port = _free_port()
    program = find_program("smtp-sink")
    own = [sys.executable, "-m", "benchmarks._mailings.sinks", str(port)]
    as_nobody = ["-u", "nobody"] if os.geteuid() == 0 else []
    process = subprocess.Popen([program, *as_nobody, f"{HOST}:{port}", "512"] if program else own)
    try:
        _wait_for(port)
        yield port, process.pid
    finally:
        process.terminate()
        process.wait()


def find_program(name: str) -> str | None:
    """Return where one of Postfix's programs is; Debian puts them where only root looks."""
    return shutil.which(name) or shutil.which(name, path=os.pathsep.join(("/usr/sbin", "/usr/libexec/postfix")))


def _free_port() -> int:
    with socket.create_server((HOST, 0)) as free:
        return int(free.getsockname()[1])


def _wait_for(port: int) -> None:
    for _try in range(200):
        with suppress(OSError), socket.create_connection((HOST, port), timeout=1):
            return
        time.sleep(0.05)
    raise SystemExit("the sink did not come up")


class Guest:
    """One connection of our own sink: what came in and was not answered yet, and whether a body is coming in."""

    def __init__(self, line: socket.socket) -> None:
        self.line, self.buffer, self.in_body = line, bytearray(), False

    def answer(self) -> bytes:
        """Answer all that is complete."""
        said: list[bytes] = []
        while True:
            end = self.buffer.find(b"\r\n.\r\n" if self.in_body else b"\r\n")
            if end < 0:
                return b"".join(said)
            verb = bytes(self.buffer[:4]).upper()
            del self.buffer[: end + (5 if self.in_body else 2)]
            if self.in_body:
                self.in_body = False
                said.append(b"250 2.0.0 Ok\r\n")
            elif verb == b"EHLO":
                said.append(b"250-sink\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 ENHANCEDSTATUSCODES\r\n")
            elif verb == b"DATA":
                self.in_body = True
                said.append(b"354 End data with <CR><LF>.<CR><LF>\r\n")
            else:
                said.append(b"221 Bye\r\n" if verb == b"QUIT" else b"250 2.1.0 Ok\r\n")


def serve(port: int) -> None:
    """Be a sink, in one thread, until somebody ends it."""
    chosen = selectors.DefaultSelector()
    door = socket.create_server((HOST, port), backlog=512)
    chosen.register(door, selectors.EVENT_READ, None)
    while True:
        for key, _events in chosen.select():
            if key.data is None:
                line, _address = door.accept()
                line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                line.sendall(b"220 sink ESMTP\r\n")
                chosen.register(line, selectors.EVENT_READ, Guest(line))
                continue
            guest: Guest = key.data
            with suppress(ConnectionError):
                if came := guest.line.recv(1 << 18):
                    guest.buffer += came
                    if said := guest.answer():
                        guest.line.sendall(said)
                    continue
            chosen.unregister(guest.line)
            guest.line.close()


if __name__ == "__main__":
    serve(int(sys.argv[1]))
