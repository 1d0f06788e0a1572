"""The demo's mail server: takes any mail over real SMTP and keeps it as a file; nothing leaves the machine.

    python -m demo.mailbox --port 2525 --folder .state/mailbox

Each accepted mail becomes NNNNNN.eml, numbered by arrival, and then a line of JSON in `index.jsonl`:
{"n", "arrived_at", "from", "to": [..], "subject", "size"}. Addresses that start with "bounce" are refused
with 550, so that a failed delivery can be seen too.
"""

import argparse
import asyncio
import json
import os
import signal
from datetime import UTC, datetime
from email import message_from_bytes
from email.policy import default as default_policy
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session

INDEX = "index.jsonl"
REFUSED_PREFIX = "bounce"
SIZE_LIMIT = 10 * 1024 * 1024


class Mailbox:
    """The folder with the mails; only one process writes in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._last = max((int(path.stem) for path in folder.glob("[0-9]*.eml")), default=0)

    def keep(self, envelope: Envelope, at: datetime) -> int:
        """Store a mail and return its number; the file is complete before the index names it."""
        content = envelope.original_content or b""
        number = self._last + 1
        half = self.folder / f"{number:06d}.half"
        half.write_bytes(content)
        half.rename(self.folder / f"{number:06d}.eml")
        self._last = number
        line = {
            "n": number,
            "arrived_at": at.isoformat(timespec="seconds"),
            "from": envelope.mail_from or "",
            "to": [str(address) for address in envelope.rcpt_tos],
            "subject": _subject(content),
            "size": len(content),
        }
        with (self.folder / INDEX).open("ab") as index:
            index.write(json.dumps(line, ensure_ascii=False).encode() + b"\n")
        return number


def _subject(content: bytes) -> str:
    head = content.split(b"\r\n\r\n", 1)[0]
    return str(message_from_bytes(head + b"\r\n\r\n", policy=default_policy)["subject"] or "")


class Handler:
    """What aiosmtpd asks at each command; names and answers are its interface."""

    def __init__(self, mailbox: Mailbox) -> None:
        self._mailbox = mailbox

    async def handle_RCPT(  # noqa: N802 -- the name is aiosmtpd's
        self,
        server: SMTP,
        session: Session,
        envelope: Envelope,
        address: str,
        options: list[str],
    ) -> str:
        """Refuse addresses of people who do not exist, as a real server would."""
        if address.lower().startswith(REFUSED_PREFIX):
            return f"550 5.1.1 <{address}>: mailbox unavailable"
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 2.1.5 Ok"

    async def handle_DATA(  # noqa: N802 -- the name is aiosmtpd's
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        """Keep the mail, and answer only then."""
        number = self._mailbox.keep(envelope, datetime.now(UTC))
        return f"250 2.0.0 Ok: kept as {number:06d}"


async def serve(folder: Path, *, host: str, port: int) -> None:
    """Take mail until SIGTERM or SIGINT."""
    handler = Handler(Mailbox(folder))
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)

    def connection() -> Any:
        return SMTP(
            handler,
            hostname="mailbox.demo",
            data_size_limit=SIZE_LIMIT,
            enable_SMTPUTF8=True,
        )

    server = await loop.create_server(connection, host, port)
    print(f"mailbox: {host}:{port} -> {folder}", flush=True)
    await ended.wait()
    server.close()


def main() -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(prog="demo.mailbox", description="Keeps every mail it gets as a file.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=2525)
    parser.add_argument("--folder", type=Path, required=True)
    chosen = parser.parse_args()
    os.umask(0o077)
    asyncio.run(serve(chosen.folder, host=chosen.host, port=chosen.port))


if __name__ == "__main__":
    main()
