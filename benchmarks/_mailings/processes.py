"""Processes that get ready, wait for the word, work, and tell what they measured as a line of JSON; and what the
operating system says of processes.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, NoReturn

TICKS = os.sysconf("SC_CLK_TCK")


def race(module: str, arguments: list[str], *, count: int, environment: dict[str, str]) -> tuple[float, list[Any]]:
    """Start that many processes, let them go at once; return the seconds until the last is done, and what they told."""
    command = [sys.executable, "-m", f"benchmarks._mailings.{module}", *arguments]
    running = [
        subprocess.Popen(
            [*command, str(number)], env={**os.environ, **environment}, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )
        for number in range(count)
    ]  # fmt: skip
    for one in running:
        assert one.stdout
        if one.stdout.readline() != "ready\n":
            give_up(running, f"{module} did not get ready")
    started = time.perf_counter()
    for one in running:
        assert one.stdin
        one.stdin.write("go\n")
        one.stdin.flush()
    told = [one.communicate()[0] for one in running]
    seconds = time.perf_counter() - started
    if any(one.returncode for one in running):
        give_up(running, f"{module} failed")
    found = [json.loads(text.splitlines()[-1]) for text in told]
    return max((one.get("seconds", seconds) for one in found), default=seconds), found


def give_up(running: list[subprocess.Popen[str]], words: str) -> NoReturn:
    """End what was started, and say why."""
    for one in running:
        one.kill()
        one.wait()
    raise SystemExit(words)


def wait_for_the_word() -> None:
    """Say that this process is ready and wait until it may begin."""
    print("ready", flush=True)
    sys.stdin.readline()


def cpu_seconds(pid: int) -> float:
    """Return the processor time of a process, of those it started that live, and of those that have ended; 0 where
    /proc does not tell.
    """
    total = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(stat.parent.name) == pid:
            total += sum(map(int, fields[11:15]))
        elif int(fields[1]) == pid:
            total += sum(map(int, fields[11:13]))
    return total / TICKS


def parent_of(pid: int) -> int:
    """Return who started a process on this machine, 0 when that is not to be seen."""
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0
