"""Starting a server so that it ends when it should, and waiting for either."""

from __future__ import annotations

import contextlib
import ctypes
import importlib.util
import os
import pwd
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from wise_marketing.embedded.place import EmbeddedError

START_SECONDS = 60
STOP_SECONDS = 30
PR_SET_PDEATHSIG = 1


def wheel_folder(package: str) -> Path | None:
    """Find an installed package without importing it; WISE_SYSTEM_SERVERS=1 passes the wheels over."""
    spec = None if os.environ.get("WISE_SYSTEM_SERVERS") else importlib.util.find_spec(package)
    return Path(spec.origin).parent if spec and spec.origin else None


def end_with_parent(number: int) -> None:
    """Ask Linux to send this signal when the parent ends, however it ends; elsewhere the guard must do."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, number)


def enter_server(account: pwd.struct_passwd | None, death_signal: int | None) -> Callable[[], None]:
    """Build what runs between fork and exec: leave the terminal, drop root, tie the end to the parent's."""

    def enter() -> None:
        os.setsid()
        os.umask(0o077)
        if account:
            os.setgroups([])
            os.setgid(account.pw_gid)
            os.setuid(account.pw_uid)
        if death_signal:
            end_with_parent(death_signal)  # last: changing the account clears it

    return enter


def wait_up(is_up: Callable[[], bool], server: subprocess.Popen[bytes], name: str, log: Path) -> None:
    """Wait until the server answers. Raises EmbeddedError with the last line of its log."""
    deadline = time.monotonic() + START_SECONDS
    while not is_up():
        if server.poll() is not None or time.monotonic() > deadline:
            reason = last_line(log.read_text(errors="replace"))
            raise EmbeddedError(f"{name} does not start: {reason} (see {log})")
        time.sleep(0.03)


def wait_gone(pid: int) -> None:
    """Wait until a process is gone, whether or not it is our child; one that stays is killed."""
    deadline = time.monotonic() + STOP_SECONDS
    while time.monotonic() < deadline:
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
        time.sleep(0.02)
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, 9)


def last_line(text: str) -> str:
    """Return the line that most likely tells what went wrong."""
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "no reason given"
