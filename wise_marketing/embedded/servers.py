"""Both servers together: start, stop, and run a command with them."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from wise_marketing.embedded import postgres, valkey
from wise_marketing.embedded.place import EmbeddedError, Place, is_given, make_folders, state_dir
from wise_marketing.embedded.processes import end_with_parent

Stop = Callable[[Place], None]


def start(place: Place, *, tied: bool) -> list[Stop]:
    """Start what is neither named by the environment nor running; return how to stop it, last started first.

    Tied servers end together with this process, even when it is killed.
    """
    stops: list[Stop] = []
    make_folders(place)
    try:
        with _only_one(place):
            if not is_given("DATABASE_URL") and not postgres.is_up(place):
                stops.insert(0, postgres.stop)
                postgres.start(place, tied=tied)
            if not is_given("REDIS_URL") and not valkey.is_up(place):
                stops.insert(0, valkey.stop)
                valkey.start(place, tied=tied)
    except BaseException:
        stop(place, stops)
        raise
    return stops


def stop(place: Place, stops: list[Stop]) -> None:
    """Stop these servers and remove their sockets' folder once it is empty."""
    for stop_one in stops:
        stop_one(place)
    with contextlib.suppress(OSError):
        place.sockets.rmdir()


@contextlib.contextmanager
def _only_one(place: Place) -> Iterator[None]:
    with (place.state / "embedded.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def environment(place: Place) -> dict[str, str]:
    """What a command has to know to find these servers."""
    values = {"WISE_EMBEDDED": "1", "WISE_STATE_DIR": str(place.state)}
    if not is_given("DATABASE_URL"):
        values["DATABASE_URL"] = place.database_url
    if not is_given("REDIS_URL"):
        values["REDIS_URL"] = place.redis_url
    return values


def run(command: list[str], *, temporary: bool) -> int:
    """Run a command with both servers up; return its exit code, 128 + n when signal n ended it."""
    place = Place(_temporary_folder(), temporary=True) if temporary else Place(state_dir())
    child: subprocess.Popen[bytes] | None = None
    early: list[int] = []  # what came before there was a command to pass it on to

    def pass_on(number: int, _frame: object) -> None:
        if child is None:
            early.append(number)
        # Ctrl-C at a terminal reaches the command already, as a member of the same process group.
        elif not (number == signal.SIGINT and _is_in_foreground()):
            child.send_signal(number)

    signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    previous = {number: signal.signal(number, pass_on) for number in signals}
    guard, life = _fork_guard(place)
    try:
        child = subprocess.Popen(
            command, env=os.environ | environment(place), preexec_fn=lambda: end_with_parent(signal.SIGTERM)
        )
        for number in early:
            child.send_signal(number)
        code = child.wait()
    except OSError as error:
        print(f"{command[0]}: {error.strerror}", file=sys.stderr)
        code = 127
    finally:
        os.close(life)
        os.waitpid(guard, 0)
        for number, handler in previous.items():
            signal.signal(number, handler)
    return 128 - code if code < 0 else code


def _temporary_folder() -> Path:
    # realpath: macOS's folder for temporary files is a link
    folder = Path(os.path.realpath(tempfile.mkdtemp(prefix="wise-temp-")))
    folder.chmod(0o711)  # PostgreSQL's account has to pass
    return folder


def _is_in_foreground() -> bool:
    try:
        with Path("/dev/tty").open("rb") as terminal:
            return os.tcgetpgrp(terminal.fileno()) == os.getpgrp()
    except OSError:
        return False


def _fork_guard(place: Place) -> tuple[int, int]:
    """Start the guard; return its pid and the end of the pipe that keeps it alive. Raises EmbeddedError."""
    life_read, life_write = os.pipe()
    ready_read, ready_write = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(life_write)
        os.close(ready_read)
        try:
            _guard(place, life_read, ready_write)
        finally:
            os._exit(0)
    os.close(life_read)
    os.close(ready_write)
    with os.fdopen(ready_read, "rb") as answer:
        message = answer.read().decode()
    if message != "ok":
        os.close(life_write)
        os.waitpid(pid, 0)
        raise EmbeddedError(message or "the servers' guard ended unexpectedly")
    return pid, life_write


def _guard(place: Place, life: int, ready: int) -> None:
    """Hold the servers until the other end of `life` closes, which the kernel does even after kill -9."""
    os.setsid()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    stops: list[Stop] = []
    try:
        stops = start(place, tied=True)
        os.write(ready, b"ok")
    except EmbeddedError as error:
        os.write(ready, str(error).encode())
    os.close(ready)
    # From here on nobody asks how a server ended; one that `down` stopped must not stay as a zombie.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while os.read(life, 1):
        pass
    stop(place, stops)
    if place.temporary:
        shutil.rmtree(place.state, ignore_errors=True)
