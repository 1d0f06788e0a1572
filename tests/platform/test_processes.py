"""The processes of the Procfile, with production's settings, as any other supervisor would run them."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parent.parent.parent
BIN = Path(sys.executable).parent


@pytest.fixture
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def production(process_environment: dict[str, str], port: int, tmp_path: Path) -> dict[str, str]:
    environment = process_environment | {
        "PATH": f"{BIN}:{os.environ['PATH']}",
        "SECRET_KEY": "s" * 40,
        "LINK_KEY": "l" * 40,
        "BASE_URL": "https://crm.example.nl",
        "BEHIND_PROXY": "1",
        "WISE_STATE_DIR": str(tmp_path),
        "PORT": str(port),
        "WEB_WORKERS": "1",
        "WORKER_PROCESSES": "1",
        "PYTHONUNBUFFERED": "1",
    }
    del environment["WISE_EMBEDDED"]
    return environment


@pytest.fixture
def procfile(production: dict[str, str], tmp_path: Path) -> Iterator[Path]:
    """Run all processes; give their common log. At the end a SIGTERM has to stop every one."""
    collect = [sys.executable, "manage.py", "collectstatic", "--noinput", "--verbosity", "0"]
    subprocess.run(collect, cwd=PROJECT, env=production, check=True)
    log = tmp_path / "log"
    with log.open("wb") as output:
        honcho = subprocess.Popen([BIN / "honcho", "start"], cwd=PROJECT, env=production, stdout=output, stderr=output)
    yield log
    honcho.send_signal(signal.SIGTERM)
    honcho.wait(timeout=120)
    assert "Traceback" not in log.read_text()
    assert left_over(production["WISE_STATE_DIR"]) == {}


def left_over(mark: str) -> dict[int, str]:
    """Return the command of each process that has this text in its environment (Linux), this one aside."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if f"WISE_STATE_DIR={mark}".encode() in (folder / "environ").read_bytes():
                found[int(folder.name)] = (folder / "cmdline").read_text().replace("\0", " ")
        except OSError:
            continue
    return found


def get(url: str) -> tuple[int, str]:
    request = urllib.request.Request(url, headers={"Host": "crm.example.nl", "X-Forwarded-Proto": "https"})
    try:
        with urllib.request.urlopen(request, timeout=60) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()
    except OSError:
        return 0, ""


def wait_for(log: Path, words: str, seconds: float = 180) -> bool:
    deadline = time.monotonic() + seconds
    while words not in log.read_text() and time.monotonic() < deadline:
        time.sleep(0.1)
    return words in log.read_text()


@pytest.mark.django_db(transaction=True)
def test_procfile_serves_pages_and_works_off_the_ticks(procfile: Path, port: int, production: dict[str, str]) -> None:
    base = f"http://127.0.0.1:{port}"
    assert wait_for(procfile, "Listening at")
    assert get(f"{base}/readyz/") == (200, "ready\n")

    status, page = get(f"{base}/accounts/login/")
    assert status == 200
    style = next(part for part in page.split('"') if part.startswith("/static/") and part.endswith(".css"))
    assert len(Path(style).name.split(".")) > 2, "style sheets are fingerprinted"
    assert get(base + style)[0] == 200

    assert get(f"{base}/{'t' * 40}/?q=iemand@example.nl")[0] in {302, 404}
    assert wait_for(procfile, "GET /.../ ")
    assert "iemand@" not in procfile.read_text()

    assert wait_for(procfile, "Task mailings.tasks.send_queued"), procfile.read_text()[-3000:]
    assert wait_for(procfile, "succeeded in"), procfile.read_text()[-3000:]
    running = left_over(production["WISE_STATE_DIR"])
    workers = [os.getpgid(pid) for pid, command in running.items() if "/celery --app wise_marketing worker" in command]
    assert len(workers) == len(set(workers)) == 2, "a stop of the worker's group must not hit who is at a task"
