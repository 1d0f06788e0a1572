import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from demo.processes import ChildFailed, Children, poll

ROOT = Path(__file__).resolve().parents[2]
SLEEP = [sys.executable, "-c", "import time; print('up', flush=True); time.sleep(600)"]
# A leader that dies at once and leaves a member of its group that does not listen to SIGTERM.
STUBBORN = """
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
signal.signal(signal.SIGTERM, signal.SIG_DFL)
print(child.pid, flush=True)
time.sleep(600)
"""


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    if not Path("/proc/self").exists():
        return True
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().split()[2]
    except OSError:  # it went just now
        return False


def test_ready_process_is_stopped_at_the_end(tmp_path: Path) -> None:
    with Children(tmp_path, environment=os.environ) as children:
        child = children.start("sleeper", SLEEP, is_ready=lambda c: "up" in c.log.read_text())
        assert child.is_running
        children.check()
    assert not child.is_running


def test_failing_process_shows_the_end_of_its_log(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "print('no database here'); raise SystemExit(3)"]
    with Children(tmp_path, environment=os.environ) as children, pytest.raises(ChildFailed) as failed:
        children.start("web", command, is_ready=lambda _: False)
    assert "web ended with code 3 before it was ready" in str(failed.value)
    assert "web | no database here" in str(failed.value)


def test_death_of_one_process_is_noticed_while_waiting_for_another(tmp_path: Path) -> None:
    with Children(tmp_path, environment=os.environ) as children:
        dying = children.launch("worker", [sys.executable, "-c", "raise SystemExit(1)"])
        dying.process.wait()
        player = children.launch("players", SLEEP)
        with pytest.raises(ChildFailed, match="worker ended with code 1"):
            children.wait(player)
    assert not player.is_running


def test_process_that_ends_well_is_waited_for(tmp_path: Path) -> None:
    ticks: list[int] = []
    with Children(tmp_path, environment=os.environ) as children:
        child = children.launch("players", [sys.executable, "-c", "print('done')"])
        children.wait(child, meanwhile=lambda: ticks.append(1))
        children.check()
    assert child.log.read_text() == "done\n"


def test_members_of_a_group_are_ended_too(tmp_path: Path) -> None:
    with Children(tmp_path, environment=os.environ) as children:
        child = children.start(
            "stubborn", [sys.executable, "-c", STUBBORN], is_ready=lambda c: c.log.read_text().endswith("\n")
        )
        grandchild = int(child.log.read_text())
        assert is_alive(grandchild)
    assert poll(lambda: not is_alive(grandchild), seconds=60)


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's help for orphans is Linux's")
def test_killed_parent_leaves_no_children(tmp_path: Path) -> None:
    script = (
        "import os, sys\nfrom pathlib import Path\nfrom demo.processes import Children\n"
        "children = Children(Path(sys.argv[1]), environment=os.environ)\n"
        "child = children.launch('sleeper', [sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        "print(child.process.pid, flush=True)\nsys.stdin.read()\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT,
    )  # fmt: skip
    assert parent.stdout
    pid = int(parent.stdout.readline())
    parent.send_signal(signal.SIGKILL)
    parent.communicate()
    assert poll(lambda: not is_alive(pid), seconds=60)


def test_polling_gives_up_in_time() -> None:
    assert not poll(lambda: False, seconds=0.2)
    assert poll(lambda: True, seconds=0)
