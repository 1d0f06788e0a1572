"""Make a mail of a stranger safe to read: as much of it as any report needs, and no more. Pure.

What makes the reading of mail slow, or nest too deep, is cut away before anything is read: headers that go on for ever,
thousands of parts, parts in parts in parts. Reports say what they have to say at their beginning.
"""

from __future__ import annotations

import re

READ_BYTES = 256 * 1024  # the rest is our own mail, sent back
MOST_LINE = 1000  # bytes, which is what mail may have
MOST_FOLDED = 8000  # bytes of one header, or of text that is indented
MOST_PARTS = 100
_PART = re.compile(rb"--|content-type\s*:", re.IGNORECASE)


def bounded(raw: bytes) -> bytes:
    """Return the beginning of a mail, without what no report has; a mail as servers write them comes back whole."""
    kept: list[bytes] = []
    folded = parts = 0
    for line in raw[:READ_BYTES].splitlines(keepends=True):
        folded = folded + len(line) if line[:1] in (b" ", b"\t") else 0
        if folded > MOST_FOLDED:
            continue
        if _PART.match(line):
            parts += 1
            if parts > 2 * MOST_PARTS:
                break
        kept.append(line if len(line) <= MOST_LINE else line[: MOST_LINE - 2] + b"\r\n")
    return b"".join(kept)
