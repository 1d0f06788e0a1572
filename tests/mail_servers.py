"""A mailbox on this machine that speaks as much IMAP or POP3 as is needed to read and empty it."""

from __future__ import annotations

import re
import socketserver
import threading
from collections.abc import Iterator

import pytest


class MailServer:
    """``mails`` is what lies in the mailbox; ``login`` who came in last; ``sent`` how many bytes of mail POP gave."""

    def __init__(self) -> None:
        self.mails: list[bytes] = []
        self.seen: list[bytes] = []
        self.login = ("", "")
        self.sent = 0
        self._servers: list[socketserver.ThreadingTCPServer] = []

    def start(self, scheme: str) -> int:
        handler = {"imap": Imap, "pop3": Pop}[scheme]
        server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), handler)
        server.daemon_threads = True
        server.box = self
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        self._servers.append(server)
        return int(server.server_address[1])

    def stop(self) -> None:
        for server in self._servers:
            server.shutdown()
            server.server_close()


class Lines(socketserver.StreamRequestHandler):
    @property
    def box(self) -> MailServer:
        return self.server.box

    def say(self, text: str | bytes) -> None:
        self.wfile.write((text if isinstance(text, bytes) else text.encode()) + b"\r\n")


class Imap(Lines):
    def handle(self) -> None:
        self.deleted: list[bytes] = []
        self.waiting: list[bytes] = []
        self.say("* OK ready")
        while line := self.rfile.readline().decode().strip():
            tag, command, rest = [*line.split(" ", 2), ""][:3]
            getattr(self, command.lower())(rest)
            self.say(f"{tag} OK done")
            if command == "LOGOUT":
                return

    def capability(self, rest: str) -> None:
        self.say("* CAPABILITY IMAP4rev1")

    def login(self, rest: str) -> None:
        user, password = rest.split(" ", 1)
        self.box.login = (user.strip('"'), password.strip('"'))

    def select(self, rest: str) -> None:
        self.say(f"* {len(self.box.mails)} EXISTS")

    def uid(self, rest: str) -> None:
        command, _space, rest = rest.partition(" ")
        if command == "SEARCH":
            self.waiting = [mail for mail in self.box.mails if mail not in self.box.seen]
            self.say("* SEARCH " + " ".join(str(number + 1) for number in range(len(self.waiting))))
            return
        for number in map(int, rest.split(" ")[0].split(",")):
            mail = self.waiting[number - 1]
            if command == "FETCH":
                before, after = (f"UID {number} ", "") if number % 2 else ("", f" UID {number}")  # servers do either
                self.say(f"* 1 FETCH ({before}BODY[]<0> {{{len(mail)}}}\r\n".encode() + mail + f"{after})".encode())
            elif "Deleted" in rest:
                self.deleted.append(mail)
            elif "Seen" in rest:
                self.box.seen.append(mail)

    def expunge(self, rest: str) -> None:
        self.box.mails = [mail for mail in self.box.mails if mail not in self.deleted]

    def logout(self, rest: str) -> None:
        self.say("* BYE")


class Pop(Lines):
    def handle(self) -> None:
        deleted: list[bytes] = []
        user = ""
        self.say("+OK ready")
        while line := self.rfile.readline().decode().strip():
            command, _space, rest = line.partition(" ")
            if command == "USER":
                user = rest
            elif command == "PASS":
                self.box.login = (user, rest)
            elif command == "DELE":
                deleted.append(self.box.mails[int(rest) - 1])
            if command == "LIST":
                self.say(f"+OK {rest} {len(self.box.mails[int(rest) - 1])}")
                continue
            self.say(f"+OK {len(self.box.mails)} 1")
            if command in ("RETR", "TOP"):
                number, lines = [*map(int, rest.split()), None][:2]
                mail = b"\n".join(self.box.mails[number - 1].split(b"\n")[:lines])
                self.box.sent += len(mail)
                self.wfile.write(re.sub(rb"(?m)^\.", b"..", mail) + b"\r\n.\r\n")
            if command == "QUIT":
                self.box.mails = [mail for mail in self.box.mails if mail not in deleted]
                return


@pytest.fixture
def mail_server() -> Iterator[MailServer]:
    server = MailServer()
    yield server
    server.stop()
