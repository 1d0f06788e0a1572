"""Processes that a test may kill: forked from one in which Django stands ready, so that each begins at once."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

MOTHER = """
import json, os, sys, traceback
import django; django.setup()
exec(sys.argv[1])
child = 0
for line in sys.stdin:
    if child:
        os.waitpid(child, 0)  # not before: until then its number is nobody else's
    child = os.fork()
    if not child:
        print(os.getpid(), flush=True)
        try:
            exec(json.loads(line), {})
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    end = os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
    print(end.si_status if end.si_code == os.CLD_EXITED else -end.si_status, flush=True)
"""


class Killable:
    """Starts one process after another; each must be over before the next begins."""

    def __init__(self, mother: subprocess.Popen[str]) -> None:
        self._mother = mother
        self.pid = 0

    def start(self, code: str) -> None:
        """Let a new process begin with this code; comes back when it has."""
        assert self._mother.stdin is not None
        self._mother.stdin.write(json.dumps(code) + "\n")
        self._mother.stdin.flush()
        self.pid = int(self._line())

    @property
    def is_over(self) -> bool:
        assert self._mother.stdout is not None
        return bool(select.select([self._mother.stdout], [], [], 0)[0])

    def finish(self) -> int:
        """Wait until it is over, and return how it ended."""
        self.pid = 0
        return int(self._line())

    def kill(self) -> int:
        """End it as the kernel would, and return how it ended: -9, or its own code when it was over before."""
        os.kill(self.pid, signal.SIGKILL)
        self.pid = 0
        return int(self._line())

    def _line(self) -> str:
        assert self._mother.stdout is not None
        line = self._mother.stdout.readline()
        assert line, "the process from which others are forked is gone"
        return line


@contextmanager
def killable(environment: Mapping[str, str], ready: str) -> Iterator[Killable]:
    """Give processes in this environment, in which ``ready`` (imports) has been executed."""
    with subprocess.Popen(
        [sys.executable, "-c", MOTHER, ready],
        env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1,
    ) as mother:  # fmt: skip
        processes = Killable(mother)
        try:
            yield processes
        finally:
            if processes.pid:
                processes.kill()
            mother.kill()
