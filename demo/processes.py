"""Starts the demo's processes, waits until they answer, notices when one dies, and leaves none behind."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

from wise_marketing.embedded.processes import end_with_parent

READY_SECONDS = 60.0
STOP_SECONDS = 25.0
POLL_SECONDS = 0.1
TAIL_LINES = 25


class ChildFailed(Exception):  # noqa: N818 -- reads as what happened
    """A process ended, or never became ready; the message holds the end of its log."""


@dataclass
class Child:
    """A running process, leader of its own process group."""

    name: str
    process: "subprocess.Popen[bytes]"
    log: Path

    @property
    def is_running(self) -> bool:
        """Whether it has not ended."""
        return self.process.poll() is None

    def tail(self) -> str:
        """Return the last lines of the log."""
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-TAIL_LINES:]
        return "\n".join(f"  {self.name} | {line}" for line in lines)

    def failure(self, what: str) -> ChildFailed:
        """Return the error that tells what happened and shows the end of the log."""
        return ChildFailed(f"{self.name} {what}. The end of {self.log}:\n{self.tail()}")


class Children:
    """The processes of the demo; as a context manager it stops all of them whatever happens."""

    def __init__(self, logs: Path, *, environment: Mapping[str, str]) -> None:
        self._logs = logs
        self._environment = dict(environment)
        self._children: list[Child] = []
        logs.mkdir(parents=True, exist_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self, name: str, command: Sequence[str], *, is_ready: Callable[[Child], bool]) -> Child:
        """Start a process and return once it is ready. Raises ChildFailed when it ends or takes too long."""
        child = self.launch(name, command)
        deadline = time.monotonic() + READY_SECONDS
        while not is_ready(child):
            if not child.is_running:
                raise child.failure(f"ended with code {child.process.returncode} before it was ready")
            if time.monotonic() > deadline:
                raise child.failure(f"was not ready within {READY_SECONDS:.0f} seconds")
            time.sleep(POLL_SECONDS)
        return child

    def launch(self, name: str, command: Sequence[str]) -> Child:
        """Start a process in a group of its own: Ctrl-C reaches only the demo, which stops the rest."""
        log = self._logs / f"{name}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                list(command), stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
                env=self._environment, start_new_session=True,
                preexec_fn=partial(end_with_parent, signal.SIGTERM),  # noqa: PLW1509 -- runs before any thread is there
            )  # fmt: skip
        child = Child(name, process, log)
        self._children.append(child)
        return child

    def check(self, *, but: Child | None = None) -> None:
        """Raise ChildFailed when a process that should run has ended; `but` may."""
        for child in self._children:
            if child is not but and not child.is_running:
                raise child.failure(f"ended with code {child.process.returncode}")

    def tail(self, name: str) -> str:
        """Return the last lines that the process of this name wrote."""
        return next(child.tail() for child in self._children if child.name == name)

    def wait(self, child: Child, *, meanwhile: Callable[[], None] = lambda: None) -> None:
        """Wait for a process that ends by itself. Raises ChildFailed when it, or another, fails."""
        while child.is_running:
            meanwhile()
            self.check(but=child)
            time.sleep(POLL_SECONDS)
        self._children.remove(child)
        if child.process.returncode:
            raise child.failure(f"ended with code {child.process.returncode}")

    def stop(self) -> None:
        """Ask all groups to end, last started first, and kill what does not."""
        started, self._children = self._children[::-1], []
        for child in started:
            _signal_group(child, signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS
        for child in started:
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.process.wait(max(0.0, deadline - time.monotonic()))
        for child in started:
            # Also when the leader is gone: it may have left others of its group behind.
            _signal_group(child, signal.SIGKILL)
            child.process.wait()


def _signal_group(child: Child, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.process.pid, number)


def poll(
    until: Callable[[], bool],
    *,
    seconds: float,
    each: Iterable[Callable[[], None]] = (),
) -> bool:
    """Ask again and again, running `each` in between; return False when time is up."""
    tasks = tuple(each)
    deadline = time.monotonic() + seconds
    while not until():
        if time.monotonic() > deadline:
            return False
        for task in tasks:
            task()
        time.sleep(POLL_SECONDS)
    return True
