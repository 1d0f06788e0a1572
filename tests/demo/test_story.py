import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from tempfile import mkdtemp

import pytest

from demo.ports import free_port
from demo.processes import poll

ROOT = Path(__file__).resolve().parents[2]
CUSTOMERS = 400


@pytest.fixture
def state() -> Iterator[Path]:
    # Not in pytest's folder: the account that runs PostgreSQL may not enter that.
    folder = Path(mkdtemp(prefix="wise-story-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def start(state: Path, *arguments: str) -> subprocess.Popen[str]:
    inherited = {name: value for name, value in os.environ.items() if not name.endswith("_URL")}
    for name in ("WISE_EMBEDDED", "DJANGO_SETTINGS_MODULE", "CUSTOMERS", "PORT", "EXIT", "KEEP", "DEMO"):
        inherited.pop(name, None)
    command = [sys.executable, "-m", "demo", "--customers", str(CUSTOMERS), *arguments]
    environment = inherited | {"WISE_STATE_DIR": str(state)}
    return subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def processes_of(state: Path) -> list[str]:
    """Return the command lines of all processes that know this state folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            known = (process / "environ").read_bytes() + (process / "cmdline").read_bytes()
            if str(state).encode() in known:
                found.append((process / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        except OSError:
            continue
    return found


def test_the_story_is_told_to_its_end_then_served_and_leaves_nothing_running(state: Path) -> None:
    demo = start(state, "--port", str(free_port()), "--exit")
    output, _ = demo.communicate(timeout=900)
    assert demo.returncode == 0, output
    last = output.splitlines()[-1]
    assert last.startswith("STORY ")
    story = json.loads(last.removeprefix("STORY "))
    assert story["customers"] == CUSTOMERS
    assert story["facts"] > CUSTOMERS
    assert story["labels_assigned"] > CUSTOMERS
    assert len(story["selection_sizes"]) >= 6
    assert all(story["selection_sizes"].values())
    moves = re.search(r"Shifts between labels in three months: (\d+) up, (\d+) down", output)
    assert moves
    assert int(moves[1]) > 0 < int(moves[2]), "the matrix has something to show"
    assert sum(story["decisions"].values()) == story["candidates"] > 0
    assert story["sent"] == story["mailbox"] == len(list((state / "mailbox").glob("*.eml"))) > 0
    assert story["in_doubt"] == 0
    assert story["failed"] >= 1, "the mail server refuses addresses that bounce"
    assert story["clicks"] > 0
    assert story["unsubscribes"] > 0
    assert story["vouchers_issued"] >= 5
    assert story["vouchers_redeemed"] == 2
    assert story["vouchers_refused"] == 1
    assert poll(lambda: not processes_of(state), seconds=60), processes_of(state)
    the_demo_serves_its_faces_until_it_is_interrupted(state)


def the_demo_serves_its_faces_until_it_is_interrupted(state: Path) -> None:
    # With the data of the story just told: telling it twice would take a minute more.
    port = free_port()
    demo = start(state, "--port", str(port), "--keep")
    assert demo.stdout
    lines: list[str] = []
    for line in demo.stdout:
        lines.append(line)
        if "Ctrl-C stops everything" in line:
            break
    assert "Log in as\n" in lines, "".join(lines)
    with urllib.request.urlopen(f"http://localhost:{port}/accounts/login/", timeout=60) as page:
        login = page.read().decode()
    assert "marketing" in login
    demo.send_signal(signal.SIGINT)
    demo.communicate(timeout=120)
    assert demo.returncode == 0
    assert poll(lambda: not processes_of(state), seconds=60), processes_of(state)


def test_a_taken_port_is_one_clear_line(state: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        demo = start(state, "--port", str(taken.getsockname()[1]), "--exit")
        output, _ = demo.communicate(timeout=120)
    assert demo.returncode == 1
    assert "is taken: choose another one" in output
    assert len(output.splitlines()) == 1


@pytest.mark.parametrize("arguments", [["--customers", "3"], ["--port", "99999"], ["--customers", "veel"]])
def test_wrong_arguments_are_refused_before_anything_starts(arguments: list[str], state: Path) -> None:
    demo = start(state, *arguments)
    output, _ = demo.communicate(timeout=120)
    assert demo.returncode == 2
    assert "error:" in output
    assert not (state / "postgresql").exists()
