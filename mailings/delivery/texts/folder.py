"""Text messages as lines of JSON in a folder: for trying things out, and for a gateway that reads files.

``out/<day>.jsonl`` holds what leaves, a line each: id, to, from, text. What lies in ``in/*.jsonl`` is read: reports
(``{"reference": "12", "status": "delivered"}``) and answers (``{"from": "+31612345678", "text": "STOP"}``).
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from common.time import clock, local_date
from mailings.delivery.envelope import DEFERRED, IN_DOUBT, SENT
from mailings.delivery.texts.base import Text, TextOutcome

AT_ONCE = 50
log = logging.getLogger(__name__)


class FolderProvider:
    """Writes to and reads from a folder; a file that was read moves to ``in/done``."""

    name = "folder"
    at_once = AT_ONCE

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def send(self, texts: Sequence[Text]) -> list[TextOutcome]:
        """Write these to the file of today, all or none, and see that they are on the disk."""
        lines = [
            json.dumps({"id": one.message_id, "to": one.number, "from": one.sender, "text": one.text}) + "\n"
            for one in texts
        ]
        try:
            (self.folder / "out").mkdir(parents=True, exist_ok=True)
            file = os.open(self.folder / "out" / f"{local_date(clock())}.jsonl", _FLAGS, 0o640)
        except OSError as error:
            return [TextOutcome(one.message_id, DEFERRED, _words(error), reached=False) for one in texts]
        try:
            body = "".join(lines).encode()
            fcntl.flock(file, fcntl.LOCK_EX)  # lines of who was erased may be taken out at this moment
            is_whole = os.write(file, body) == len(body)
            os.fsync(file)
        except OSError as error:
            return [TextOutcome(one.message_id, IN_DOUBT, _words(error)) for one in texts]
        finally:
            os.close(file)
        state = SENT if is_whole else IN_DOUBT
        return [TextOutcome(one.message_id, state, self.name, reference=str(one.message_id)) for one in texts]

    def events(self) -> Iterator[dict[str, Any]]:
        """Yield what lies in ``in``; a line that is no JSON object is passed over. Reading a file again does no harm,
        so it is moved once all of it was taken.
        """
        for path in sorted((self.folder / "in").glob("*.jsonl")):
            try:
                lines = path.read_text("utf-8", "replace").splitlines()
            except OSError as error:  # another process was first, or it is not ours to read: the others go on
                log.warning("%s cannot be read: %s", path.name, _words(error))
                continue
            for line in lines:
                try:
                    told = json.loads(line)
                except (ValueError, RecursionError):
                    continue
                if isinstance(told, dict):
                    yield told
            done = path.parent / "done"
            done.mkdir(exist_ok=True)
            with suppress(FileNotFoundError):
                path.replace(done / path.name)


_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_APPEND


def _words(error: OSError) -> str:
    return error.strerror or type(error).__name__
