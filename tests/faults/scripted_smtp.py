"""A mail server that misbehaves on command: what it does to a mail stands in the recipient's address.

``drop-at-rcpt@``, ``drop-in-body@``, ``drop-after-dot@`` (not accepted), ``accept-and-drop@`` (accepted, no answer),
``hang@`` (not accepted before ``let_go`` is set); any other address is taken. Whoever connects after
``most_connections`` is turned away at the door. Each acceptance is written to a file and synced to disk before the
client hears of it: the file is the truth that tests compare the database with.
"""

from __future__ import annotations

import os
import socketserver
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO


class Session(socketserver.StreamRequestHandler):
    server: Server

    def handle(self) -> None:
        if self.server.connections >= self.server.most_connections:
            self.say("421 4.7.0 too many connections")
            return
        self.server.connections += 1
        self.say("220 ready")
        recipient = ""
        try:
            while line := self.rfile.readline():
                verb = line[:4].upper()
                if verb == b"RCPT":
                    recipient = line.decode().partition("<")[2].partition(">")[0]
                    if recipient.startswith("drop-at-rcpt"):
                        return
                if verb == b"DATA":
                    self.say("354 go ahead")
                    if not self.data(recipient):
                        return
                    continue
                if verb == b"QUIT":
                    self.say("221 bye")
                    return
                self.say("250 OK")
        except (ConnectionError, BrokenPipeError):
            return

    def data(self, recipient: str) -> bool:
        """Read the body and answer; False hangs up."""
        if recipient.startswith("drop-in-body"):
            self.rfile.readline()
            return False
        identity = ""
        while (line := self.rfile.readline()) and line != b".\r\n":
            if line.lower().startswith(b"message-id:"):
                identity = line.decode().partition(":")[2].strip()
        if line != b".\r\n" or recipient.startswith("drop-after-dot"):
            return False
        if recipient.startswith("hang"):
            self.server.let_go.wait(60)
        time.sleep(self.server.seconds_per_mail)
        self.server.accept(recipient, identity)
        if recipient.startswith("accept-and-drop"):
            return False
        self.say("250 2.0.0 taken")
        return True

    def say(self, words: str) -> None:
        self.wfile.write(f"{words}\r\n".encode())


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128  # a worker opens all its connections at once

    def __init__(self, ledger: Path, seconds_per_mail: float, most_connections: int) -> None:
        super().__init__(("127.0.0.1", 0), Session)
        self.most_connections = most_connections
        self.seconds_per_mail = seconds_per_mail
        self.connections = 0
        self.let_go = threading.Event()
        self.path = ledger
        self._file: IO[bytes] = ledger.open("ab")
        self._lock = threading.Lock()

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def accept(self, recipient: str, identity: str) -> None:
        with self._lock:
            self._file.write(f"{recipient} {identity}\n".encode())
            self._file.flush()
            os.fsync(self._file.fileno())

    def accepted(self) -> list[str]:
        """Return recipient and Message-ID of every mail accepted so far."""
        return self.path.read_text().splitlines()


@contextmanager
def scripted_smtp(
    ledger: Path, *, seconds_per_mail: float = 0.0, most_connections: int = 1_000_000
) -> Iterator[Server]:
    with Server(ledger, seconds_per_mail, most_connections) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.let_go.set()
            server.shutdown()
            thread.join()
