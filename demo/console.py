"""What the demo shows while it works: a progress bar on a terminal, plain lines elsewhere; and tables."""

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from shutil import get_terminal_size
from typing import TextIO

BAR = 24
REDRAW_SECONDS = 0.1


class Step:
    """One piece of work; `total` is how much of it there is, 0 when nobody knows."""

    def __init__(self, out: TextIO, title: str, total: int, *, is_live: bool) -> None:
        self._out, self._title, self._is_live = out, title, is_live
        self.total = total
        self.result = ""
        self._started = time.monotonic()
        self._drawn_at = 0.0
        self.reach(0)

    def reach(self, done: int) -> None:
        """Tell how much is done; draws at most ten times a second."""
        if not self._is_live or time.monotonic() - self._drawn_at < REDRAW_SECONDS:
            return
        self._drawn_at = time.monotonic()
        share = min(1.0, done / self.total) if self.total else 0.0
        filled = round(share * BAR)
        numbers = f"{share:4.0%} {done:,}/{self.total:,}" if self.total else ""
        self._draw(f"  [{'#' * filled}{'.' * (BAR - filled)}] {self._title} {numbers}")

    def finish(self, *, failed: bool = False) -> None:
        """Replace the bar by one line: what was done, the result, and how long it took."""
        mark = "x" if failed else "v"
        if self._is_live:
            self._draw("")
        took = time.monotonic() - self._started
        outcome = f": {self.result}" if self.result else ""
        self._out.write(f"{mark} {self._title}{outcome} ({took:.1f} s)\n")
        self._out.flush()

    def _draw(self, text: str) -> None:
        width = get_terminal_size().columns - 1
        self._out.write(f"\r{text[:width]:<{width}}\r")
        self._out.flush()


class Console:
    """Where the demo writes to."""

    def __init__(self, out: TextIO = sys.stdout) -> None:
        self._out = out
        self._is_live = out.isatty()

    def say(self, text: str = "") -> None:
        """Write one line."""
        self._out.write(text + "\n")
        self._out.flush()

    @contextmanager
    def step(self, title: str, total: int = 0) -> Iterator[Step]:
        """Show one piece of work from its beginning to its end, also when it fails."""
        step = Step(self._out, title, total, is_live=self._is_live)
        try:
            yield step
        except BaseException:
            step.finish(failed=True)
            raise
        step.finish()

    def table(self, title: str, rows: Sequence[tuple[str, str]]) -> None:
        """Write rows of two columns under a title; an empty first column goes on with the line above."""
        width = max(len(left) for left, _ in rows)
        self.say()
        self.say(title)
        self.say("-" * max(len(title), width + 2 + max(len(right) for _, right in rows)))
        for left, right in rows:
            self.say(f"{left:<{width}}  {right}")
